/** Keeps the publication at exactly the wanted tables, and refuses tables whose changes could not be followed. */
import { type TableInfo, tableId } from '../../../src/connector/dialect.ts';
import { type Finding, failed, requireFine } from '../../../src/connector/finding.ts';
import { type ReplicaIdentity, readReplicaIdentities } from '../catalog.ts';
import { PostgresPrivilegeError, PostgresTableError } from '../errors.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { message } from '../preparation.ts';
import type { Session } from '../session.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';
import { publicationAltered } from './slot-errors.ts';

/** TRUNCATE is published since version 11, changes of partitions under their parent since 13. */
const TRUNCATE_VERSION = 110_000;
const PARTITION_ROOT_VERSION = 130_000;

/** Throws `PostgresTableError` with the statement that mends the first table of which updates or deletes would be lost. */
export async function checkReplicaIdentities(session: Session, tables: readonly TableInfo[]): Promise<void> {
  requireFine(await replicaIdentityFindings(session, tables));
}

/** A finding for each table of which updates or deletes would be lost. */
export async function replicaIdentityFindings(
  session: Session,
  tables: readonly TableInfo[],
): Promise<readonly Finding[]> {
  const names = tables.map(({ table }) => quoteTable(table));
  const identities = await readReplicaIdentities(session, names);
  return tables.flatMap((table, index) => {
    try {
      checkIdentity(table, names[index] ?? '', identities[index]);
      return [];
    } catch (error) {
      if (!(error instanceof PostgresTableError)) throw error;
      return [failed('tables/replica-identity', error)];
    }
  });
}

function checkIdentity(table: TableInfo, name: string, identity: ReplicaIdentity | undefined): void {
  if (identity === undefined) throw new PostgresTableError(`the table ${name} does not exist`);
  if (table.primaryKey.length === 0) {
    throw new PostgresTableError(`the table ${name} has no primary key, by which its rows would be known`, {
      remedy: `run ALTER TABLE ${name} ADD PRIMARY KEY (…), or leave the table out of the models`,
    });
  }
  if (identity.kind === 'nothing') {
    throw new PostgresTableError(
      `the table ${name} has REPLICA IDENTITY NOTHING: its updates and deletions are not logged`,
      {
        remedy: `run ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`,
      },
    );
  }
  if (identity.kind === 'deferrable') {
    // Publishing such a table would break the applications that write it.
    throw new PostgresTableError(
      `the primary key of ${name} is DEFERRABLE and so no replica identity: once the table is published, the server refuses every UPDATE and DELETE of it`,
      {
        remedy: `run ALTER TABLE ${name} REPLICA IDENTITY FULL (or USING INDEX with a unique index of the key), or make the key anew without DEFERRABLE`,
      },
    );
  }
  if (identity.kind === 'index' && !table.primaryKey.every((column) => identity.columns.includes(column))) {
    throw new PostgresTableError(
      `the replica identity of ${name} is an index without its primary key (${table.primaryKey.join(', ')})`,
      { remedy: `run ALTER TABLE ${name} REPLICA IDENTITY DEFAULT` },
    );
  }
}

/**
 * Creates or alters the publication. `followed` are the tables (by their ids) that the replicas rely on: when somebody
 * else took one of them out, or cut down what is published, changes were missed, and `PostgresFeedLostError` says so.
 * Throws `PostgresPrivilegeError` with the statement for a superuser to run.
 */
export async function ensurePublication(
  session: Session,
  name: string,
  tables: readonly TableInfo[],
  followed: readonly string[] = [],
): Promise<void> {
  const wanted = [...tables.map(({ table }) => table), CHECKPOINT_TABLE].map(quoteTable);
  const present = await readPublication(session, name);
  const list = wanted.join(', ');
  const create = async (): Promise<string> =>
    `CREATE PUBLICATION ${quoteIdentifier(name)} FOR TABLE ${list} WITH (${await options(session)})`;
  if (present === undefined) {
    await run(session, await create());
    return;
  }
  const altered = alterations(present, followed);
  if (altered.length > 0) throw publicationAltered(name, altered.join('; '));
  if (present.allTables) {
    // Such a publication cannot be altered into a list of tables; both in one step, so that none is ever missing.
    await run(
      session,
      `BEGIN; DROP PUBLICATION ${quoteIdentifier(name)}; ${await create()}; COMMIT`,
      'script',
    );
    return;
  }
  const { tables: published, cut } = present;
  const same = published.size === new Set(wanted).size && wanted.every((table) => published.has(table));
  if (!same || cut.length > 0)
    await run(session, `ALTER PUBLICATION ${quoteIdentifier(name)} SET TABLE ${list}`);
  if (!present.whole)
    await run(session, `ALTER PUBLICATION ${quoteIdentifier(name)} SET (${await options(session)})`);
}

