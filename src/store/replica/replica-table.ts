/** The root record of each replica (spec/server-history.md §8.1) with its counters. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DownloadCursor, SaltedVersion, UploadCursor } from '../server/contract.ts';

export type ReplicaRecord = {
  readonly fileIdent: number;
  readonly salt: bigint;
  readonly latest: SaltedVersion;
  readonly download: DownloadCursor;
  readonly upload: UploadCursor;
  readonly version: number;
  /** Of the newest local changeset. */
  readonly lastTimestamp: number;
  /** Sequence of the newest queued transaction, dropped ones included. */
  readonly lastQueued: number;
  /** What is added to server versions in the queue. */
  readonly queueOffset: number;
  /** Client resets so far. */
  readonly generation: number;
};

/** Fresh copies are kept under names that no realm has: paths begin with a slash. */
const FRESH_COPY = 'fresh copy of ';
/** The flexible realm, beside which the realm `/` may be kept as a partition. */
export const FLEXIBLE_REALM = 'flexible realm';

export function freshCopyName(path: string): string {
  return `${FRESH_COPY}${path}`;
}

export class ReplicaTable {
  readonly #paths: StatementSync;
  readonly #find: StatementSync;
  readonly #create: StatementSync;
  readonly #load: StatementSync;
  readonly #save: StatementSync;
  readonly #remove: StatementSync;
  readonly #rename: StatementSync;

  constructor(database: DatabaseSync) {
    this.#paths = database.prepare(`SELECT path FROM replicas
      WHERE substr(path, 1, ${FRESH_COPY.length}) <> '${FRESH_COPY}' AND path <> '${FLEXIBLE_REALM}' ORDER BY path`);
    this.#find = database.prepare('SELECT id FROM replicas WHERE path = ?');
    this.#create = database.prepare('INSERT INTO replicas (path) VALUES (?) RETURNING id');
    this.#load = database.prepare('SELECT * FROM replicas WHERE id = ?');
    // Salts use all 63 bits.
    this.#load.setReadBigInts(true);
    this.#save =
      database.prepare(`UPDATE replicas SET file_ident = ?, salt = ?, latest_version = ?, latest_salt = ?,
      download_server = ?, download_client = ?, upload_client = ?, upload_server = ?, version = ?,
      last_timestamp = ?, last_queued = ?, queue_offset = ?, generation = ? WHERE id = ?`);
    this.#remove = database.prepare('DELETE FROM replicas WHERE id = ?');
    this.#rename = database.prepare('UPDATE replicas SET path = ? WHERE id = ?');
  }

  paths(): string[] {
    return this.#paths.all().map((row) => String(row.path));
  }

  find(path: string): number | undefined {
    const row = this.#find.get(path);
    return row === undefined ? undefined : Number(row.id);
  }

  create(path: string): number {
    return Number(this.#create.get(path)?.id);
  }

  load(id: number): ReplicaRecord {
    const row = this.#load.get(id);
    const number = (column: string): number => Number(row?.[column]);
    const salt = (column: string): bigint => BigInt(row?.[column] as bigint);
    return {
      fileIdent: number('file_ident'),
      salt: salt('salt'),
      latest: { version: number('latest_version'), salt: salt('latest_salt') },
      download: { serverVersion: number('download_server'), clientVersion: number('download_client') },
      upload: { clientVersion: number('upload_client'), serverVersion: number('upload_server') },
      version: number('version'),
      lastTimestamp: number('last_timestamp'),
      lastQueued: number('last_queued'),
      queueOffset: number('queue_offset'),
      generation: number('generation'),
    };
  }

  save(id: number, record: ReplicaRecord): void {
    const { fileIdent, salt, latest, download, upload, version } = record;
    this.#save.run(
      fileIdent,
      salt,
      latest.version,
      latest.salt,
      download.serverVersion,
      download.clientVersion,
      upload.clientVersion,
      upload.serverVersion,
      version,
      record.lastTimestamp,
      record.lastQueued,
      record.queueOffset,
      record.generation,
      id,
    );
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  rename(id: number, path: string): void {
    this.#rename.run(path, id);
  }
}
