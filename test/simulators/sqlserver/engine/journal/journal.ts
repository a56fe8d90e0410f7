/**
 * The record of commits on disk: one line a transaction, written and flushed before anybody hears of the commit. At a
 * start the lines are replayed and written anew in short form. A line that a crash cut off was never acknowledged.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Access } from '../catalog/access.ts';
import { compileFilter } from '../executor/table-expressions.ts';
import { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { CommitLog, Instance } from '../storage/instance.ts';
import type { Table } from '../storage/table.ts';
import type { Change } from '../storage/transaction.ts';
import { Replay } from './reading.ts';
import type { CommitRecord, JournalRecord } from './records.ts';
import { encodeRow } from './values.ts';
import { databaseRecord, rowsRecord, serverRecord, tableRecord, trackedRecord } from './writing.ts';

const FILE = 'journal.jsonl';
/** Rows of a table are written in pieces of this many, so that no line grows beyond what a string can hold. */
const ROWS_IN_A_LINE = 20_000;

export class Journal implements CommitLog {
  readonly #instance: Instance;
  #file: number | undefined;

  constructor(directory: string, instance: Instance) {
    this.#instance = instance;
    mkdirSync(directory, { recursive: true });
    const path = join(directory, FILE);
    if (existsSync(path)) replay(path, instance);
    const fresh = `${path}.new`;
    const file = openSync(fresh, 'w');
    for (const records of wholeState(instance)) writeSync(file, `${JSON.stringify(records)}\n`);
    fsyncSync(file);
    renameSync(fresh, path);
    flushDirectory(directory);
    this.#file = file;
  }

  append(
    commit: number,
    time: number,
    changes: readonly Change[],
    versions: ReadonlyMap<Database, number>,
  ): void {
    const records = transactionRecords(this.#instance, commit, time, changes, versions);
    if (records.length > 0) this.#write(records);
  }

  maintained(kind: 'cleanup' | 'restore', database: string, version: number): void {
    this.#write([{ k: kind, name: database, version }]);
  }

  #write(records: readonly JournalRecord[]): void {
    if (this.#file === undefined)
      throw new Error('The journal is closed: nothing can be committed any more.');
    writeSync(this.#file, `${JSON.stringify(records)}\n`);
    fdatasyncSync(this.#file);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function flushDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function replay(path: string, instance: Instance): void {
  const state = new Replay(instance);
  const lines = readFileSync(path, 'utf8').split('\n');
  // What stands after the last line break was cut off.
  for (const line of lines.slice(0, -1)) {
    for (const record of JSON.parse(line) as readonly JournalRecord[]) state.apply(record);
  }
  state.finish((table, database, index) => {
    const { filter } = index;
    table.buildIndex(
      index,
      filter === undefined ? undefined : compileFilter(systemSession(instance, database), table, filter),
    );
  });
}

/** Filters are compiled for a session; this one belongs to nobody. */
function systemSession(instance: Instance, database: Database): Session {
  const login = {
    name: 'sa',
    password: '',
    sid: new Uint8Array(16),
    principalId: 1,
    disabled: true,
    defaultDatabase: 'master',
    roles: new Set(['sysadmin']),
    permissions: new Set<string>(),
  };
  return new Session(instance, 0, login, database, { host: '', program: '' }, (one) => new Access(one));
}

function* wholeState(instance: Instance): Iterable<readonly JournalRecord[]> {
  yield [serverRecord(instance, instance.commits)];
  for (const database of instance.databases.values()) {
    const { tracking } = database;
    yield [databaseRecord(database)];
    if (tracking) {
      const commits = tracking.commits.map(({ commit, version, time }) => [commit, version, time] as const);
      yield [{ k: 'commits', database: database.id, commits }];
    }
    for (const table of database.tables.values()) {
      yield [tableRecord(database, table)];
      yield* rowPieces(database, table);
      if (table.tracking) yield [trackedRecord(database, table, table.tracking)];
    }
  }
}

/** All rows, in pieces. */
function* rowPieces(database: Database, table: Table): Iterable<readonly JournalRecord[]> {
  const whole = rowsRecord(database, table);
  if (whole.k !== 'rows') return;
  for (let at = 0; at < whole.rows.length; at += ROWS_IN_A_LINE) {
    yield [{ ...whole, rows: whole.rows.slice(at, at + ROWS_IN_A_LINE), more: at > 0 }];
  }
}

function transactionRecords(
  instance: Instance,
  commit: number,
  time: number,
  changes: readonly Change[],
  versions: ReadonlyMap<Database, number>,
): JournalRecord[] {
  const databases = new Set<Database>();
  const tables = new Map<Table, Database>();
  const rewritten = new Set<Table>();
  for (const change of changes) {
    if (change.kind !== 'definition' || !change.database) continue;
    databases.add(change.database);
    if (change.table && !change.table.temporary) tables.set(change.table, change.database);
    if (change.table && change.rewritten) rewritten.add(change.table);
  }
  const records: JournalRecord[] = databases.size > 0 ? [serverRecord(instance, commit)] : [];
  for (const database of databases) {
    const present = instance.database(database.name) === database;
    records.push(present ? databaseRecord(database) : { k: 'noDatabase', id: database.id });
  }
  for (const [table, database] of tables) {
    const present = database.tableById(table.id) === table;
    records.push(
      present ? tableRecord(database, table) : { k: 'noTable', database: database.id, id: table.id },
    );
    if (present && rewritten.has(table)) records.push(rowsRecord(database, table));
  }
  const rows = commitRecord(instance, commit, time, changes, versions, rewritten);
  if (rows.changes.length > 0 || rows.versions.length > 0) records.push(rows);
  return records;
}

function commitRecord(
  instance: Instance,
  commit: number,
  time: number,
  changes: readonly Change[],
  versions: ReadonlyMap<Database, number>,
  rewritten: ReadonlySet<Table>,
): CommitRecord {
  const written: CommitRecord['changes'][number][] = [];
  const touched = new Map<Table, Database>();
  for (const change of changes) {
    if (change.kind !== 'row' || change.table.temporary || rewritten.has(change.table)) continue;
    const database = instance.databaseOf(change.table);
    if (!database) continue;
    touched.set(change.table, database);
    const { table, row, after, context, updated } = change;
    written.push([
      database.id,
      table.id,
      row.id,
      after && encodeRow(after),
      context && Buffer.from(context).toString('base64'),
      updated ? [...updated] : null,
    ]);
  }
  const identities = [...touched].flatMap(([table, database]) => {
    const last = table.identityColumn?.identity?.last;
    return last === undefined ? [] : [[database.id, table.id, String(last)] as const];
  });
  const rowVersions = [...new Set(touched.values())].map((one) => [one.id, String(one.rowVersion)] as const);
  return {
    k: 'commit',
    commit,
    time,
    versions: [...versions].map(([database, version]) => [database.id, version] as const),
    changes: written,
    identities,
    rowVersions,
  };
}
