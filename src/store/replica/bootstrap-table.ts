/** Bootstraps on their way into replicas, at most one for each (spec/server-history.md §9.2). */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DownloadBatch, DownloadEntry } from '../server/contract.ts';

/** Where the replica is when the whole bootstrap is applied. */
export type BootstrapProgress = Omit<DownloadBatch, 'entries'>;

export type StoredBootstrap = {
  readonly queryVersion: number;
  /** Absent until the last batch is stored. */
  readonly progress: BootstrapProgress | undefined;
};

export type StoredEntry = { readonly position: number; readonly entry: DownloadEntry };

export class BootstrapTable {
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #append: StatementSync;
  readonly #last: StatementSync;
  readonly #read: StatementSync;
  readonly #drop: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT * FROM bootstraps WHERE replica = ?');
    // Salts use all 63 bits.
    this.#find.setReadBigInts(true);
    this.#put = database.prepare(`INSERT OR REPLACE INTO bootstraps (replica, query_version, complete,
      latest_version, latest_salt, download_server, download_client, upload_client, upload_server)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#remove = database.prepare('DELETE FROM bootstraps WHERE replica = ?');
    this.#append = database.prepare(`INSERT INTO bootstrap_changesets
      (replica, position, server_version, client_version, timestamp, origin, changeset)
      VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#last = database.prepare(
      'SELECT coalesce(max(position), 0) AS position FROM bootstrap_changesets WHERE replica = ?',
    );
    this.#read = database.prepare('SELECT * FROM bootstrap_changesets WHERE replica = ? ORDER BY position');
    this.#drop = database.prepare('DELETE FROM bootstrap_changesets WHERE replica = ? AND position <= ?');
  }

  find(replica: number): StoredBootstrap | undefined {
    const row = this.#find.get(replica);
    if (row === undefined) return undefined;
    const number = (column: string): number => Number(row[column]);
    const queryVersion = number('query_version');
    if (row.complete === 0n) return { queryVersion, progress: undefined };
    return {
      queryVersion,
      progress: {
        cursor: { serverVersion: number('download_server'), clientVersion: number('download_client') },
        latest: { version: number('latest_version'), salt: BigInt(row.latest_salt as bigint) },
        uploadCursor: { clientVersion: number('upload_client'), serverVersion: number('upload_server') },
        downloadableBytes: 0,
      },
    };
  }

  put(replica: number, { queryVersion, progress }: StoredBootstrap): void {
    this.#put.run(
      replica,
      queryVersion,
      progress === undefined ? 0 : 1,
      progress?.latest.version ?? 0,
      progress?.latest.salt ?? 0n,
      progress?.cursor.serverVersion ?? 0,
      progress?.cursor.clientVersion ?? 0,
      progress?.uploadCursor.clientVersion ?? 0,
      progress?.uploadCursor.serverVersion ?? 0,
    );
  }

  append(replica: number, entries: readonly DownloadEntry[]): void {
    let position = Number(this.#last.get(replica)?.position);
    for (const { serverVersion, clientVersion, timestamp, originFileIdent, changeset } of entries) {
      position += 1;
      this.#append.run(
        replica,
        position,
        serverVersion,
        clientVersion,
        timestamp,
        originFileIdent,
        changeset,
      );
    }
  }

  isEmpty(replica: number): boolean {
    return Number(this.#last.get(replica)?.position) === 0;
  }

  /** The oldest changesets, up to about `softLimit` bytes of them. */
  front(replica: number, softLimit: number): StoredEntry[] {
    const found: StoredEntry[] = [];
    let size = 0;
    for (const row of this.#read.iterate(replica)) {
      const changeset = row.changeset as Uint8Array;
      if (found.length > 0 && size + changeset.length > softLimit) break;
      size += changeset.length;
      found.push({
        position: row.position as number,
        entry: {
          serverVersion: row.server_version as number,
          clientVersion: row.client_version as number,
          timestamp: row.timestamp as number,
          originFileIdent: row.origin as number,
          originalSize: changeset.length,
          changeset,
        },
      });
    }
    return found;
  }

  drop(replica: number, upTo: number): void {
    this.#drop.run(replica, upTo);
  }

  forgetAll(replica: number): void {
    this.#remove.run(replica);
    this.#drop.run(replica, Number.MAX_SAFE_INTEGER);
  }
}
