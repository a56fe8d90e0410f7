/** Reads whole tables in key order under one snapshot, through COPY, which is several times faster than cursors. */
import copyStreams from 'pg-copy-streams';
import type { SnapshotReader, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { PostgresQueryError } from '../errors.ts';
import type { Session } from '../session.ts';
import { classOfFailure } from '../sql-state.ts';
import { castType, quoteIdentifier, quoteLiteral, quoteTable } from '../sql-text.ts';
import { columnOf } from '../writer/set-statements.ts';
import { type CopyRow, CopyTextParser } from './copy-text.ts';
import { SnapshotVisibility } from './visibility.ts';

/** One store transaction of the loader each: large enough to spread its cost, small enough to hold. */
const BATCH_ROWS = 5_000;
const BATCH_BYTES = 1024 * 1024;
/** How much COPY may be ahead of what is asked for. */
const READ_AHEAD_BYTES = 256 * 1024;

export class PostgresSnapshotReader implements SnapshotReader {
  readonly #session: Session;
  readonly #visibility: SnapshotVisibility;
  /** A COPY that was not read to its end; nothing else can be asked of the connection. */
  #copying = false;

  private constructor(session: Session, visibility: SnapshotVisibility) {
    this.#session = session;
    this.#visibility = visibility;
  }

  /**
   * Takes the session over and closes it. `exported` names a snapshot that another connection holds, which may end
   * as soon as this resolves.
   */
  static async open(session: Session, exported?: string): Promise<PostgresSnapshotReader> {
    try {
      await session.script('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      if (exported !== undefined) await session.script(`SET TRANSACTION SNAPSHOT ${quoteLiteral(exported)}`);
      // The older function of the two exists on every version.
      const [row] = await session.query('SELECT txid_current_snapshot()::text');
      return new PostgresSnapshotReader(session, new SnapshotVisibility(row?.[0] ?? ''));
    } catch (cause) {
      await session.close();
      throw readError('opening a snapshot', cause);
    }
  }

  get visibility(): string {
    return this.#visibility.text;
  }

  includes(transaction: string): boolean {
    return this.#visibility.includes(transaction);
  }

  /** From the planner's statistics, partitions included; without statistics from the size of the files. */
  async estimate(table: TableInfo): Promise<number> {
    try {
      const [row] = await this.#session.query(
        `WITH RECURSIVE part (oid) AS (
           SELECT $1::regclass::oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part p ON p.oid = i.inhparent
         )
         SELECT coalesce(sum(CASE WHEN c.relkind = 'p' THEN 0 WHEN c.reltuples > 0 THEN c.reltuples
           ELSE pg_relation_size(c.oid) / ${TYPICAL_ROW_BYTES} END), 0)::bigint
         FROM part p JOIN pg_class c ON c.oid = p.oid`,
        [quoteTable(table.table)],
      );
      return Number(row?.[0] ?? 0);
    } catch (cause) {
      throw readError(`estimating the rows of ${tableId(table.table)}`, cause);
    }
  }

  async *rows(
    table: TableInfo,
    columns: readonly string[],
    after: readonly string[] | undefined,
  ): AsyncGenerator<readonly CopyRow[]> {
    const copy = this.#session.client.query(
      copyStreams.to(copyText(table, columns, after), { highWaterMark: READ_AHEAD_BYTES }),
    );
    this.#copying = true;
    const parser = new CopyTextParser();
    let batch: CopyRow[] = [];
    let bytes = 0;
    try {
      for await (const chunk of copy as AsyncIterable<Buffer>) {
        parser.push(chunk, batch);
        bytes += chunk.length;
        if (batch.length < BATCH_ROWS && bytes < BATCH_BYTES) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
    } catch (cause) {
      throw readError(`reading ${tableId(table.table)}`, cause);
    }
    this.#copying = false;
    if (parser.incomplete)
      throw new PostgresQueryError(`the rows of ${tableId(table.table)} ended in the midst of one`);
    if (batch.length > 0) yield batch;
  }

  async close(): Promise<void> {
    if (this.#copying) this.#session.destroy();
    else await this.#session.close();
  }
}

const TYPICAL_ROW_BYTES = 100;

/**
 * The key columns are compared in the order in which `columns` names them, which is that of `after`: a class may
 * order the parts of a compound key otherwise than the table.
 */
function copyText(
  table: TableInfo,
  columns: readonly string[],
  after: readonly string[] | undefined,
): string {
  const key = columns.filter((column) => table.primaryKey.includes(column));
  const names = key.map(quoteIdentifier).join(', ');
  const select = `SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${quoteTable(table.table)}`;
  const order = key.length === 0 ? '' : ` ORDER BY ${names}`;
  const from = after === undefined ? '' : ` WHERE (${names}) > (${literals(table, key, after)})`;
  return `COPY (${select}${from}${order}) TO STDOUT`;
}

function literals(table: TableInfo, key: readonly string[], texts: readonly SqlText[]): string {
  if (key.length !== texts.length) {
    throw new PostgresQueryError(`the place to go on in ${tableId(table.table)} does not fit its key`, {
      remedy: 'the key of the table was changed during the load: load anew with resetPostgresReplicationSlot',
    });
  }
  return key
    .map((name, index) => `${quoteLiteral(texts[index] ?? '')}::${castType(columnOf(table, name))}`)
    .join(', ');
}

function readError(doing: string, cause: unknown): PostgresQueryError {
  if (cause instanceof PostgresQueryError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PostgresQueryError(`${doing} failed: ${reason}`, { cause, errorClass: classOfFailure(cause) });
}
