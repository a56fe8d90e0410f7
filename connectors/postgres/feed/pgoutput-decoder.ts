/**
 * Decodes the messages of the `pgoutput` plugin, protocol version 1 (PostgreSQL documentation, "Logical Replication
 * Message Formats"), into feed events. Values stay texts.
 *
 * `begin.position` is the LSN of the transaction's commit record, `commit.position` the end of that record: the
 * latter is what may be confirmed, and equals the beginning of whatever comes next in the log.
 */
import {
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  type Position,
  UNCHANGED,
} from '../../../src/connector/dialect.ts';
import { formatLsn } from '../lsn.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { ByteCursor, damaged } from './byte-cursor.ts';

const BEGIN = 0x42;
const COMMIT = 0x43;
const RELATION = 0x52;
const INSERT = 0x49;
const UPDATE = 0x55;
const DELETE = 0x44;
const TRUNCATE = 0x54;
/** Type, origin and logical message: nothing in them concerns us. */
const IGNORED: ReadonlySet<number> = new Set([0x59, 0x4f, 0x4d]);

const NEW_TUPLE = 0x4e;
const OLD_TUPLE = 0x4f;
const KEY_TUPLE = 0x4b;
const NULL_VALUE = 0x6e;
const UNCHANGED_VALUE = 0x75;
const TEXT_VALUE = 0x74;

/** Microseconds from 1970 to 2000, where the server's clock begins. */
const POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000n;

type Relation = {
  readonly table: FeedTable;
  /** Per column, whether it belongs to the replica identity. */
  readonly identity: readonly boolean[];
  /** Places of the columns of the checkpoint table, when it is that. */
  readonly checkpoint: { adapter: number; realm: number; sequence: number } | undefined;
};

type State = 'outside' | 'delivering' | 'skipping';

export class PgOutputDecoder {
  readonly #cursor = new ByteCursor();
  readonly #relations = new Map<number, Relation>();
  readonly #adapterName: string;
  readonly #after: bigint;
  #state: State = 'outside';

  /** Transactions whose commit ends at or before `after` are not delivered. */
  constructor(adapterName: string, after: bigint) {
    this.#adapterName = adapterName;
    this.#after = after;
  }

  get insideTransaction(): boolean {
    return this.#state !== 'outside';
  }

