/** Users as the rest of the server sees them, and who wants to know when they change. */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { type IdentityRow, USERPASS } from './identity-table.ts';
import type { ListedRow, UserRow } from './user-table.ts';

/** A user as the rest of the server sees it. */
export type User = {
  readonly id: string;
  /** Email or name that the user logs in with, when there is one. */
  readonly name?: string;
  readonly isAdmin: boolean;
  /** What the app's operator keeps about the user; rules refer to it. */
  readonly customData: Readonly<Record<string, unknown>>;
  /** What login providers told about the user. */
  readonly data: Readonly<Record<string, string>>;
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
};

/** A user as administrators see it. */
export type UserRecord = {
  readonly id: string;
  readonly name?: string;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly createdAt: Date;
  readonly lastLoginAt?: Date;
  readonly identities: readonly { readonly id: string; readonly provider: string; readonly name: string }[];
  readonly customData: Readonly<Record<string, unknown>>;
  /** Registered, but nobody has logged in with it yet, or the address is not confirmed. */
  readonly pending?: boolean;
};

/** Which sessions ended before their time: those of a whole user, or a single one. */
export type Revocation = { readonly userId: string; readonly sessionId?: string };

const NO_DATA = '{}';

export class UserDirectory {
  readonly #store: AccountStore;
  readonly #revoked = new Set<(revocation: Revocation) => void>();
  readonly #changed = new Set<(userId: string) => void>();

  constructor(store: AccountStore) {
    this.#store = store;
  }

  byId(id: string): User | undefined {
    const row = this.#store.users.get(id);
    return row && this.userOf(row);
  }

  /** The user who logs in with that name, and has shown to be its owner. */
  byName(name: string): User | undefined {
    const identity = this.#store.identities.find(USERPASS, name.trim());
    if (identity?.userId === undefined || identity.unconfirmed) return undefined;
    return this.byId(identity.userId);
  }

  userOf(row: UserRow): User {
    const identities = this.#store.identities.ofUser(row.id);
    const name = nameOf(identities);
    return {
      id: row.id,
      isAdmin: row.admin,
      customData: objectOf(row.customData),
      data: dataOf(identities),
      identities: identities.map(({ id, provider }) => ({ id, provider })),
      ...(name !== undefined && { name }),
    };
  }

  list(after: string, limit: number): readonly UserRecord[] {
    return this.#store.users.list(after, limit).map((row) => this.#recordOf(row));
  }

  /** By id, or by the name that the user logs in with. */
  record(idOrName: string): UserRecord | undefined {
    const identity = this.#store.identities.find(USERPASS, idOrName.trim());
    const row =
      this.#store.users.listed(idOrName) ??
      (identity && this.#store.users.listed(identity.userId ?? identity.id));
    return row && this.#recordOf(row);
  }

  /** Throws UserNotFound. */
  existing(id: string): UserRow & { readonly registered: boolean } {
    const row = this.#store.users.listed(id);
    if (row === undefined) throw new AccountError('UserNotFound', `there is no user ${id}`);
    return row;
  }

  onRevoked(listener: (revocation: Revocation) => void): () => void {
    this.#revoked.add(listener);
    return () => this.#revoked.delete(listener);
  }

  onChanged(listener: (userId: string) => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  announceRevoked(revocation: Revocation): void {
    for (const listener of this.#revoked) listener(revocation);
  }

  announceChanged(userId: string): void {
    for (const listener of this.#changed) listener(userId);
  }

  #recordOf(row: ListedRow): UserRecord {
    const registration = row.registered ? this.#store.identities.get(row.id) : undefined;
    const identities = registration ? [registration] : this.#store.identities.ofUser(row.id);
    const name = nameOf(identities);
    return {
      id: row.id,
      ...(name !== undefined && { name }),
      isAdmin: row.admin,
      isDisabled: row.disabled,
      createdAt: dateOf(row.createdAt),
      ...(row.lastLoginAt !== undefined && { lastLoginAt: dateOf(row.lastLoginAt) }),
      identities: identities.map((identity) => ({
        id: identity.id,
        provider: identity.provider,
        name: identity.name,
      })),
      customData: objectOf(row.customData),
      ...((row.registered || identities.some(({ unconfirmed }) => unconfirmed)) && { pending: true }),
    };
  }
}

/** Throws LastAdministrator when nobody would be left who can administer the server. */
export function keepAnAdministrator(store: AccountStore, user: UserRow, what: string): void {
  if (!user.admin || user.disabled || store.users.hasOtherAdmin(user.id)) return;
  throw new AccountError(
    'LastAdministrator',
    `${user.id} is the last administrator and cannot be ${what}: make another user administrator first`,
  );
}

function nameOf(identities: readonly IdentityRow[]): string | undefined {
  return identities.find(({ provider }) => provider === USERPASS)?.name;
}

/** What an earlier identity says of a field wins: a linked one must not rename the user. */
function dataOf(identities: readonly IdentityRow[]): Readonly<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const { provider, name, data: json } of identities) {
    if (provider === USERPASS) data.email ??= name;
    if (json === NO_DATA) continue;
    for (const [field, value] of Object.entries(objectOf(json))) {
      if (typeof value === 'string') data[field] ??= value;
    }
  }
  return data;
}

/** What the store wrote as JSON of an object. */
function objectOf(json: string): Readonly<Record<string, unknown>> {
  return json === NO_DATA ? {} : (JSON.parse(json) as Record<string, unknown>);
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1_000);
}
