/**
 * The objects and rows that differed when they were looked at, on disk: there may be as many as a table has rows. What
 * is in here is looked at again until it agrees or both sides stand still.
 */
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ObjectName } from '../dead-letters/contract.ts';

/** Suspects read and looked at together. */
const PAGE = 1_000;

export type Suspect = {
  /** The object's key as `keyToken` writes it, or `!` and the key texts of a row whose key no object can have,
   * or `#` and the key that the database made for a row that has no other yet.
   */
  readonly id: string;
  /** What the row's key columns hold; `undefined` for an object whose key no row can have. */
  readonly keyTexts: readonly string[] | undefined;
  /** Realms that were seen to hold the object, besides the one that the row belongs to. */
  readonly realms?: readonly string[];
};

export type SeenSuspect = Suspect & {
  /** What both sides held at the last look; `undefined` before the first. */
  readonly fingerprint: string | undefined;
  /** Number of the look since which both sides have been like that. */
  readonly since: number;
  /** Why it could not be repaired. */
  readonly reason: string | undefined;
};

/**
 * `open`: still to be looked at. `settled`: stood still and differs. `explained`: the same, and a policy accepts it.
 * `changing`: given up.
 */
export type SuspectState = 'open' | 'settled' | 'explained' | 'changing';

export class Suspects {
  readonly #database: DatabaseSync;
  readonly #add: StatementSync;
  readonly #addRealm: StatementSync;
  readonly #page: StatementSync;
  readonly #seen: StatementSync;
  readonly #failed: StatementSync;
  readonly #remove: StatementSync;
  readonly #count: StatementSync;
  readonly #addLetter: StatementSync;
  readonly #letter: StatementSync;

  constructor(directory: string) {
    const database = new DatabaseSync(join(directory, 'suspects.sqlite'));
    // Nothing in here outlives the process.
    database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      CREATE TABLE suspect (class TEXT, id TEXT, key_texts TEXT, fingerprint TEXT, since INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'open', reason TEXT, realms TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (class, id)) STRICT, WITHOUT ROWID;
      CREATE TABLE dead_letter (class TEXT, key TEXT, realm TEXT, letter TEXT,
        PRIMARY KEY (class, key, realm)) STRICT, WITHOUT ROWID;`);
    this.#database = database;
    this.#add = database.prepare('INSERT OR IGNORE INTO suspect (class, id, key_texts) VALUES (?, ?, ?)');
    this.#addRealm = database.prepare(
      "UPDATE suspect SET realms = json_insert(realms, '$[#]', ?) WHERE class = ? AND id = ?",
    );
    this.#page = database.prepare(
      `SELECT id, key_texts, fingerprint, since, reason, realms FROM suspect WHERE class = ? AND state = ? AND id > ?
       ORDER BY id LIMIT ${PAGE}`,
    );
    this.#seen = database.prepare(
      'UPDATE suspect SET fingerprint = ?, since = ?, state = ? WHERE class = ? AND id = ?',
    );
    this.#failed = database.prepare('UPDATE suspect SET reason = ? WHERE class = ? AND id = ?');
    this.#remove = database.prepare('DELETE FROM suspect WHERE class = ? AND id = ?');
    this.#count = database.prepare('SELECT count(*) AS count FROM suspect WHERE state = ?');
    this.#addLetter = database.prepare('INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?)');
    this.#letter = database.prepare(
      "SELECT letter FROM dead_letter WHERE class = ? AND key = ? AND realm IN (?, '')",
    );
  }

  add(className: string, { id, keyTexts, realms = [] }: Suspect): void {
    this.#add.run(className, id, keyTexts === undefined ? null : JSON.stringify(keyTexts));
    for (const path of realms) this.#addRealm.run(path, className, id);
  }

  /** Pages of a class. What is done to a page's suspects meanwhile does not disturb the next. */
  *pages(className: string, state: SuspectState): Generator<readonly SeenSuspect[]> {
    let last = '';
    for (;;) {
      const page = this.#page.all(className, state, last).map(suspectOf);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      last = page.at(-1)?.id ?? '';
    }
  }

  seen(className: string, id: string, fingerprint: string, since: number, state: SuspectState): void {
    this.#seen.run(fingerprint, since, state, className, id);
  }

  /** Why it could not be repaired; `undefined` when it was. */
  failed(className: string, id: string, reason: string | undefined): void {
    this.#failed.run(reason ?? null, className, id);
  }

  remove(className: string, id: string): void {
    this.#remove.run(className, id);
  }

  count(state: SuspectState): number {
    return Number(this.#count.get(state)?.count ?? 0);
  }

  /** An object that a dead letter is about; an empty path when the letter knows no realm. */
  addDeadLetter({ class: className, key }: ObjectName, realmPath: string, letter: string): void {
    this.#addLetter.run(className, key, realmPath, letter);
  }

  deadLetter({ class: className, key }: ObjectName, realmPath: string): string | undefined {
    const row = this.#letter.get(className, key, realmPath);
    return row === undefined ? undefined : String(row.letter);
  }

  /** Runs `work` as one transaction, which is many times faster than as many as there are suspects. */
  together<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function suspectOf(row: Record<string, unknown>): SeenSuspect {
  const texts: unknown = row.key_texts === null ? undefined : JSON.parse(String(row.key_texts));
  const realms: unknown = JSON.parse(String(row.realms));
  return {
    id: String(row.id),
    keyTexts: Array.isArray(texts) ? texts.map(String) : undefined,
    realms: Array.isArray(realms) ? realms.map(String) : [],
    fingerprint: row.fingerprint === null ? undefined : String(row.fingerprint),
    since: Number(row.since),
    reason: row.reason === null ? undefined : String(row.reason),
  };
}
