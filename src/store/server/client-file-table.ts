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
  /** The version whose state the client is or was sent in place of the history up to it. */
  readonly filledFrom: number | undefined;
  /** The same of its first attempt: what the client has may be as old as that until an attempt is complete. */
  readonly firstFilledFrom: number | undefined;
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
  readonly #setFilled: StatementSync;
  readonly #expire: StatementSync;
  readonly #oldestNeeded: StatementSync;

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
    this.#setFilled = database.prepare(`UPDATE client_files
      SET first_filled_from = coalesce(first_filled_from, ?1), filled_from = ?1 WHERE realm = ?2 AND ident = ?3`);
    this.#expire = database.prepare(
      'UPDATE client_files SET last_seen = 0 WHERE realm = ? AND last_seen > 0 AND last_seen < ? RETURNING ident',
    );
    // Before its first IDENT a file has nothing that depends on the history. While a client is sent the state, what
    // happened since its first attempt is needed.
    this.#oldestNeeded = database.prepare(`SELECT min(
        CASE WHEN min(reciprocal_base, locked_version) >= coalesce(filled_from, 0)
          THEN min(reciprocal_base, locked_version) ELSE first_filled_from END) AS version
      FROM client_files WHERE realm = ? AND last_seen > 0 AND identified = 1`);
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
      filledFrom: row.filled_from === null ? undefined : Number(row.filled_from),
      firstFilledFrom: row.first_filled_from === null ? undefined : Number(row.first_filled_from),
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

  /** From now on the client is sent the state at `version` instead of the history up to it. */
  setFilled(realm: number, ident: number, version: number): void {
    this.#setFilled.run(version, realm, ident);
  }

  /** Expires files that were not seen since `before`, for good. Returns their idents. */
  expire(realm: number, before: number): readonly number[] {
    return this.#expire.all(realm, before).map((row) => Number(row.ident));
  }

  /** No client that may return needs entries up to this version; `undefined` when there is no such client. */
  oldestNeeded(realm: number): number | undefined {
    const version = this.#oldestNeeded.get(realm)?.version;
    return typeof version === 'number' ? version : undefined;
  }
}