/** What keeps changes of followed tables from being published, in words; empty when nothing does. */
export function alterations(present: Publication, followed: readonly string[]): readonly string[] {
  if (followed.length === 0) return [];
  const missing = followed.filter((id) => !present.allTables && !present.ids.has(id));
  const cut = present.cut.filter((id) => followed.includes(id));
  return [
    ...(present.whole ? [] : ['it does not publish every insert, update and delete']),
    ...(missing.length === 0 ? [] : [`it lacks ${missing.join(', ')}`]),
    ...(cut.length === 0 ? [] : [`it leaves out rows or columns of ${cut.join(', ')}`]),
  ];
}

async function options(session: Session): Promise<string> {
  const version = Number((await session.query("SELECT current_setting('server_version_num')"))[0]?.[0]);
  const truncate = version >= TRUNCATE_VERSION ? ', truncate' : '';
  const root = version >= PARTITION_ROOT_VERSION ? ', publish_via_partition_root = true' : '';
  return `publish = 'insert, update, delete${truncate}'${root}`;
}

export type Publication = {
  /** Quoted names of the published tables, and their ids. */
  readonly tables: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
  /** Publishes insertions, updates and deletions, those of partitions under their parent. */
  readonly whole: boolean;
  readonly allTables: boolean;
  /** Ids of tables with a row filter or a list of columns, since 15. */
  readonly cut: readonly string[];
};

const PUBLICATION = `SELECT n.nspname, c.relname,
    p.pubinsert AND p.pubupdate AND p.pubdelete AND coalesce((to_jsonb(p) ->> 'pubtruncate')::bool, true)
      AND coalesce((to_jsonb(p) ->> 'pubviaroot')::bool, true),
    p.puballtables, to_jsonb(r) ->> 'prqual' IS NOT NULL OR to_jsonb(r) ->> 'prattrs' IS NOT NULL
  FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
    LEFT JOIN pg_class c ON c.oid = r.prrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE p.pubname = $1`;

/** Undefined when there is no publication of that name. */
export async function readPublication(session: Session, name: string): Promise<Publication | undefined> {
  const rows = await session.query(PUBLICATION, [name]);
  if (rows.length === 0) return undefined;
  const tables = rows.flatMap(([schema, table, , , cut]) =>
    schema == null || table == null ? [] : [{ table: { schema, name: table }, cut: cut === 't' }],
  );
  return {
    tables: new Set(tables.map(({ table }) => quoteTable(table))),
    ids: new Set(tables.map(({ table }) => tableId(table))),
    whole: rows[0]?.[2] === 't',
    allTables: rows[0]?.[3] === 't',
    cut: tables.filter(({ cut }) => cut).map(({ table }) => tableId(table)),
  };
}

export async function publicationExists(session: Session, name: string): Promise<boolean> {
  return (await session.query('SELECT FROM pg_publication WHERE pubname = $1', [name])).length > 0;
}

export async function dropPublication(session: Session, name: string): Promise<void> {
  await run(session, `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`);
}

async function run(
  session: Session,
  statement: string,
  kind: 'statement' | 'script' = 'statement',
): Promise<void> {
  try {
    if (kind === 'script') await session.script(statement);
    else await session.query(statement);
  } catch (cause) {
    if (kind === 'script') await session.script('ROLLBACK').catch(() => {});
    throw new PostgresPrivilegeError(`the publication cannot be made or changed: ${message(cause)}`, {
      remedy: `make the user the owner of the tables and GRANT CREATE on the database to it, or run as a superuser: ${statement}`,
      cause,
    });
  }
}
