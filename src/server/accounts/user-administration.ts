/** What administrators do with users. Whoever calls this has made sure to speak for one. */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { newHexId } from './hex-id.ts';
import { USERPASS } from './identity-table.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { checkName, checkPassword } from './passwords.ts';
import { keepAnAdministrator, type UserDirectory, type UserRecord } from './user-directory.ts';
import type { UserRow } from './user-table.ts';

/** It travels in every access token, and those in the addresses of sockets: 8 KiB is what servers take there. */
const MAX_CUSTOM_DATA = 4 * 1024;

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

  async create(name: string, password: string, admin: boolean): Promise<UserRecord> {
    const trimmed = checkName(name);
    checkPassword(password);
    refuseTaken(this.#store, trimmed);
    const secret = await this.#hasher.hash(password);
    const userId = newHexId();
    this.#store.atomically(() => {
      // Somebody else may have taken the name while the password was hashed.
      refuseTaken(this.#store, trimmed);
      this.#store.users.add(userId, admin, this.#now());
      this.#store.identities.add(
        {
          id: newHexId(),
          userId,
          provider: USERPASS,
          source: '',
          name: trimmed,
          secret,
          unconfirmed: false,
          data: '{}',
        },
        this.#now(),
      );
    });
    const record = this.#directory.record(userId);
    if (record === undefined) throw new AccountError('UserNotFound', `${userId} was removed at once`);
    return record;
  }

  setAdmin(userId: string, admin: boolean): void {
    const user = this.#change(userId, (row) => {
      if (!admin) keepAnAdministrator(this.#store, row, 'demoted');
      this.#store.users.setAdmin(userId, admin);
    });
    if (user.admin !== admin) this.#directory.announceChanged(userId);
  }

  /** A disabled user cannot log in, and its sessions end. */
  setDisabled(userId: string, disabled: boolean): void {
    this.#change(userId, (row) => {
      if (disabled) {
        keepAnAdministrator(this.#store, row, 'disabled');
        this.#store.sessions.removeOf(userId);
      }
      this.#store.users.setDisabled(userId, disabled);
    });
    if (disabled) this.#directory.announceRevoked({ userId });
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

  /** Ends the sessions made with the old password. */
  async setPassword(userId: string, password: string): Promise<void> {
    checkPassword(password);
    const { registered } = this.#directory.existing(userId);
    const identity = registered
      ? this.#store.identities.get(userId)
      : this.#store.identities.ofUser(userId).find(({ provider }) => provider === USERPASS);
    if (identity === undefined) {
      throw new AccountError('BadRequest', `${userId} does not log in with a password`);
    }
    const secret = await this.#hasher.hash(password);
    this.#store.atomically(() => {
      this.#store.identities.setSecret(identity.id, secret);
      this.#store.sessions.removeOf(userId);
    });
    this.#directory.announceRevoked({ userId });
  }

  setCustomData(userId: string, data: Readonly<Record<string, unknown>>): void {
    const json = JSON.stringify(data);
    if (Buffer.byteLength(json) > MAX_CUSTOM_DATA) {
      throw new AccountError(
        'InvalidParameter',
        `the custom data of a user has at most ${MAX_CUSTOM_DATA} bytes of JSON`,
      );
    }
    const before = this.#change(userId, () => this.#store.users.setCustomData(userId, json));
    if (before.customData !== json) this.#directory.announceChanged(userId);
  }

  /** Changes a user; a registration becomes one, which its owner finds at the first login. Returns what was. */
  #change(userId: string, change: (row: UserRow) => void): UserRow {
    return this.#store.atomically(() => {
      const row = this.#directory.existing(userId);
      if (row.registered) {
        this.#store.users.add(userId, false, this.#now());
        this.#store.identities.giveTo(userId, userId);
      }
      change(row);
      return row;
    });
  }
}

/** Throws AccountNameInUse. */
export function refuseTaken(store: AccountStore, name: string): void {
  if (store.identities.find(USERPASS, name) !== undefined) {
    throw new AccountError('AccountNameInUse', 'name already in use');
  }
}
