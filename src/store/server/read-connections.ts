/**
 * Connections that only read, for snapshots: each keeps a read transaction open, which later commits do not change.
 * A few are kept between snapshots, since opening one costs more than most snapshots.
 */
import type { DatabaseSync } from 'node:sqlite';
import { openForReading } from '../sqlite/database.ts';
import { ObjectTable } from '../sqlite/object-table.ts';
import { SchemaTable } from '../sqlite/schema-table.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { EarlierStateTable } from './earlier-state-table.ts';
import { HistoryTable } from './history-table.ts';
import { RealmTable } from './realm-table.ts';

/** Idle connections that are kept: as many as there are bootstraps at work at once, mostly. */
const MAX_IDLE = 4;

/** The tables of one connection. */
export type ReadTables = {
  readonly realms: RealmTable;
  readonly history: HistoryTable;
  readonly schemas: SchemaTable;
  readonly objects: ObjectTable;
  readonly earlier: EarlierStateTable;
};

type Connection = ReadTables & { readonly database: DatabaseSync };

export class ReadConnections {
  readonly #file: string;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #closed = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** Tables that show the database as it is now until `release` is called. */
  acquire(): ReadTables & { readonly release: () => void } {
    if (this.#closed) throw new StoreError('The store is closed');
    const connection = this.#idle.pop() ?? this.#open();
    connection.database.exec('BEGIN');
    this.#busy.add(connection);
    return { ...connection, release: () => this.#release(connection) };
  }

  close(): void {
    this.#closed = true;
    for (const { database } of [...this.#idle, ...this.#busy]) database.close();
    this.#idle.length = 0;
    this.#busy.clear();
  }

  #open(): Connection {
    const database = openForReading(this.#file);
    return {
      database,
      realms: new RealmTable(database),
      history: new HistoryTable(database),
      schemas: new SchemaTable(database),
      objects: new ObjectTable(database),
      earlier: new EarlierStateTable(database),
    };
  }

  #release(connection: Connection): void {
    if (this.#closed) return;
    this.#busy.delete(connection);
    if (this.#idle.length >= MAX_IDLE) {
      connection.database.close();
      return;
    }
    connection.database.exec('ROLLBACK');
    this.#idle.push(connection);
  }
}
