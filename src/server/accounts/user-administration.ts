/** What administrators do with users. Whoever calls this has made sure to speak for one. */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { newHexId } from './hex-id.ts';
import { passwordIdentity, USERPASS } from './identity-table.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { checkName, checkPassword } from './passwords.ts';
import { keepAnAdministrator, type UserDirectory, type UserRecord } from './user-directory.ts';
import type { UserRow } from './user-table.ts';

/** It travels in every access token, and those in the addresses of sockets: 8 KiB is what servers take there. */
const MAX_CUSTOM_DATA = 4 * 1024;

export type NewUser = {
  readonly name: string;
  readonly password: string;
  readonly admin?: boolean | undefined;
  readonly customData?: Readonly<Record<string, unknown>> | undefined;
};

/** What an administrator changes of a user; what is not named stays. */
export type UserChange = {
  readonly admin?: boolean | undefined;
  readonly disabled?: boolean | undefined;
  readonly password?: string | undefined;
  /** Replaces what was there. */
  readonly customData?: Readonly<Record<string, unknown>> | undefined;
};

export class UserAdministration {
  readonly #store: AccountStore;
  readonly #directory: UserDirectory;
  readonly #hasher: PasswordHasher;
  readonly #now: () => number;

  constructor(
    store: AccountStore,
    directory: UserDirectory,
    hasher: PasswordHasher,
    /** Seconds since 1970. */
    now: () => number,
  ) {
    this.#store = store;
    this.#directory = directory;
    this.#hasher = hasher;
    this.#now = now;
  }

  async create({ name, password, admin = false, customData = {} }: NewUser): Promise<UserRecord> {
    const data = customDataJson(customData);
    const trimmed = checkName(name);
    checkPassword(password);
    refuseTaken(this.#store, trimmed);
    const secret = await this.#hasher.hash(password);
    const userId = newHexId();
    this.#store.atomically(() => {
      // Somebody else may have taken the name while the password was hashed.
      refuseTaken(this.#store, trimmed);
      this.#store.users.add(userId, admin, this.#now());
      this.#store.users.setCustomData(userId, data);
      this.#store.identities.add(passwordIdentity(userId, trimmed, secret), this.#now());
    });
    const record = this.#directory.record(userId);
    if (record === undefined) throw new AccountError('UserNotFound', `${userId} was removed at once`);
    return record;
  }

  /**
   * Changes everything that is named, or nothing. A disabled user cannot log in; a new password, like being disabled,
   * ends the user's sessions. A registration becomes a user, whom its owner finds at the first login.
   */
  async change(userId: string, change: UserChange): Promise<void> {
    if (change.password === undefined) return this.changeNow(userId, change);
    checkPassword(change.password);
    // Before the work of hashing, and again with the hash.
    this.#passwordIdentity(userId);
    this.changeNow(userId, change, await this.#hasher.hash(change.password));
  }

  /** As {@link change}; a password comes as `secret`, its hash. */
  changeNow(userId: string, change: Omit<UserChange, 'password'>, secret?: string): void {
    const { admin, disabled } = change;
    const customData = change.customData && customDataJson(change.customData);
    const before = this.#store.atomically(() => {
      const row = this.#directory.existing(userId);
      if (secret !== undefined) this.#store.identities.setSecret(this.#passwordIdentity(userId), secret);
      const user = secret !== undefined && isOnlyPassword(change) ? row : this.#withUser(row);
      if (admin === false) keepAnAdministrator(this.#store, user, 'demoted');
      if (admin !== undefined) this.#store.users.setAdmin(userId, admin);
      if (disabled === true) keepAnAdministrator(this.#store, user, 'disabled');
      if (disabled !== undefined) this.#store.users.setDisabled(userId, disabled);
      if (customData !== undefined) this.#store.users.setCustomData(userId, customData);
      if (disabled === true || secret !== undefined) this.#store.sessions.removeOf(userId);
      return row;
    });
    if (disabled === true || secret !== undefined) this.#directory.announceRevoked({ userId });
    const isOther =
      (admin !== undefined && before.admin !== admin) ||
      (customData !== undefined && before.customData !== customData);
    if (isOther) this.#directory.announceChanged(userId);
  }

  /** Also a registration that nobody has logged in with. */
  remove(userId: string): void {
    this.#store.atomically(() => {
      const row = this.#directory.existing(userId);
      keepAnAdministrator(this.#store, row, 'removed');
      if (row.registered) this.#store.identities.remove(userId);
      else this.#store.users.remove(userId);
    });
    this.#directory.announceRevoked({ userId });
  }

  revokeSessions(userId: string): void {
    this.#directory.existing(userId);
    this.#store.sessions.removeOf(userId);
    this.#directory.announceRevoked({ userId });
  }

  /** The identity that holds the user's password. Throws BadRequest. */
  #passwordIdentity(userId: string): string {
    const { registered } = this.#directory.existing(userId);
    const identity = registered
      ? this.#store.identities.get(userId)
      : this.#store.identities.ofUser(userId).find(({ provider }) => provider === USERPASS);
    if (identity === undefined) {
      throw new AccountError('BadRequest', `${userId} does not log in with a password`);
    }
    return identity.id;
  }

  #withUser<T extends UserRow & { readonly registered: boolean }>(row: T): T {
    if (row.registered) {
      this.#store.users.add(row.id, false, this.#now());
      this.#store.identities.giveTo(row.id, row.id);
    }
    return row;
  }
}

function isOnlyPassword({ admin, disabled, customData }: UserChange): boolean {
  return admin === undefined && disabled === undefined && customData === undefined;
}

/** Throws InvalidParameter. */
function customDataJson(data: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(data);
  if (Buffer.byteLength(json) <= MAX_CUSTOM_DATA) return json;
  throw new AccountError(
    'InvalidParameter',
    `the custom data of a user has at most ${MAX_CUSTOM_DATA} bytes of JSON`,
  );
}

/** Throws AccountNameInUse. */
export function refuseTaken(store: AccountStore, name: string): void {
  if (store.identities.find(USERPASS, name) !== undefined) {
    throw new AccountError('AccountNameInUse', 'name already in use');
  }
}
