/**
 * What a new client is sent instead of a history that was trimmed: the state at one version, as instructions that give
 * each object its values whatever the client holds of it (spec/server-history.md §6).
 */
import { encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { readField } from '../state/default-value.ts';
import type { StateReader, StoredState } from '../state/reader.ts';
import { writeField } from '../state/value-instructions.ts';
import type { DownloadEntry } from './contract.ts';

/** Bytes of one changeset, roughly: made in some 20 ms, so that others do not wait for longer. */
const PORTION_BYTES = 1024 * 1024;
/** What an instruction takes beside its text or bytes, roughly. */
const INSTRUCTION_BYTES = 16;
/** The oldest there can be: what the client has written itself is newer. */
const TIMESTAMP = 1;
/** The server's (spec/server-history.md §2.3). */
const ORIGIN = 1;

/** Objects by class and key token. */
export type ObjectKeys = ReadonlyMap<string, ReadonlyMap<string, PrimaryKey>>;

export type FillPortion = {
  readonly entries: readonly DownloadEntry[];
  /** The client has the state up to here; the fill's version when it is complete. */
  readonly reached: number;
};

export type FillStart = {
  /** The version whose state is sent. */
  readonly version: number;
  /** The client's download cursor. */
  readonly after: number;
  /** The client's newest version that the state contains. */
  readonly clientVersion: number;
  /**
   * An earlier fill that was cut off may have left the client with some of these objects as they were then; `undefined`
   * when there was none.
   */
  readonly stale: ObjectKeys | undefined;
  /** Bytes that are expected, roughly. */
  readonly expectedBytes: number;
};

export class StateFill {
  readonly version: number;
  readonly clientVersion: number;
  readonly #instructions: Iterator<readonly Instruction[]>;
  #reached: number;
  #expectedBytes: number;

  constructor(state: StateReader, { version, after, clientVersion, stale, expectedBytes }: FillStart) {
    this.version = version;
    this.clientVersion = clientVersion;
    this.#instructions = stateInstructions(state, stale);
    this.#reached = after;
    this.#expectedBytes = expectedBytes;
  }

  /** Bytes that are still to come, roughly; none when the state is complete. */
  get expectedBytes(): number {
    return this.#reached === this.version ? 0 : Math.max(this.#expectedBytes, PORTION_BYTES);
  }

  get reached(): number {
    return this.#reached;
  }

  next(softLimit: number): FillPortion {
    const limit = Math.min(softLimit, PORTION_BYTES);
    const version = this.#reached + 1;
    // Versions rise from entry to entry; the last one takes whatever is left.
    const isLast = version >= this.version;
    const instructions: Instruction[] = [];
    let size = 0;
    this.#reached = version;
    while (isLast || size <= limit) {
      const next = this.#instructions.next();
      if (next.done === true) {
        this.#reached = this.version;
        break;
      }
      for (const instruction of next.value) {
        instructions.push(instruction);
        size += sizeOf(instruction);
      }
    }
    return { entries: this.#entries(version, instructions), reached: this.#reached };
  }

  #entries(serverVersion: number, instructions: readonly Instruction[]): readonly DownloadEntry[] {
    if (instructions.length === 0) return [];
    const changeset = encodeChangeset(instructions);
    this.#expectedBytes -= changeset.length;
    return [
      {
        serverVersion,
        clientVersion: this.clientVersion,
        timestamp: TIMESTAMP,
        originFileIdent: ORIGIN,
        originalSize: changeset.length,
        changeset,
      },
    ];
  }
}

/** The schema, then object by object; at last what is gone of the stale ones. */
function* stateInstructions(
  state: StateReader,
  stale: ObjectKeys | undefined,
): IterableIterator<readonly Instruction[]> {
  const { schema } = state;
  yield schemaInstructions(new Map(), schema);
  for (const { name, kind } of schema.values()) {
    if (kind === 'embedded') continue;
    const ofClass = stale?.get(name);
    for (const object of state.objects(name)) {
      yield objectInstructions(state, name, object, ofClass?.has(keyToken(object.key)) === true);
    }
    for (const key of ofClass?.values() ?? []) {
      if (state.object(name, key) === undefined) yield [{ op: 'EraseObject', table: name, key }];
    }
  }
}

function objectInstructions(
  { schema }: StateReader,
  table: string,
  { key, state }: StoredState,
  isStale: boolean,
): readonly Instruction[] {
  const instructions: Instruction[] = [{ op: 'CreateObject', table, key }];
  for (const [field, column] of schema.get(table)?.columns ?? []) {
    const value = isStale ? readField(state, field, column) : state.fields.get(field);
    if (value === undefined) continue;
    const written = writeField(schema, { table, key, field, path: [] }, column, value);
    for (const instruction of written) instructions.push(instruction);
  }
  return instructions;
}

function sizeOf(instruction: Instruction): number {
  const value = 'value' in instruction ? instruction.value : undefined;
  if (value?.type !== 'string' && value?.type !== 'data') return INSTRUCTION_BYTES;
  return INSTRUCTION_BYTES + value.value.length;
}
