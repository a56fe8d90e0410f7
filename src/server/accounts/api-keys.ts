/**
 * API keys: those that users make for themselves, and those of the server, each of which stands for a user of its
 * own. A key is its id and a secret; only a hash of the secret is kept.
 */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { type ApiKeyRow, SERVER_OWNER } from './api-key-table.ts';
import { newHexId } from './hex-id.ts';
import type { Proof } from './proof.ts';
import { hashOf, matchesHash, newSecret } from './secret-hash.ts';
import type { UserDirectory } from './user-directory.ts';

export const API_KEY = 'api-key';

const MAX_NAME = 64;
/** Of one owner: a device or program each; more is a leak. */
const MAX_KEYS = 100;
/** An id of 24 digits, then the secret. */
const KEY_FORM = /^([0-9a-f]{24})([A-Za-z0-9_-]{43})$/;

export type ApiKey = { readonly id: string; readonly name: string; readonly disabled: boolean };
export type NewApiKey = ApiKey & { readonly key: string };

export class ApiKeys {
  readonly #store: AccountStore;
  readonly #directory: UserDirectory;
  readonly #now: () => number;

  constructor(store: AccountStore, directory: UserDirectory, now: () => number) {
    this.#store = store;
    this.#directory = directory;
    this.#now = now;
  }

  create(owner: string, name: string): NewApiKey {
    const trimmed = name.trim();
    if (trimmed === '' || trimmed.length > MAX_NAME) {
      throw new AccountError('InvalidParameter', `name must have 1 to ${MAX_NAME} characters`);
    }
    const secret = newSecret();
    const row: ApiKeyRow = { id: newHexId(), owner, name: trimmed, hash: hashOf(secret), disabled: false };
    this.#store.atomically(() => {
      if (this.#store.apiKeys.named(owner, trimmed) !== undefined) {
        throw new AccountError('APIKeyAlreadyExists', `there is an API key named "${trimmed}" already`);
      }
      if (this.#store.apiKeys.ofOwner(owner).length >= MAX_KEYS) {
        throw new AccountError('BadRequest', `nobody can have more than ${MAX_KEYS} API keys`);
      }
      this.#store.apiKeys.add(row, this.#now());
    });
    return { ...shown(row), key: `${row.id}${secret}` };
  }

  list(owner: string): readonly ApiKey[] {
    return this.#store.apiKeys.ofOwner(owner).map(shown);
  }

  get(owner: string, id: string): ApiKey {
    return shown(this.#existing(owner, id));
  }

  /** Sessions that a disabled key opened end. */
  setDisabled(owner: string, id: string, disabled: boolean): void {
    const ended = this.#store.atomically(() => {
      this.#existing(owner, id);
      this.#store.apiKeys.setDisabled(id, disabled);
      return disabled ? this.#endSessions(owner, id) : [];
    });
    for (const revocation of ended) this.#directory.announceRevoked(revocation);
  }

  /** Removes a key with the sessions that it opened, and one of the server with the user that it stands for. */
  remove(owner: string, id: string): void {
    const ended = this.#store.atomically(() => {
      this.#existing(owner, id);
      const revocations = this.#endSessions(owner, id);
      const userId = owner === SERVER_OWNER ? this.#userOfServerKey(id) : undefined;
      if (userId !== undefined) this.#store.users.remove(userId);
      this.#store.apiKeys.remove(id);
      return userId === undefined ? revocations : [{ userId }];
    });
    for (const revocation of ended) this.#directory.announceRevoked(revocation);
  }

  /** Whose key it is. Throws AuthError for one that is unknown or disabled. */
  verify(key: string): Proof {
    const [, id = '', secret = ''] = KEY_FORM.exec(key) ?? [];
    const row = this.#store.apiKeys.get(id);
    if (row === undefined || !matchesHash(secret, row.hash) || row.disabled) {
      throw new AccountError('AuthError', 'invalid API key');
    }
    const userId = row.owner === SERVER_OWNER ? undefined : row.owner;
    return { kind: 'key', keyId: id, keyName: row.name, userId };
  }

  #existing(owner: string, id: string): ApiKeyRow {
    const row = this.#store.apiKeys.get(id);
    if (row?.owner !== owner) throw new AccountError('APIKeyNotFound', `there is no API key ${id}`);
    return row;
  }

  #endSessions(owner: string, id: string): readonly { userId: string; sessionId: string }[] {
    const userId = owner === SERVER_OWNER ? this.#userOfServerKey(id) : owner;
    const ended = this.#store.sessions.removeOfKey(id);
    return userId === undefined ? [] : ended.map((sessionId) => ({ userId, sessionId }));
  }

  #userOfServerKey(id: string): string | undefined {
    return this.#store.identities.find(API_KEY, id)?.userId;
  }
}

function shown({ id, name, disabled }: ApiKeyRow): ApiKey {
  return { id, name, disabled };
}
