/** Rows of one moment, read over a connection of its own in one SNAPSHOT transaction. */
import type { SnapshotReader, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { textReader } from '../column-text.ts';
import { classOfFailure } from '../error-numbers.ts';
import { SqlServerError, SqlServerQueryError } from '../errors.ts';
import { trackingOffForSnapshot } from '../feed/feed-errors.ts';
import { versionFrom } from '../feed/version.ts';
import { shortText } from '../parameters.ts';
import type { Session } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { CURRENT_VERSION, ESTIMATE, FIRST_READ, readRows } from './snapshot-statements.ts';

export class SqlServerSnapshotReader implements SnapshotReader {
  readonly #session: Session;
  /** What was committed up to it is shown; the snapshot may show later commits, too. */
  readonly version: bigint;

  private constructor(session: Session, version: bigint) {
    this.#session = session;
    this.version = version;
  }

  /** Takes the session over, and closes it when no snapshot can be had. */
  static async open(session: Session): Promise<SqlServerSnapshotReader> {
    try {
      // Before the transaction: what is committed by then, its snapshot shows.
      const [row] = await session.query(CURRENT_VERSION);
      const version = versionFrom(row?.[0]);
      if (version === undefined) throw trackingOffForSnapshot(row?.[1] ?? '');
      await session.begin('snapshot');
      await session.query(FIRST_READ);
      return new SqlServerSnapshotReader(session, version);
    } catch (cause) {
      await session.close();
      throw readError('opening a snapshot', cause);
    }
  }

  get visibility(): string {
    return this.version.toString();
  }

  includes(transaction: string): boolean {
    return snapshotIncludes(this.visibility, transaction);
  }

  async estimate(table: TableInfo): Promise<number> {
    try {
      const [row] = await this.#session.query(ESTIMATE, [shortText('table', quoteTable(table.table))]);
      return Number(row?.[0] ?? 0);
    } catch (cause) {
      throw readError(`estimating the rows of ${tableId(table.table)}`, cause);
    }
  }

  async *rows(
    table: TableInfo,
    columns: readonly string[],
    after: readonly string[] | undefined,
  ): AsyncGenerator<readonly (readonly SqlText[])[]> {
    const { text, parameters } = readRows(table, columns, after);
    const readers = columns.map((name) => {
      const column = table.columns.find((each) => each.name === name);
      if (column === undefined) throw new RangeError(`no column ${name}`); // refused above
      return textReader(column);
    });
    try {
      for await (const rows of this.#session.rows(text, parameters))
        yield rows.map((row) => readers.map((reader, place) => reader(row[place])));
    } catch (cause) {
      throw readError(`reading ${tableId(table.table)}`, cause);
    }
  }

  async close(): Promise<void> {
    await this.#session.rollback();
    await this.#session.close();
  }
}

/** Whether a snapshot showed the transaction with this version. */
export function snapshotIncludes(visibility: string, transaction: string): boolean {
  return BigInt(transaction) <= BigInt(visibility);
}

function readError(doing: string, cause: unknown): SqlServerError {
  if (cause instanceof SqlServerError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SqlServerQueryError(`${doing} failed: ${reason}`, {
    cause,
    errorClass: classOfFailure(cause) === 'transient' ? 'transient' : 'fatal',
  });
}
