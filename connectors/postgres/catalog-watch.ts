/** What tells that somebody changed the tables: fingerprints of pg_catalog, and the faults of single tables. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CatalogWatch, TableInfo, TableName, TableVersion } from '../../src/connector/dialect.ts';
import { tableId } from '../../src/connector/dialect.ts';
import type { UseSession } from '../../src/connector/lasting-session.ts';
import type { Logger } from '../../src/log.ts';
import { PostgresPrivilegeError, PostgresTableError } from './errors.ts';
import { checkReplicaIdentities } from './feed/publication.ts';
import { checkTablePrivileges } from './preparation.ts';
import type { Session } from './session.ts';
import { sqlStateOf } from './sql-state.ts';
import { quoteTable } from './sql-text.ts';

/** Where the tables are, and what the feed is called. */
export type WatchedPlace = { readonly schema: string; readonly feedName: string; readonly logger: Logger };

/** Tables with their partitions of all levels; a table that is no partition is its own root. */
const TREE = `WITH RECURSIVE tree (root, oid) AS (
    SELECT c.oid, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
      JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
  )`;

/** Everything that decides how a table is mapped or followed, as one short text. */
const VERSION = `${TREE}, roots AS (SELECT root FROM tree WHERE root = oid)
  SELECT md5(concat_ws('|',
    (SELECT string_agg(concat_ws(' ', t.root, t.oid, c.relname, c.relreplident), ',' ORDER BY t.root, t.oid)
       FROM tree t JOIN pg_class c ON c.oid = t.oid),
    (SELECT string_agg(concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
         a.atthasdef, a.attidentity, to_jsonb(a) ->> 'attgenerated'), ',' ORDER BY a.attrelid, a.attnum)
       FROM pg_attribute a JOIN roots r ON r.root = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped),
    (SELECT string_agg(concat_ws(' ', i.indexrelid, i.indkey, i.indisprimary, i.indisreplident), ',' ORDER BY i.indexrelid)
       FROM pg_index i JOIN roots r ON r.root = i.indrelid WHERE i.indisprimary OR i.indisreplident),
    (SELECT string_agg(concat_ws(' ', o.oid, o.conrelid, o.confrelid, o.conkey, o.confkey), ',' ORDER BY o.oid)
       FROM pg_constraint o JOIN roots r ON r.root = o.conrelid WHERE o.contype = 'f'),
    (SELECT string_agg(to_jsonb(p)::text, ',' ORDER BY p.oid) FROM pg_publication p WHERE p.pubname = $2),
    (SELECT string_agg(to_jsonb(m)::text, ',' ORDER BY m.prrelid) FROM pg_publication_rel m
       JOIN pg_publication p ON p.oid = m.prpubid WHERE p.pubname = $2)))`;

const TABLES = `${TREE}
  SELECT c.relname, c.oid,
    (SELECT json_object_agg(a.attname, concat_ws(' ', a.attnum, a.atttypid, a.atttypmod))
       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT json_object_agg(t.oid, CASE WHEN pg_relation_size(t.oid) > 0 THEN 'filled' ELSE 'empty' END)
       FROM tree t WHERE t.root = c.oid AND t.oid <> c.oid),
    (SELECT concat_ws(' ', to_jsonb(m), p.pubinsert, p.pubupdate, p.pubdelete)
       FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid
       WHERE p.pubname = $2 AND m.prrelid = c.oid)
  FROM tree r JOIN pg_class c ON c.oid = r.root WHERE r.root = r.oid`;

/** Transactions that hold the lock of writers on a table or one of its partitions. */
const WRITERS = `SELECT DISTINCT l.virtualtransaction, l.pid FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.mode = 'RowExclusiveLock' AND l.granted AND l.relation IN (
      WITH RECURSIVE part (oid) AS (
        SELECT to_regclass($1)::oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part p ON p.oid = i.inhparent
      ) SELECT oid FROM part)`;

const WRITERS_POLL_MS = 100;
const WRITERS_WARNING_MS = 5_000;

/**
 * 42 what a statement names is not there or of another type, 22 a value does not fit, 0A000 a prepared statement whose
 * result has other columns now, 23502 a column must be given now, 3F000 the schema is gone.
 */
const CAUSED_BY_CHANGE = /^(42|22|0A000$|23502$|3F000$)/;
const PRIVILEGE = '42501';

export class PostgresCatalogWatch implements CatalogWatch {
  readonly #place: WatchedPlace;
  readonly #with: UseSession<Session>;

  /** `using` lends a session for the time of a call. */
  constructor(place: WatchedPlace, using: UseSession<Session>) {
    this.#place = place;
    this.#with = using;
  }

  async version(): Promise<string> {
    const { schema, feedName } = this.#place;
    const [row] = await this.#with('looking for changes of the tables', async (session) => {
      const { rows } = await session.prepared(VERSION, [schema, feedName]);
      return rows;
    });
    return row?.[0] ?? '';
  }

  async tableVersions(): Promise<ReadonlyMap<string, TableVersion>> {
    const { schema, feedName } = this.#place;
    const rows = await this.#with('reading the versions of the tables', (session) =>
      session.query(TABLES, [schema, feedName]),
    );
    return new Map(
      rows.map(([name, oid, columns, parts, followed]): [string, TableVersion] => [
        tableId({ schema, name: name ?? '' }),
        {
          identity: oid ?? '',
          columns: JSON.parse(columns ?? '{}'),
          parts: JSON.parse(parts ?? '{}'),
          ...(followed == null ? {} : { followed }),
        },
      ]),
    );
  }

  async faults(tables: readonly TableInfo[]): Promise<ReadonlyMap<string, Error>> {
    return this.#with('checking the tables', async (session) => {
      const faults = new Map<string, Error>();
      if ((await faultOf(session, tables)) === undefined) return faults;
      for (const table of tables) {
        const fault = await faultOf(session, [table]);
        if (fault !== undefined) faults.set(tableId(table.table), fault);
      }
      return faults;
    });
  }

  async writersDone(table: TableName, signal: AbortSignal): Promise<void> {
    const read = (): Promise<readonly (readonly (string | null)[])[]> =>
      this.#with('looking for writers of a table', (session) => session.query(WRITERS, [quoteTable(table)]));
    const waitedFor = new Set((await read()).map(([transaction]) => transaction));
    const started = Date.now();
    let told = false;
    while (waitedFor.size > 0) {
      await delay(WRITERS_POLL_MS, undefined, { signal });
      const present = await read();
      const names = new Set(present.map(([transaction]) => transaction));
      for (const transaction of waitedFor) if (!names.has(transaction)) waitedFor.delete(transaction);
      if (told || Date.now() - started < WRITERS_WARNING_MS) continue;
      told = true;
      this.#place.logger.warn('Comparing a table waits for transactions that were writing to it', {
        table: tableId(table),
        pids: present.filter(([transaction]) => waitedFor.has(transaction ?? '')).map(([, pid]) => pid),
        remedy:
          'end old transactions: SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start',
      });
    }
  }

  mayBeCausedByChange(error: unknown): boolean {
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
      const state = sqlStateOf(cause);
      if (state !== undefined && state !== PRIVILEGE && CAUSED_BY_CHANGE.test(state)) return true;
    }
    return false;
  }
}

async function faultOf(session: Session, tables: readonly TableInfo[]): Promise<Error | undefined> {
  try {
    await checkReplicaIdentities(session, tables);
    await checkTablePrivileges(session, tables);
    return undefined;
  } catch (error) {
    if (error instanceof PostgresTableError || error instanceof PostgresPrivilegeError) return error;
    throw error;
  }
}
