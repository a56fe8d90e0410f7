/** What the client has been told of its session; what is new to it is written before the answer ends. */
import type { ResultPart, SqlSession } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { WireFaults } from './faults.ts';
import {
  type Server,
  writeDatabase,
  writeMessage,
  writeReset,
  writeTransactionBegun,
  writeTransactionEnded,
} from './tokens.ts';

const DATABASE_CHANGED = 5701;

type TransactionChange = Extract<ResultPart, { readonly kind: 'transaction' }>;

export class ToldState {
  readonly #server: Server;
  readonly #faults: WireFaults;
  readonly #cut: () => void;
  #transaction: bigint | undefined;
  #database = 'master';

  /** `cut` ends the connection at once, when a fault is due. */
  constructor(server: Server, faults: WireFaults, cut: () => void) {
    this.#server = server;
    this.#faults = faults;
    this.#cut = cut;
  }

  /** The transaction that the client puts into its requests. */
  get transaction(): bigint | undefined {
    return this.#transaction;
  }

  database(out: ByteWriter, name: string): void {
    writeDatabase(out, name, this.#database);
    this.#database = name;
    writeMessage(out, this.#server, {
      number: DATABASE_CHANGED,
      severity: 10,
      state: 2,
      message: `Changed database context to '${name}'.`,
      line: 1,
    });
  }

  transactionChanged(out: ByteWriter, { change, id }: Omit<TransactionChange, 'kind'>): void {
    if (change === 'begun') {
      if (this.#transaction === id) return;
      writeTransactionBegun(out, id);
      this.#transaction = id;
      return;
    }
    if (this.#transaction === undefined) return;
    if (change === 'committed' && this.#faults.committed()) this.#cut();
    writeTransactionEnded(out, change, this.#transaction);
    this.#transaction = undefined;
  }

  /** Says what a statement did to the transaction without saying so itself, such as an error that rolled it back. */
  catchUp(out: ByteWriter, session: SqlSession): void {
    const { transaction } = session;
    if (transaction === this.#transaction) return;
    if (this.#transaction !== undefined) {
      this.transactionChanged(out, { change: 'rolledBack', id: this.#transaction });
    }
    if (transaction !== undefined) this.transactionChanged(out, { change: 'begun', id: transaction });
  }

  /** The session was reset, which rolled its transaction back. */
  reset(out: ByteWriter, session: SqlSession): void {
    this.catchUp(out, session);
    this.#database = session.database;
    writeReset(out);
  }
}
