/** The history of one replica as far as anything is read from it: its own changesets (spec/server-history.md §8.2). */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';

export type LocalChangeset = {
  readonly version: number;
  readonly timestamp: number;
  /** Server version that was integrated when it was made. */
  readonly remoteVersion: number;
  readonly changeset: Uint8Array;
};

export class LocalChangesetTable {
  readonly #append: StatementSync;
  readonly #newest: StatementSync;
  readonly #originals: StatementSync;
  readonly #filters: StatementSync;
  readonly #reciprocal: StatementSync;
  readonly #putReciprocal: StatementSync;
  readonly #trim: StatementSync;

  constructor(database: DatabaseSync) {
    this.#append = database.prepare(`INSERT INTO local_changesets
      (replica, version, remote_version, timestamp, touched, changeset) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#newest = database.prepare(
      'SELECT version FROM local_changesets WHERE replica = ? ORDER BY version DESC LIMIT 1',
    );
    this.#originals = database.prepare(`SELECT version, timestamp, remote_version, changeset
      FROM local_changesets WHERE replica = ? AND version > ? ORDER BY version`);
    this.#filters = database.prepare(
      'SELECT version, touched FROM local_changesets WHERE replica = ? AND version > ? ORDER BY version',
    );
    this.#reciprocal = database.prepare(`SELECT version, timestamp, remote_version,
        coalesce(reciprocal, changeset) AS changeset
      FROM local_changesets WHERE replica = ? AND version = ?`);
    this.#putReciprocal = database.prepare(
      'UPDATE local_changesets SET reciprocal = ? WHERE replica = ? AND version = ?',
    );
    this.#trim = database.prepare('DELETE FROM local_changesets WHERE replica = ? AND version <= ?');
  }

  /** `touched` is the filter of the objects it touches, if it has one (touched-objects.ts). */
  append(replica: number, local: LocalChangeset, touched: Uint8Array | undefined): void {
    const { version, remoteVersion, timestamp, changeset } = local;
    this.#append.run(replica, version, remoteVersion, timestamp, touched ?? null, changeset);
  }

  /** Version of the newest kept changeset; 0 when there is none. */
  newestVersion(replica: number): number {
    return Number(this.#newest.get(replica)?.version ?? 0);
  }

  /** Changesets after `after` as they were made. */
  *originals(replica: number, after: number): IterableIterator<LocalChangeset> {
    for (const row of this.#originals.iterate(replica, after)) yield fromRow(row);
  }

  /**
   * Changesets after `after` that `concerns` accepts by their filter, as earlier merges left them: from the oldest on
   * until they exceed `softLimit` bytes. A reciprocal form that has become empty stands for itself, not for the
   * original.
   */
  reciprocals(
    replica: number,
    after: number,
    concerns: (touched: Uint8Array | undefined) => boolean,
    softLimit: number,
  ): LocalChangeset[] {
    const found: LocalChangeset[] = [];
    let size = 0;
    for (const { version, touched } of this.#filters.iterate(replica, after)) {
      if (!concerns(touched instanceof Uint8Array ? touched : undefined)) continue;
      const row = this.#reciprocal.get(replica, version as number);
      if (row === undefined) continue;
      const local = fromRow(row);
      found.push(local);
      size += local.changeset.length;
      if (size > softLimit) break;
    }
    return found;
  }

  putReciprocal(replica: number, version: number, changeset: Uint8Array): void {
    this.#putReciprocal.run(changeset, replica, version);
  }

  /** Forgets what the server will never again send anything merged against (spec/server-history.md §8.6). */
  trim(replica: number, upTo: number): void {
    this.#trim.run(replica, upTo);
  }

  forgetAll(replica: number): void {
    this.#trim.run(replica, Number.MAX_SAFE_INTEGER);
  }
}

function fromRow(row: Record<string, SQLOutputValue>): LocalChangeset {
  return {
    version: row.version as number,
    timestamp: row.timestamp as number,
    remoteVersion: row.remote_version as number,
    changeset: row.changeset as Uint8Array,
  };
}
