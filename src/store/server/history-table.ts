/** The entries of all realms' histories and their reciprocal forms (spec/server-history.md §2.2, §2.3). */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { SaltedVersion } from './contract.ts';

export type HistoryHead = SaltedVersion & {
  /** Bytes of all changesets up to this version. */
  readonly cumulativeSize: number;
  /** All entries after `since` came from `origin`: what is known without reading them. */
  readonly tail: { readonly origin: number; readonly since: number };
};

export type NewEntry = {
  readonly version: number;
  readonly salt: bigint;
  /** 0 for a change made by the server itself. */
  readonly origin: number;
  readonly clientVersion: number;
  readonly timestamp: number;
  readonly cumulativeSize: number;
  readonly changeset: Uint8Array;
};

/** An entry as a client sees it: without the changeset when that client made it. */
export type ScannedEntry = {
  readonly version: number;
  readonly origin: number;
  readonly clientVersion: number;
  readonly timestamp: number;
  readonly cumulativeSize: number;
  readonly changeset: Uint8Array | undefined;
};

export type FoundEntry = Omit<NewEntry, 'salt' | 'cumulativeSize'>;

/** An entry in the form that a client's changesets are merged with. */
export type MergeEntry = {
  readonly version: number;
  readonly origin: number;
  readonly timestamp: number;
  readonly changeset: Uint8Array;
};

const NO_ORIGIN = -1;
const EMPTY_HEAD: HistoryHead = {
  version: 0,
  salt: 0n,
  cumulativeSize: 0,
  tail: { origin: NO_ORIGIN, since: 0 },
};

export class HistoryTable {
  readonly #head: StatementSync;
  readonly #salt: StatementSync;
  readonly #cumulativeSize: StatementSync;
  readonly #append: StatementSync;
  readonly #scan: StatementSync;
  readonly #next: StatementSync;
  readonly #mergeScan: StatementSync;
  readonly #putReciprocal: StatementSync;
  readonly #dropReciprocals: StatementSync;
  readonly #dropEntries: StatementSync;
  readonly #dropAllReciprocals: StatementSync;

  constructor(database: DatabaseSync) {
    this.#head = database.prepare(
      'SELECT version, salt, cumulative_size FROM entries WHERE realm = ? ORDER BY version DESC LIMIT 1',
    );
    this.#salt = database.prepare('SELECT salt FROM entries WHERE realm = ? AND version = ?');
    // Salts use all 63 bits.
    this.#head.setReadBigInts(true);
    this.#salt.setReadBigInts(true);
    this.#cumulativeSize = database.prepare(
      'SELECT cumulative_size FROM entries WHERE realm = ? AND version = ?',
    );
    this.#append = database.prepare(`INSERT INTO entries
      (realm, version, salt, origin, client_version, timestamp, cumulative_size, changeset)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#scan = database.prepare(`SELECT version, origin, client_version, timestamp, cumulative_size,
        CASE WHEN origin = ? THEN NULL ELSE changeset END AS changeset
      FROM entries WHERE realm = ? AND version > ? ORDER BY version`);
    this.#next = database.prepare(`SELECT version, origin, client_version, timestamp, changeset FROM entries
      WHERE realm = ? AND version > ? ORDER BY version LIMIT 1`);
    this.#mergeScan = database.prepare(`SELECT e.version, e.origin, e.timestamp,
        coalesce(r.changeset, e.changeset) AS changeset
      FROM entries e LEFT JOIN reciprocals r ON r.realm = e.realm AND r.client = ? AND r.version = e.version
      WHERE e.realm = ? AND e.version > ? AND e.version <= ? AND e.origin <> ? AND length(e.changeset) > 0
      ORDER BY e.version`);
    this.#putReciprocal = database.prepare(
      'INSERT OR REPLACE INTO reciprocals (realm, client, version, changeset) VALUES (?, ?, ?, ?)',
    );
    this.#dropReciprocals = database.prepare(
      'DELETE FROM reciprocals WHERE realm = ? AND client = ? AND version <= ?',
    );
    this.#dropEntries = database.prepare('DELETE FROM entries WHERE realm = ? AND version <= ?');
    this.#dropAllReciprocals = database.prepare('DELETE FROM reciprocals WHERE realm = ? AND version <= ?');
  }

  head(realm: number): HistoryHead {
    const row = this.#head.get(realm);
    if (row === undefined) return EMPTY_HEAD;
    const version = Number(row.version);
    return {
      version,
      salt: BigInt(row.salt as bigint),
      cumulativeSize: Number(row.cumulative_size),
      tail: { origin: NO_ORIGIN, since: version },
    };
  }

  /** `undefined` for a version that the history does not have. Version 0 has salt 0. */
  saltOf(realm: number, version: number): bigint | undefined {
    if (version === 0) return 0n;
    return this.#salt.get(realm, version)?.salt as bigint | undefined;
  }

  cumulativeSizeAt(realm: number, version: number): number {
    return Number(this.#cumulativeSize.get(realm, version)?.cumulative_size ?? 0);
  }

  append(realm: number, entry: NewEntry): void {
    const { version, salt, origin, clientVersion, timestamp, cumulativeSize, changeset } = entry;
    this.#append.run(realm, version, salt, origin, clientVersion, timestamp, cumulativeSize, changeset);
  }

  /** Entries after `after`, in order, read as the caller asks for them. */
  *scan(realm: number, client: number, after: number): IterableIterator<ScannedEntry> {
    for (const row of this.#scan.iterate(client, realm, after)) {
      yield {
        version: row.version as number,
        origin: row.origin as number,
        clientVersion: row.client_version as number,
        timestamp: row.timestamp as number,
        cumulativeSize: row.cumulative_size as number,
        changeset: bytesOf(row.changeset),
      };
    }
  }

  /** The first entry after `after`. */
  nextEntry(realm: number, after: number): FoundEntry | undefined {
    const row = this.#next.get(realm, after);
    return (
      row && {
        version: row.version as number,
        origin: row.origin as number,
        clientVersion: row.client_version as number,
        timestamp: row.timestamp as number,
        changeset: bytesOf(row.changeset) ?? NOTHING,
      }
    );
  }

  /**
   * Entries in (`after`, `end`] that a changeset of `client` is merged with, in reciprocal form where one is stored
   * (spec/server-history.md §3.3), from the oldest on until their changesets exceed `softLimit` bytes.
   */
  mergeRange(realm: number, client: number, after: number, end: number, softLimit: number): MergeEntry[] {
    const entries: MergeEntry[] = [];
    let size = 0;
    for (const row of this.#mergeScan.iterate(client, realm, after, end, client)) {
      const changeset = bytesOf(row.changeset) ?? NOTHING;
      const { version, origin, timestamp } = row;
      entries.push({
        version: version as number,
        origin: origin as number,
        timestamp: timestamp as number,
        changeset,
      });
      size += changeset.length;
      if (size > softLimit) break;
    }
    return entries;
  }

  putReciprocal(realm: number, client: number, version: number, changeset: Uint8Array): void {
    this.#putReciprocal.run(realm, client, version, changeset);
  }

  /** Removes the entries up to a version with their reciprocal forms. */
  drop(realm: number, upTo: number): void {
    this.#dropEntries.run(realm, upTo);
    this.#dropAllReciprocals.run(realm, upTo);
  }

  dropReciprocals(realm: number, client: number, upTo: number): void {
    this.#dropReciprocals.run(realm, client, upTo);
  }
}

const NOTHING = new Uint8Array(0);

function bytesOf(value: SQLOutputValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}