  /** Appends the events of one message to `out`. Throws `PostgresFeedError` on bytes that are none. */
  decode(buffer: Buffer, start: number, end: number, out: FeedEvent[]): void {
    this.#cursor.reset(buffer, start, end);
    const type = this.#cursor.uint8();
    switch (type) {
      case BEGIN:
        this.#begin(out);
        return;
      case COMMIT:
        this.#commit(out);
        return;
      case RELATION:
        this.#relation();
        return;
      case INSERT:
      case UPDATE:
      case DELETE:
      case TRUNCATE:
        if (this.#state === 'outside') throw damaged('a change stands outside a transaction');
        if (this.#state === 'skipping') return;
        if (type === TRUNCATE) this.#truncate(out);
        else this.#change(type, out);
        return;
      default:
        if (!IGNORED.has(type)) throw damaged(`unknown type ${type}`);
    }
  }

  #begin(out: FeedEvent[]): void {
    if (this.#state !== 'outside') throw damaged('a transaction begins inside another');
    const position = this.#cursor.uint64();
    this.#cursor.skip(8);
    const transaction = String(this.#cursor.uint32());
    // A commit record that begins before `after` ends there or earlier.
    if (position < this.#after) {
      this.#state = 'skipping';
      return;
    }
    this.#state = 'delivering';
    out.push({ kind: 'begin', transaction, position: lsnText(position) });
  }

  #commit(out: FeedEvent[]): void {
    if (this.#state === 'outside') throw damaged('a transaction ends that did not begin');
    this.#cursor.skip(1 + 8);
    const position = lsnText(this.#cursor.uint64());
    const committedAt = new Date(Number((this.#cursor.int64() + POSTGRES_EPOCH_MICROSECONDS) / 1000n));
    if (this.#state === 'delivering') out.push({ kind: 'commit', position, committedAt });
    this.#state = 'outside';
  }

  #relation(): void {
    const oid = this.#cursor.uint32();
    const table = {
      schema: this.#cursor.zeroTerminated() || 'pg_catalog',
      name: this.#cursor.zeroTerminated(),
    };
    this.#cursor.skip(1);
    const count = this.#cursor.uint16();
    const columns: string[] = [];
    const identity: boolean[] = [];
    for (let index = 0; index < count; index += 1) {
      identity.push((this.#cursor.uint8() & 1) === 1);
      columns.push(this.#cursor.zeroTerminated());
      this.#cursor.skip(4 + 4);
    }
    const own = table.schema === CHECKPOINT_TABLE.schema && table.name === CHECKPOINT_TABLE.name;
    const known = this.#relations.get(oid)?.table;
    this.#relations.set(oid, {
      // The same object as long as nothing changed, so that readers can keep what they know by it.
      table: known !== undefined && sameTable(known, table, columns) ? known : { table, columns },
      identity,
      checkpoint: own
        ? {
            adapter: columns.indexOf('adapter'),
            realm: columns.indexOf('realm'),
            sequence: columns.indexOf('sequence'),
          }
        : undefined,
    });
  }

  #change(type: number, out: FeedEvent[]): void {
    const relation = this.#relationOf(this.#cursor.uint32());
    let marker = this.#cursor.uint8();
    let old: FeedValue[] | undefined;
    const full = marker === OLD_TUPLE;
    if (type !== INSERT && (full || marker === KEY_TUPLE)) {
      old = this.#tuple(relation);
      // Of a key tuple the other columns come as NULL without being it.
      if (!full) hideAllButIdentity(old, relation.identity);
      if (type === UPDATE) marker = this.#cursor.uint8();
    }
    const { table, checkpoint } = relation;
    if (type === DELETE) {
      if (old === undefined) throw damaged('a deletion has no old row');
      if (checkpoint === undefined) out.push({ kind: 'change', change: { kind: 'delete', table, old } });
      return;
    }
    if (marker !== NEW_TUPLE) throw damaged('a change has no new row');
    const row = this.#tuple(relation);
    if (checkpoint !== undefined) {
      this.#ownTransaction(row, checkpoint, out);
    } else if (type === INSERT) {
      out.push({ kind: 'change', change: { kind: 'insert', table, row } });
    } else {
      if (full && old !== undefined) takeUnchangedFrom(old, row);
      out.push({ kind: 'change', change: { kind: 'update', table, row, old } });
    }
  }

  #ownTransaction(
    row: readonly FeedValue[],
    places: NonNullable<Relation['checkpoint']>,
    out: FeedEvent[],
  ): void {
    const realmPath = row[places.realm];
    const sequence = row[places.sequence];
    // Another connector's transactions are foreign to this one.
    if (row[places.adapter] !== this.#adapterName) return;
    if (typeof realmPath !== 'string' || typeof sequence !== 'string')
      throw damaged('a checkpoint is incomplete');
    out.push({ kind: 'own', checkpoint: { realmPath, sequence: Number(sequence) } });
  }

  #truncate(out: FeedEvent[]): void {
    const count = this.#cursor.uint32();
    this.#cursor.skip(1);
    const tables: FeedTable[] = [];
    for (let index = 0; index < count; index += 1) {
      const relation = this.#relationOf(this.#cursor.uint32());
      if (relation.checkpoint === undefined) tables.push(relation.table);
    }
    if (tables.length > 0) out.push({ kind: 'change', change: { kind: 'truncate', tables } });
  }

  #relationOf(oid: number): Relation {
    const relation = this.#relations.get(oid);
    if (relation === undefined) throw damaged(`it names the unknown table ${oid}`);
    return relation;
  }

  #tuple({ table }: Relation): FeedValue[] {
    const cursor = this.#cursor;
    const count = cursor.uint16();
    if (count !== table.columns.length)
      throw damaged(`a row has ${count} of ${table.columns.length} columns`);
    const values = new Array<FeedValue>(count);
    for (let index = 0; index < count; index += 1) {
      switch (cursor.uint8()) {
        case TEXT_VALUE:
          values[index] = cursor.text(cursor.uint32());
          break;
        case NULL_VALUE:
          values[index] = null;
          break;
        case UNCHANGED_VALUE:
          values[index] = UNCHANGED;
          break;
        default:
          throw damaged('a value is of an unknown kind');
      }
    }
    return values;
  }
}

function hideAllButIdentity(old: FeedValue[], identity: readonly boolean[]): void {
  for (let index = 0; index < old.length; index += 1) {
    if (identity[index] !== true) old[index] = UNCHANGED;
  }
}

function takeUnchangedFrom(old: readonly FeedValue[], row: FeedValue[]): void {
  for (let index = 0; index < row.length; index += 1) {
    if (row[index] === UNCHANGED) row[index] = old[index] ?? null;
  }
}

function sameTable(known: FeedTable, table: FeedTable['table'], columns: readonly string[]): boolean {
  return (
    known.table.schema === table.schema &&
    known.table.name === table.name &&
    known.columns.length === columns.length &&
    known.columns.every((column, index) => column === columns[index])
  );
}

function lsnText(lsn: bigint): Position {
  return formatLsn(Number(lsn >> 32n), Number(lsn & 0xffff_ffffn));
}
