/** What a server knows of each client file (spec/server-history.md §2.3). */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type ClientFile = {
  readonly ident: number;
  readonly salt: bigint;
  /** Newest integrated client version, and the server version that goes with it. */
  readonly clientVersion: number;
  readonly reciprocalBase: number;
  readonly lockedServerVersion: number;
  /** Milliseconds since 2015-01-01T00:00:00Z; 0 when the file has expired. */
  readonly lastSeen: number;
  /** The user it was allocated for, when one was named. */
  readonly owner: string | undefined;
  /** Whether the client ever came back with the ident. */
  readonly identified: boolean;
};

/** Ident 0 is no file, 1 the server itself. */
const FIRST_IDENT = 2;
/** What was written for "not expired" before times were kept. */
const UNKNOWN_TIME = 1;
/** The earliest time that is written, whatever the clock says. */
const FIRST_TIME = 2;

export class ClientFileTable {
  readonly #load: StatementSync;
  readonly #newest: StatementSync;
  readonly #add: StatementSync;
  readonly #advance: StatementSync;
  readonly #seen: StatementSync;
  readonly #date: StatementSync;

  constructor(database: DatabaseSync) {
    this.#load = database.prepare('SELECT * FROM client_files WHERE realm = ? AND ident = ?');
    this.#load.setReadBigInts(true);
    this.#newest = database.prepare('SELECT max(ident) AS ident FROM client_files WHERE realm = ?');
    this.#add = database.prepare(`INSERT INTO client_files
      (realm, ident, salt, client_version, reciprocal_base, locked_version, last_seen, owner, identified)
      VALUES (?, ?, ?, 0, 0, 0, ?, ?, 0)`);
    this.#advance = database.prepare(`UPDATE client_files
      SET client_version = ?, reciprocal_base = ?, locked_version = ?, last_seen = ? WHERE realm = ? AND ident = ?`);
    this.#seen = database.prepare(
      'UPDATE client_files SET last_seen = ?, identified = 1 WHERE realm = ? AND ident = ? AND last_seen > 0',
    );
    this.#date = database.prepare('UPDATE client_files SET last_seen = ? WHERE last_seen = ?');
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
      lastSeen: Number(row.last_seen),
      owner: row.owner === null ? undefined : String(row.owner),
      identified: row.identified === 1n,
    };
  }

  /** Registers a file under the next ident. Rows are never removed, so idents are never reused. */
  add(realm: number, salt: bigint, now: number, owner: string | undefined): number {
    const newest = this.#newest.get(realm)?.ident;
    const ident = typeof newest === 'number' ? newest + 1 : FIRST_IDENT;
    this.#add.run(realm, ident, salt, Math.max(now, FIRST_TIME), owner ?? null);
    return ident;
  }

  advance(realm: number, file: ClientFile): void {
    const { clientVersion, reciprocalBase, lockedServerVersion, ident } = file;
    const lastSeen = Math.max(file.lastSeen, FIRST_TIME);
    this.#advance.run(clientVersion, reciprocalBase, lockedServerVersion, lastSeen, realm, ident);
  }

  /** The client has come back with its ident. An expired file stays expired. */
  seen(realm: number, ident: number, now: number): void {
    this.#seen.run(Math.max(now, FIRST_TIME), realm, ident);
  }

  /** Files of stores that kept no times count as seen just now. */
  dateAll(now: number): void {
    this.#date.run(Math.max(now, FIRST_TIME), UNKNOWN_TIME);
  }
}
