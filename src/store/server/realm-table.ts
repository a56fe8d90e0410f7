/** The realms of a store by path, and what is kept about each beside history and state. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SaltedVersion } from './contract.ts';

/** Where the history begins: what came before was trimmed (spec/server-history.md §2.1). Version 0 at first. */
export type HistoryBase = SaltedVersion & {
  /** Bytes of all changesets up to the base. */
  readonly cumulativeSize: number;
};

export type RealmFacts = {
  readonly base: HistoryBase;
  /** The version from which on earlier states are kept; `undefined` without flexible sync. */
  readonly flexibleSince: number | undefined;
};

export class RealmTable {
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #paths: StatementSync;
  readonly #facts: StatementSync;
  readonly #setFlexible: StatementSync;
  readonly #setBase: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT id FROM realms WHERE path = ?');
    this.#add = database.prepare('INSERT INTO realms (path) VALUES (?)');
    this.#paths = database.prepare('SELECT path FROM realms ORDER BY path');
    this.#facts = database.prepare(
      'SELECT flexible_since, base_version, base_salt, base_size FROM realms WHERE id = ?',
    );
    this.#facts.setReadBigInts(true);
    this.#setFlexible = database.prepare(
      'UPDATE realms SET flexible_since = ? WHERE id = ? AND flexible_since IS NULL',
    );
    this.#setBase = database.prepare(
      'UPDATE realms SET base_version = ?, base_salt = ?, base_size = ? WHERE id = ?',
    );
  }

  idOf(path: string): number | undefined {
    const id = this.#find.get(path)?.id;
    return typeof id === 'number' ? id : undefined;
  }

  add(path: string): number {
    return Number(this.#add.run(path).lastInsertRowid);
  }

  paths(): readonly string[] {
    return this.#paths.all().map((row) => String(row.path));
  }

  facts(realm: number): RealmFacts {
    const row = this.#facts.get(realm);
    const since = row?.flexible_since;
    return {
      base: {
        version: Number(row?.base_version ?? 0),
        salt: BigInt((row?.base_salt ?? 0n) as bigint),
        cumulativeSize: Number(row?.base_size ?? 0),
      },
      flexibleSince: since === null || since === undefined ? undefined : Number(since),
    };
  }

  setFlexible(realm: number, since: number): void {
    this.#setFlexible.run(since, realm);
  }

  setBase(realm: number, { version, salt, cumulativeSize }: HistoryBase): void {
    this.#setBase.run(version, salt, cumulativeSize, realm);
  }
}
