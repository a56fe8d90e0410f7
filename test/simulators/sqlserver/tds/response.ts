/** An answer: turns what the engine says into tokens, in the order in which clients expect them. */
import {
  type ResultColumn,
  type ResultPart,
  type ServerMessage,
  SqlFailure,
  type SqlSession,
} from '../contract.ts';
import type { WireFaults } from './faults.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { ConnectionEnded } from './protocol-error.ts';
import {
  type Command,
  DoneStatus,
  DoneToken,
  isError,
  type Server,
  writeColumns,
  writeDone,
  writeMessage,
  writeReturnStatus,
  writeReturnValue,
  writeRow,
} from './tokens.ts';
import type { ToldState } from './told.ts';
import type { Framing } from './wire-type.ts';

type Done = { readonly status: number; readonly command: Command; readonly rowCount: number };
type Output = Extract<ResultPart, { readonly kind: 'output' }>;

export type ResponseContext = {
  readonly server: Server;
  readonly session: SqlSession;
  readonly told: ToldState;
  readonly faults: WireFaults;
  /** Ends the connection at once, when a fault is due. */
  cut(): void;
};

export class Response {
  readonly #message: OutgoingMessage;
  readonly #context: ResponseContext;
  readonly #kind: 'batch' | 'procedure';
  #columns: readonly ResultColumn[] = [];
  #framings: readonly Framing[] = [];
  /** Held back until it is known whether something follows, which its status says. */
  #done: Done | undefined;
  #failed: 'no' | 'statement' | 'request' = 'no';
  #returnStatus = 0;
  readonly #outputs: Output[] = [];

  constructor(message: OutgoingMessage, context: ResponseContext, kind: 'batch' | 'procedure') {
    this.#message = message;
    this.#context = context;
    this.#kind = kind;
  }

  async add(part: ResultPart): Promise<void> {
    if (part.kind === 'rows') return this.#addRows(part.rows);
    if (part.kind === 'output') {
      this.#outputs.push(part);
      return;
    }
    if (part.kind === 'returnStatus') {
      this.#returnStatus = part.value;
      return;
    }
    this.#writeHeldDone();
    this.#write(part);
    if (this.#message.full) await this.#message.flush();
  }

  /** The request failed: its answer ends with the reason. */
  fail(error: unknown): void {
    this.#writeHeldDone();
    this.#failed = 'request';
    writeMessage(this.#message.bytes, this.#context.server, describe(error));
  }

  /** A cancelled answer ends where it is. */
  truncate(): void {
    this.#writeHeldDone();
    this.#failed = 'request';
    this.#outputs.length = 0;
  }

  async end(): Promise<void> {
    const out = this.#message.bytes;
    if (this.#kind === 'procedure') {
      this.#writeHeldDone();
      this.#context.told.catchUp(out, this.#context.session);
      writeReturnStatus(out, this.#returnStatus);
      for (const { name, type, value } of this.#outputs) writeReturnValue(out, name, type, value);
      writeDone(out, DoneToken.procedure, this.#failed === 'no' ? 0 : DoneStatus.error);
    } else {
      this.#context.told.catchUp(out, this.#context.session);
      const { status, command, rowCount } = this.#done ?? { status: 0, command: 'other', rowCount: 0 };
      const error = this.#failed === 'no' ? 0 : DoneStatus.error;
      writeDone(out, DoneToken.batch, status | error, command, rowCount);
    }
    await this.#message.end();
  }

  #write(part: Exclude<ResultPart, { readonly kind: 'rows' | 'output' | 'returnStatus' }>): void {
    const { told, server } = this.#context;
    const out = this.#message.bytes;
    switch (part.kind) {
      case 'columns':
        this.#columns = part.columns;
        this.#framings = writeColumns(out, part.columns);
        return;
      case 'done':
        this.#holdDone(part);
        return;
      case 'message':
        if (isError(part.message)) this.#failed = 'statement';
        writeMessage(out, server, part.message);
        return;
      case 'database':
        told.database(out, part.name);
        return;
      case 'transaction':
        told.transactionChanged(out, part);
        return;
    }
  }

  /** An error after which the batch goes on belongs to the next statement that is done. */
  #holdDone({ command, rowCount }: Extract<ResultPart, { readonly kind: 'done' }>): void {
    const status =
      (rowCount === undefined ? 0 : DoneStatus.count) | (this.#failed === 'no' ? 0 : DoneStatus.error);
    this.#failed = 'no';
    this.#done = { status, command, rowCount: rowCount ?? 0 };
  }

  #writeHeldDone(): void {
    if (this.#done === undefined) return;
    const { status, command, rowCount } = this.#done;
    const token = this.#kind === 'procedure' ? DoneToken.inProcedure : DoneToken.batch;
    writeDone(this.#message.bytes, token, status | DoneStatus.more, command, rowCount);
    this.#done = undefined;
  }

  async #addRows(rows: Extract<ResultPart, { readonly kind: 'rows' }>['rows']): Promise<void> {
    for (const row of rows) {
      writeRow(this.#message.bytes, this.#columns, this.#framings, row);
      if (this.#context.faults.rowSent()) await this.#cutHere();
      if (this.#message.full) await this.#message.flush();
    }
  }

  async #cutHere(): Promise<never> {
    await this.#message.flush();
    this.#context.cut();
    throw new ConnectionEnded();
  }
}

function describe(error: unknown): ServerMessage {
  if (error instanceof SqlFailure) {
    const { number, severity, state, message, line } = error;
    return { number, severity, state, message, line };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { number: 50_000, severity: 16, state: 1, message: `The simulator has a bug: ${text}`, line: 1 };
}
