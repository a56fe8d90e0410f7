/** What clients of flexible sync have to be set right about, and the views they were served. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { keyFromToken, keyToken } from '../../schema/value.ts';
import type { Correction } from './flexible-contract.ts';

/** A corrected object in the database: class, key token, and the reason when the write was refused. */
type StoredObject = readonly [table: string, key: string, reason?: string];

export class CorrectionTable {
  readonly #put: StatementSync;
  readonly #after: StatementSync;
  readonly #drop: StatementSync;
  readonly #view: StatementSync;
  readonly #setView: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(
      'INSERT INTO corrections (realm, client, version, client_version, objects) VALUES (?, ?, ?, ?, ?)',
    );
    this.#after = database.prepare(`SELECT version, client_version, objects FROM corrections
      WHERE realm = ? AND client = ? AND version > ? ORDER BY version`);
    this.#drop = database.prepare('DELETE FROM corrections WHERE realm = ? AND client = ? AND version <= ?');
    this.#view = database.prepare('SELECT view FROM flexible_views WHERE realm = ? AND client = ?');
    this.#setView = database.prepare(
      'INSERT OR REPLACE INTO flexible_views (realm, client, view) VALUES (?, ?, ?)',
    );
  }

  put(realm: number, client: number, { version, clientVersion, objects }: Correction): void {
    const stored: StoredObject[] = objects.map(({ table, key, reason }) =>
      reason === undefined ? [table, keyToken(key)] : [table, keyToken(key), reason],
    );
    this.#put.run(realm, client, version, clientVersion, JSON.stringify(stored));
  }

  /** Those of entries after `after`, oldest first. */
  after(realm: number, client: number, after: number): readonly Correction[] {
    return this.#after.all(realm, client, after).map((row) => ({
      version: row.version as number,
      clientVersion: row.client_version as number,
      objects: (JSON.parse(row.objects as string) as StoredObject[]).map(([table, token, reason]) => {
        const key = keyFromToken(token);
        return reason === undefined ? { table, key } : { table, key, reason };
      }),
    }));
  }

  /** Forgets what the client has integrated. */
  drop(realm: number, client: number, upTo: number): void {
    this.#drop.run(realm, client, upTo);
  }

  view(realm: number, client: number): string | undefined {
    return this.#view.get(realm, client)?.view as string | undefined;
  }

  setView(realm: number, client: number, view: string): void {
    this.#setView.run(realm, client, view);
  }
}
