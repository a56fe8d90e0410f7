/** Keeps the publication at exactly the wanted tables, and refuses tables whose changes could not be followed. */
import type { TableInfo } from '../../../src/connector/dialect.ts';
import { type ReplicaIdentity, readReplicaIdentities } from '../catalog.ts';
import { PostgresPrivilegeError, PostgresTableError } from '../errors.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { message } from '../preparation.ts';
import type { Session } from '../session.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';

/** TRUNCATE is published since version 11, changes of partitions under their parent since 13. */
const TRUNCATE_VERSION = 110_000;
const PARTITION_ROOT_VERSION = 130_000;

/** Throws `PostgresTableError` with the statement that mends the first table of which updates or deletes would be lost. */
export async function checkReplicaIdentities(session: Session, tables: readonly TableInfo[]): Promise<void> {
  const names = tables.map(({ table }) => quoteTable(table));
  const identities = await readReplicaIdentities(session, names);
  tables.forEach((table, index) => {
    checkIdentity(table, names[index] ?? '', identities[index]);
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
  if (identity.kind === 'index' && !table.primaryKey.every((column) => identity.columns.includes(column))) {
    throw new PostgresTableError(
      `the replica identity of ${name} is an index without its primary key (${table.primaryKey.join(', ')})`,
      { remedy: `run ALTER TABLE ${name} REPLICA IDENTITY DEFAULT` },
    );
  }
}

/** Creates or alters the publication. Throws `PostgresPrivilegeError` with the statement for a superuser to run. */
export async function ensurePublication(
  session: Session,
  name: string,
  tables: readonly TableInfo[],
): Promise<void> {
  const wanted = [...tables.map(({ table }) => table), CHECKPOINT_TABLE].map(quoteTable);
  const present = await publishedTables(session, name);
  const list = wanted.join(', ');
  if (present === undefined) {
    await run(
      session,
      `CREATE PUBLICATION ${quoteIdentifier(name)} FOR TABLE ${list} WITH (${await options(session)})`,
    );
    return;
  }
  const { tables: published, whole } = present;
  const same = published.size === new Set(wanted).size && wanted.every((table) => published.has(table));
  if (!same) await run(session, `ALTER PUBLICATION ${quoteIdentifier(name)} SET TABLE ${list}`);
  if (!whole)
    await run(session, `ALTER PUBLICATION ${quoteIdentifier(name)} SET (${await options(session)})`);
}

async function options(session: Session): Promise<string> {
  const version = Number((await session.query("SELECT current_setting('server_version_num')"))[0]?.[0]);
  const truncate = version >= TRUNCATE_VERSION ? ', truncate' : '';
  const root = version >= PARTITION_ROOT_VERSION ? ', publish_via_partition_root = true' : '';
  return `publish = 'insert, update, delete${truncate}'${root}`;
}

async function publishedTables(
  session: Session,
  name: string,
): Promise<{ tables: ReadonlySet<string>; whole: boolean } | undefined> {
  const rows = await session.query(
    `SELECT n.nspname, c.relname, p.pubinsert AND p.pubupdate AND p.pubdelete FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
       LEFT JOIN pg_class c ON c.oid = r.prrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.pubname = $1`,
    [name],
  );
  if (rows.length === 0) return undefined;
  const tables = rows.flatMap(([schema, table]) =>
    schema == null || table == null ? [] : [quoteTable({ schema, name: table })],
  );
  return { tables: new Set(tables), whole: rows[0]?.[2] === 't' };
}

export async function publicationExists(session: Session, name: string): Promise<boolean> {
  return (await session.query('SELECT FROM pg_publication WHERE pubname = $1', [name])).length > 0;
}

export async function dropPublication(session: Session, name: string): Promise<void> {
  await run(session, `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`);
}

async function run(session: Session, statement: string): Promise<void> {
  try {
    await session.query(statement);
  } catch (cause) {
    throw new PostgresPrivilegeError(`the publication cannot be made or changed: ${message(cause)}`, {
      remedy: `make the user the owner of the tables and GRANT CREATE on the database to it, or run as a superuser: ${statement}`,
      cause,
    });
  }
}
