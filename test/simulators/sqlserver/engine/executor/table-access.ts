/** Reading a table: which isolation and hints apply, scans, and seeks in its indexes. */
import { type IsolationLevel, SqlFailure } from '../../contract.ts';
import type { Database } from '../storage/database.ts';
import type { Index } from '../storage/definition.ts';
import { keyResource, type Reader, visible } from '../storage/reading.ts';
import type { Table } from '../storage/table.ts';
import type { Data, Run } from './environment.ts';

/** What a statement does with the rows that it reads. */
export type Purpose = 'read' | 'write';

/** How the run reads the table. Begins the view of a SNAPSHOT transaction, since data are accessed now. */
export function readerFor(run: Run, table: Table, hints: readonly string[], purpose: Purpose): Reader {
  const { session, transaction } = run;
  const { locks } = session.instance;
  const common = { owner: session.owner, transaction, locks };
  if (table.temporary) {
    return { ...common, mode: 'dirty', commit: 0, lock: undefined, readPast: false, range: false };
  }
  const has = (name: string) => hints.includes(name);
  const database = session.instance.databaseOf(table) ?? run.database;
  locks.checkDefinition(session.owner, table);
  const isolation = isolationOf(run);
  const locking =
    has('HOLDLOCK') ||
    has('SERIALIZABLE') ||
    has('REPEATABLEREAD') ||
    has('READCOMMITTED') ||
    has('READCOMMITTEDLOCK') ||
    has('UPDLOCK') ||
    has('XLOCK') ||
    has('TABLOCK') ||
    has('TABLOCKX');
  if (isolation === 'snapshot') beginView(run, database, table);
  if (isolation === 'snapshot' && !locking) {
    return {
      ...common,
      mode: 'version',
      commit: transaction.snapshot!,
      lock: undefined,
      readPast: false,
      range: false,
    };
  }
  if (purpose === 'read' && !locking) {
    if (has('NOLOCK') || has('READUNCOMMITTED') || isolation === 'read uncommitted') {
      return { ...common, mode: 'dirty', commit: 0, lock: undefined, readPast: false, range: false };
    }
    if (isolation === 'read committed' && database.readCommittedSnapshot) {
      return {
        ...common,
        mode: 'version',
        commit: session.instance.commits,
        lock: undefined,
        readPast: false,
        range: false,
      };
    }
  }
  const range = has('HOLDLOCK') || has('SERIALIZABLE') || isolation === 'serializable';
  const shared = range || has('REPEATABLEREAD') || isolation === 'repeatable read';
  const lock = has('XLOCK') ? 'X' : has('UPDLOCK') || purpose === 'write' ? 'U' : shared ? 'S' : undefined;
  if (has('TABLOCKX')) locks.acquire(session.owner, table, 'X');
  else if (has('TABLOCK'))
    locks.acquire(session.owner, table, purpose === 'write' || lock === 'X' ? 'X' : 'S');
  return { ...common, mode: 'committed', commit: 0, lock, readPast: has('READPAST'), range };
}

/** A transaction that began as SNAPSHOT may read otherwise for a while, and then go back. */
export function isolationOf({ session, transaction }: Run): IsolationLevel {
  const { implicit, isolation } = transaction;
  return isolation === 'snapshot' && !implicit ? session.isolation : isolation;
}

/**
 * Views of the catalog and of what tracks changes, whose contents have no versions: a SNAPSHOT transaction may meet 3961
 * when anything was defined since it began to read. It always does here.
 */
export function requireSameCatalog(run: Run): void {
  const { transaction, database } = run;
  const { snapshot, implicit } = transaction;
  if (implicit || snapshot === undefined || isolationOf(run) !== 'snapshot') return;
  for (const table of database.tables.values()) if (table.definedAt > snapshot) throw changedSince(database);
}

/** 3952 and 3961, and the beginning of the view. */
export function beginView(run: Run, database: Database, table: Table | undefined): void {
  const { transaction, session } = run;
  if (!database.snapshotIsolation || session.instance.faults.snapshotOff) {
    throw new SqlFailure(
      3952,
      `Snapshot isolation transaction failed accessing database '${database.name}' because snapshot isolation is not allowed in this database. Use ALTER DATABASE to allow snapshot isolation.`,
    );
  }
  session.instance.beginSnapshot(transaction);
  if (table && table.definedAt > transaction.snapshot!) {
    throw changedSince(database);
  }
}

function changedSince(database: Database): SqlFailure {
  return new SqlFailure(
    3961,
    `Snapshot isolation transaction failed in database '${database.name}' because the object accessed by the statement has been modified by a DDL statement in another concurrent transaction since the start of this transaction.  It is disallowed because the metadata is not versioned. A concurrent update to metadata can lead to inconsistency if mixed with snapshot isolation.`,
    { rolledBack: true },
  );
}

/** All rows that the reader sees. */
export function scan(run: Run, table: Table, reader: Reader, remember: boolean): Data[] {
  if (reader.range) reader.locks.acquire(reader.owner, table, reader.lock ?? 'S');
  const found: Data[] = [];
  for (const row of table.rows.values()) {
    const data = visible(row, reader);
    if (!data) continue;
    if (remember) run.targets.set(data, row);
    found.push(data);
  }
  return found;
}

/** The rows with one key of an index. */
export function seek(
  run: Run,
  table: Table,
  index: Index,
  key: string,
  reader: Reader,
  remember: boolean,
  into: Data[],
): void {
  if (reader.range) {
    reader.locks.acquire(reader.owner, keyResource(table.id, index.id, key), reader.lock ?? 'S');
  }
  const hash = table.hash(index);
  for (const row of hash.find(key)) {
    const data = visible(row, reader);
    if (!data || hash.keyOf(data) !== key) continue;
    if (remember) run.targets.set(data, row);
    into.push(data);
  }
}
