/** Who may log in, and which tokens are good: users, their identities and their refresh sessions. */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import { SERVER_OWNER } from './api-key-table.ts';
import { type ApiKey, ApiKeys, type NewApiKey } from './api-keys.ts';
import { EmailAccounts, type EmailAccountsOptions } from './email-accounts.ts';
import { newHexId } from './hex-id.ts';
import { type IdentityRow, USERPASS } from './identity-table.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { ANONYMOUS, type Proof } from './proof.ts';
import { type Login, Sessions } from './sessions.ts';
import { type NewUser, UserAdministration, type UserChange } from './user-administration.ts';
import {
  keepAnAdministrator,
  type Revocation,
  type User,
  UserDirectory,
  type UserRecord,
} from './user-directory.ts';

export type { ApiKey, Login, NewApiKey, Revocation, User, UserRecord };

/** An access token that was found good. */
export type Access = { readonly user: User; readonly sessionId: string };

export type AccountsOptions = {
  readonly appId: string;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly email?: EmailAccountsOptions | undefined;
};

export class Accounts {
  /** Registration, confirmation and reset of those who log in with a password. */
  readonly email: EmailAccounts;
  readonly apiKeys: ApiKeys;
  readonly #store: AccountStore;
  readonly #directory: UserDirectory;
  readonly #sessions: Sessions;
  readonly #administration: UserAdministration;
  readonly #now: () => number;

  constructor(store: AccountStore, hasher: PasswordHasher, options: AccountsOptions) {
    this.#store = store;
    this.#now = options.now;
    this.#directory = new UserDirectory(store);
    this.#sessions = new Sessions(store, this.#directory, options);
    this.#administration = new UserAdministration(store, this.#directory, hasher, options.now);
    this.email = new EmailAccounts(store, this.#directory, hasher, options.now, options.email);
    this.apiKeys = new ApiKeys(store, this.#directory, options.now);
  }

  /** Logs in with what was proven; an unknown identity becomes a user (spec/app-services-http.md §4). */
  async logIn(proof: Proof, deviceId?: string): Promise<Login> {
    const { userId, changed } = this.#store.atomically(() => this.#userOf(proof));
    if (changed) this.#directory.announceChanged(userId);
    return this.#sessions.open(userId, deviceId, proof.kind === 'key' ? proof.keyId : undefined);
  }

  /**
   * Adds the identity to the user, who stays logged in on the same device unless another one is named
   * (spec/app-services-http.md §4.4).
   */
  async link(accessToken: string, proof: Proof, deviceId?: string): Promise<Login> {
    const session = this.#sessions.ofAccessToken(accessToken);
    const userId = session.row.id;
    if (proof.kind === 'anonymous' || proof.kind === 'key') {
      throw new AccountError('BadRequest', `${providerOf(proof)} credentials cannot be linked to a user`);
    }
    this.#store.atomically(() => {
      const identity = this.#identityOf(proof);
      if (identity?.userId !== undefined && identity.userId !== userId) {
        throw new AccountError('AccountNameInUse', 'that identity belongs to another user');
      }
      if (identity === undefined) this.#addIdentity(proof, userId);
      else if (identity.userId === undefined) this.#store.identities.giveTo(identity.id, userId);
      this.#keepTold(proof, userId, identity);
    });
    this.#directory.announceChanged(userId);
    return this.#sessions.open(userId, deviceId ?? session.deviceId);
  }

  /** The user of an access token. Throws InvalidSession when the token is not, or no longer, good. */
  async access(token: string): Promise<Access> {
    const { row, sessionId } = this.#sessions.ofAccessToken(token);
    return { user: this.#directory.userOf(row), sessionId };
  }

  /** The id of the user of a refresh token, or of an access token: SDKs send either for API keys. */
  async bearer(token: string): Promise<string> {
    try {
      return this.#sessions.ofRefreshToken(token).row.id;
    } catch (error) {
      if (!(error instanceof AccountError) || error.errorName !== 'InvalidSession') throw error;
      return this.#sessions.ofAccessToken(token).row.id;
    }
  }

  /** A new access token for a refresh token (spec/app-services-http.md §6.4). */
  async refresh(refreshToken: string): Promise<string> {
    return this.#sessions.refresh(refreshToken);
  }

  /** Ends the session of a refresh token; its access tokens end with it. */
  async logOut(refreshToken: string): Promise<void> {
    this.#sessions.end(refreshToken);
  }

  async deleteUser(accessToken: string): Promise<void> {
    const { row } = this.#sessions.ofAccessToken(accessToken);
    this.#store.atomically(() => {
      keepAnAdministrator(this.#store, row, 'removed');
      this.#store.users.remove(row.id);
    });
    this.#directory.announceRevoked({ userId: row.id });
  }

  /** The user as of now. */
  userById(id: string): User | undefined {
    return this.#directory.byId(id);
  }

  /** The user who logs in with that name, and has done so. */
  userByName(name: string): User | undefined {
    return this.#directory.byName(name);
  }

  /** Users and registrations in the order of their ids, beginning after `after`. */
  listUsers(page: { readonly after?: string; readonly limit: number }): readonly UserRecord[] {
    return this.#directory.list(page.after ?? '', page.limit);
  }

  /** By id, or by the name that the user logs in with. */
  findUser(idOrName: string): UserRecord | undefined {
    return this.#directory.record(idOrName);
  }

