/** What a server knows of each client file (spec/server-history.md §2.3). */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type ClientFile = {
  readonly ident: number;
  readonly salt: bigint;
  /** Newest integrated client version, and the server version that goes with it. */
  readonly clientVersion: number;
  readonly reciprocalBase: number;
  readonly lockedServerVersion: number;
  readonly expired: boolean;
};

/** Ident 0 is no file, 1 the server itself. */
const FIRST_IDENT = 2;

export class ClientFileTable {
  readonly #load: StatementSync;
  readonly #newest: StatementSync;
  readonly #add: StatementSync;
  readonly #advance: StatementSync;

  constructor(database: DatabaseSync) {
    this.#load = database.prepare('SELECT * FROM client_files WHERE realm = ? AND ident = ?');
    this.#load.setReadBigInts(true);
    this.#newest = database.prepare('SELECT max(ident) AS ident FROM client_files WHERE realm = ?');
    this.#add = database.prepare(`INSERT INTO client_files
      (realm, ident, salt, client_version, reciprocal_base, locked_version, last_seen) VALUES (?, ?, ?, 0, 0, 0, 1)`);
    this.#advance = database.prepare(`UPDATE client_files
      SET client_version = ?, reciprocal_base = ?, locked_version = ?, last_seen = 1 WHERE realm = ? AND ident = ?`);
  }

  load(realm: number, ident: number): ClientFile | undefined {
    const row = this.#load.get(realm, ident);
    if (row === undefined) return undefined;
    return {
      ident,
      salt: row.salt as bigint,
      clientVersion: Number(row.client_version),
      reciprocalBase: Number(row.reciprocal_base),
      lockedServerVersion: Number(row.locked_version),
      expired: row.last_seen === 0n,
    };
  }

  /** Registers a file under the next ident. Rows are never removed, so idents are never reused. */
  add(realm: number, salt: bigint): number {
    const newest = this.#newest.get(realm)?.ident;
    const ident = typeof newest === 'number' ? newest + 1 : FIRST_IDENT;
    this.#add.run(realm, ident, salt);
    return ident;
  }

  advance(realm: number, file: ClientFile): void {
    const { clientVersion, reciprocalBase, lockedServerVersion, ident } = file;
    this.#advance.run(clientVersion, reciprocalBase, lockedServerVersion, realm, ident);
  }
}
