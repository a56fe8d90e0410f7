/**
 * Rights to realms that administrators and owners granted, and offers of such rights, at rest: one SQLite file in the
 * server's directory. It is apart from the accounts, since it belongs to paths and outlives users; and it is read only
 * when a session is bound, so that nothing of it is held in memory.
 *
 * A grant is for one path, or for all realms of its grantor (path `*`): those that the grantor owns or was granted
 * `manage` on by path, and for a grantor who is an administrator all realms.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction, type Migrations, openDatabase } from '../../store/sqlite/database.ts';
import {
  ALL_REALMS,
  EVERYBODY,
  type Grant,
  type GrantPlace,
  type GrantPosition,
  grantOf,
  levelOf,
  type Offer,
  offerOf,
  type Subject,
  text,
  tokenOf,
  userToken,
} from './grant.ts';
import { levelRank, type PathLevel } from './options.ts';

const MIGRATIONS: Migrations = {
  component: 'permissions',
  steps: [
    // `scope` is the grantor's id where the path is '*', or '' for administrators; otherwise always ''.
    `CREATE TABLE grants (
       path TEXT NOT NULL, scope TEXT NOT NULL, subject TEXT NOT NULL COLLATE NOCASE,
       access INTEGER NOT NULL, name TEXT, granted_by TEXT NOT NULL, updated_at INTEGER NOT NULL,
       PRIMARY KEY (path, scope, subject)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX grants_of_subject ON grants (subject, path, scope);
     CREATE INDEX grants_by_grantor ON grants (granted_by, path, scope);
     CREATE TABLE offers (
       id TEXT PRIMARY KEY, token BLOB NOT NULL UNIQUE, path TEXT NOT NULL, access INTEGER NOT NULL,
       created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER
     ) STRICT;
     CREATE INDEX offers_by_creator ON offers (created_by, created_at);`,
  ],
};

/** What grants say about a user and a path; undefined where there is none. */
export type GrantedLevels = {
  readonly user: PathLevel | undefined;
  readonly userOnPath: PathLevel | undefined;
  readonly everybody: PathLevel | undefined;
  readonly everybodyOnPath: PathLevel | undefined;
};

export type GrantFilter =
  | { readonly kind: 'all' }
  | { readonly kind: 'subject'; readonly userId: string }
  | { readonly kind: 'grantor'; readonly userId: string }
  | { readonly kind: 'path'; readonly path: string };

/** Grantors whose grants on all realms concern a path: administrators, its owner, and who may manage it by a grant. */
const RESPONSIBLE = `SELECT '' UNION SELECT :owner UNION
  SELECT substr(subject, 4) FROM grants
  WHERE path = :path AND scope = '' AND access = ${levelRank('manage')} AND subject LIKE 'id:%'`;
const LEVELS = `
  SELECT path, subject, max(access) AS access FROM (
    SELECT path, subject, access FROM grants WHERE path = :path AND scope = '' AND subject IN (:user, '*')
    UNION ALL
    SELECT path, subject, access FROM grants
    WHERE path = '*' AND scope IN (${RESPONSIBLE}) AND subject IN (:user, '*'))
  GROUP BY path, subject`;