  /** A user that logs in with that name and password, and need not confirm anything. */
  createUser(user: NewUser): Promise<UserRecord> {
    return this.#administration.create(user);
  }

  /** Changes everything that is named, or nothing. */
  changeUser(userId: string, change: UserChange): Promise<void> {
    return this.#administration.change(userId, change);
  }

  setAdmin(userId: string, admin: boolean): void {
    this.#administration.changeNow(userId, { admin });
  }

  setDisabled(userId: string, disabled: boolean): void {
    this.#administration.changeNow(userId, { disabled });
  }

  removeUser(userId: string): void {
    this.#administration.remove(userId);
  }

  revokeSessions(userId: string): void {
    this.#administration.revokeSessions(userId);
  }

  setPassword(userId: string, password: string): Promise<void> {
    return this.#administration.change(userId, { password });
  }

  setCustomData(userId: string, data: Readonly<Record<string, unknown>>): void {
    this.#administration.changeNow(userId, { customData: data });
  }

  /** A key with which programs log in as a user of its own; the only answer that shows it. */
  createServerKey(name: string): NewApiKey {
    return this.apiKeys.create(SERVER_OWNER, name);
  }

  listServerKeys(): readonly ApiKey[] {
    return this.apiKeys.list(SERVER_OWNER);
  }

  setServerKeyDisabled(id: string, disabled: boolean): void {
    this.apiKeys.setDisabled(SERVER_OWNER, id, disabled);
  }

  removeServerKey(id: string): void {
    this.apiKeys.remove(SERVER_OWNER, id);
  }

  /** The name of the first administrator, if there is one. */
  adminName(): string | undefined {
    return this.#store.users.adminName(USERPASS);
  }

  /** Sees to it that there is an administrator of that name with that password (email-accounts.ts). */
  ensureAdmin(name: string, password: string): Promise<void> {
    return this.email.ensureAdmin(name, password);
  }

  /** Calls back when sessions end before their time. Returns its undo. */
  onRevoked(listener: (revocation: Revocation) => void): () => void {
    return this.#directory.onRevoked(listener);
  }

  /** Calls back when something that rights depend on changed: custom data, data, identities, being administrator. */
  onUserChanged(listener: (userId: string) => void): () => void {
    return this.#directory.onChanged(listener);
  }

  close(): void {
    this.#store.close();
  }

  /** The user of what was proven, made at its first login. */
  #userOf(proof: Proof): { userId: string; changed: boolean } {
    if (proof.kind === 'key' && proof.userId !== undefined) return { userId: proof.userId, changed: false };
    const identity = this.#identityOf(proof);
    if (identity?.userId !== undefined) {
      return { userId: identity.userId, changed: this.#keepTold(proof, identity.userId, identity) };
    }
    // A registration was listed under the id of its identity, and keeps it.
    const userId = identity?.id ?? newHexId();
    this.#store.users.add(userId, false, this.#now());
    if (identity === undefined) this.#addIdentity(proof, userId);
    else this.#store.identities.giveTo(identity.id, userId);
    this.#keepTold(proof, userId, identity);
    return { userId, changed: false };
  }

  /** Read anew: another login may have made the user since the proof. */
  #identityOf(proof: Proof): IdentityRow | undefined {
    switch (proof.kind) {
      case 'anonymous':
        return undefined;
      case 'password': {
        const identity = this.#store.identities.get(proof.identityId);
        if (identity === undefined) {
          throw new AccountError('InvalidPassword', 'invalid username/password');
        }
        if (identity.unconfirmed) throw new AccountError('AuthError', 'confirmation required');
        return identity;
      }
      case 'key':
        return this.#store.identities.find('api-key', proof.keyId);
      case 'external':
        return this.#store.identities.find(proof.provider, proof.name, proof.source);
    }
  }

  #addIdentity(proof: Proof, userId: string): void {
    const id = newHexId();
    const external = proof.kind === 'external' ? proof : undefined;
    this.#store.identities.add(
      {
        id,
        userId,
        provider: providerOf(proof),
        source: external?.source ?? '',
        name: external?.name ?? (proof.kind === 'key' ? proof.keyId : id),
        secret: undefined,
        unconfirmed: false,
        data: JSON.stringify(proof.kind === 'key' ? { name: proof.keyName } : (external?.data ?? {})),
      },
      this.#now(),
    );
  }

  /** Writes down what an issuer told about the user, when it is something new. */
  #keepTold(proof: Proof, userId: string, identity: IdentityRow | undefined): boolean {
    if (proof.kind !== 'external') return false;
    let changed = false;
    const data = JSON.stringify(proof.data);
    if (identity !== undefined && identity.data !== data) {
      this.#store.identities.setData(identity.id, data);
      changed = true;
    }
    const user = this.#store.users.get(userId);
    if (proof.isAdmin !== undefined && user !== undefined && user.admin !== proof.isAdmin) {
      // The issuer has no say in whether the server can be administered at all.
      if (proof.isAdmin || this.#store.users.hasOtherAdmin(userId)) {
        this.#store.users.setAdmin(userId, proof.isAdmin);
        changed = true;
      }
    }
    return changed;
  }
}

function providerOf(proof: Proof): string {
  switch (proof.kind) {
    case 'anonymous':
      return ANONYMOUS;
    case 'password':
      return USERPASS;
    case 'key':
      return 'api-key';
    case 'external':
      return proof.provider;
  }
}