export class GrantStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.#database = openDatabase(file, [MIGRATIONS]);
  }

  atomically<T>(work: () => T): T {
    return inTransaction(this.#database, work);
  }

  /** `owner` is the user id that the path begins with, if it does. */
  levels(userId: string, path: string, owner: string | undefined): GrantedLevels {
    const found = new Map<string, PathLevel>();
    const rows = this.#prepare(LEVELS).all({ path, owner: owner ?? '', user: userToken(userId) });
    for (const row of rows) {
      const subject = text(row, 'subject') === EVERYBODY ? EVERYBODY : 'user';
      found.set(`${text(row, 'path') === ALL_REALMS ? ALL_REALMS : 'path'} ${subject}`, levelOf(row.access));
    }
    const onPath = found.get('path user');
    const everybodyOnPath = found.get('path *');
    const toAll = [everybodyOnPath, found.get('* *')].filter((level) => level !== undefined);
    return {
      userOnPath: onPath,
      user: onPath ?? found.get('* user'),
      everybody: toAll.toSorted((a, b) => levelRank(a) - levelRank(b)).at(-1),
      everybodyOnPath,
    };
  }

  put(grant: Grant): void {
    this.#prepare(
      `INSERT OR REPLACE INTO grants (path, scope, subject, access, name, granted_by, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      grant.path,
      grant.scope,
      tokenOf(grant.subject),
      levelRank(grant.access),
      grant.name ?? null,
      grant.grantedBy,
      grant.updatedAt,
    );
  }

  /** What is granted to exactly that subject in that place. */
  level({ path, scope }: GrantPlace, subject: Subject): PathLevel | undefined {
    const row = this.#prepare('SELECT access FROM grants WHERE path = ? AND scope = ? AND subject = ?').get(
      path,
      scope,
      tokenOf(subject),
    );
    return row && levelOf(row.access);
  }

  /** Whether there was such a grant. */
  remove({ path, scope }: GrantPlace, subject: Subject): boolean {
    return (
      this.#prepare('DELETE FROM grants WHERE path = ? AND scope = ? AND subject = ?').run(
        path,
        scope,
        tokenOf(subject),
      ).changes > 0
    );
  }

  /**
   * Gives what was granted to a name to the user who has it now, so that it stays with the user. A grant that the user
   * has by id already is the newer one and stays. Returns the paths concerned.
   */
  adopt(name: string, userId: string): readonly string[] {
    const from = tokenOf({ kind: 'name', name });
    const paths = this.#prepare('SELECT path FROM grants WHERE subject = ?').all(from);
    if (paths.length === 0) return [];
    this.atomically(() => {
      this.#prepare('UPDATE OR IGNORE grants SET subject = ? WHERE subject = ?').run(userToken(userId), from);
      this.#prepare('DELETE FROM grants WHERE subject = ?').run(from);
    });
    return paths.map((row) => text(row, 'path'));
  }

  /** Removes everything granted to a user, the user's grants on all realms, and the user's offers. */
  forgetUser(userId: string): void {
    this.atomically(() => {
      this.#prepare('DELETE FROM grants WHERE subject = ?').run(userToken(userId));
      this.#prepare(`DELETE FROM grants WHERE path = '*' AND scope = ?`).run(userId);
      this.#prepare('DELETE FROM offers WHERE created_by = ?').run(userId);
    });
  }

  /** In the order of path and subject; at most `limit`, those after `after`. */
  list(filter: GrantFilter, limit: number, after?: GrantPosition): readonly Grant[] {
    const [condition, value] = conditionOf(filter);
    return this.#prepare(
      `SELECT * FROM grants WHERE ${condition} AND (path, scope, subject) > (?, ?, ?)
       ORDER BY path, scope, subject LIMIT ?`,
    )
      .all(...(value === undefined ? [] : [value]), ...(after ?? ['', '', '']), limit)
      .map(grantOf);
  }

  /** Grants that a user made and that still stand. */
  countBy(grantor: string): number {
    return count(this.#prepare('SELECT count(*) AS n FROM grants WHERE granted_by = ?').get(grantor));
  }

  addOffer(offer: Offer, token: Uint8Array): void {
    this.#prepare(
      `INSERT INTO offers (id, token, path, access, created_by, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      offer.id,
      token,
      offer.path,
      levelRank(offer.access),
      offer.createdBy,
      offer.createdAt,
      offer.expiresAt ?? null,
    );
  }

  offerByToken(token: Uint8Array): Offer | undefined {
    const row = this.#prepare('SELECT * FROM offers WHERE token = ?').get(token);
    return row && offerOf(row);
  }

  offersBy(userId: string): readonly Offer[] {
    return this.#prepare('SELECT * FROM offers WHERE created_by = ? ORDER BY created_at, id')
      .all(userId)
      .map(offerOf);
  }

  /** Whether the user had made such an offer. */
  removeOffer(id: string, createdBy: string): boolean {
    const gone = this.#prepare('DELETE FROM offers WHERE id = ? AND created_by = ?').run(id, createdBy);
    return gone.changes > 0;
  }

  removeOffersExpiredBy(now: number): void {
    this.#prepare('DELETE FROM offers WHERE expires_at <= ?').run(now);
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function conditionOf(filter: GrantFilter): [condition: string, value?: string] {
  switch (filter.kind) {
    case 'all':
      return ['TRUE'];
    case 'subject':
      return ['subject = ?', userToken(filter.userId)];
    case 'grantor':
      return ['granted_by = ?', filter.userId];
    case 'path':
      return ['path = ?', filter.path];
  }
}

function count(row: Record<string, unknown> | undefined): number {
  return Number(row?.n ?? 0);
}
