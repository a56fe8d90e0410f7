/** Who may log in, and which tokens are good: users, their identities and their refresh sessions. */
import { randomBytes } from 'node:crypto';
import { AccountError } from './account-error.ts';
import type { AccountStore, IdentityRow, UserRow } from './account-store.ts';
import { isHexId, NO_DEVICE, newHexId } from './hex-id.ts';
import type { PasswordHasher } from './password-hasher.ts';
import {
  ACCESS_LIFETIME,
  REFRESH_LIFETIME,
  SIGNING_KEY_BYTES,
  type TokenClaims,
  TokenSigner,
} from './token-signer.ts';

const MIN_PASSWORD = 6;
/** Beyond this a password buys no safety, only work for whoever must hash it. */
const MAX_PASSWORD = 128;
/** The longest address that mail can be sent to. */
const MAX_NAME = 254;

const USERPASS = 'local-userpass';
const ANONYMOUS = 'anon-user';

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

export type Login = {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
};

export type Profile = {
  readonly user: User;
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
};

/** An access token that was found good. */
export type Access = { readonly user: User; readonly sessionId: string };

/** What logs in: somebody new without a name, or an identity with its password. */
export type Credentials =
  | { readonly provider: 'anon-user' }
  | { readonly provider: 'local-userpass'; readonly username: string; readonly password: string };

/** Which sessions ended before their time: those of a whole user, or a single one. */
export type Revocation = { readonly userId: string; readonly sessionId?: string };

export class Accounts {
  readonly #store: AccountStore;
  readonly #hasher: PasswordHasher;
  readonly #signer: TokenSigner;
  readonly #now: () => number;
  readonly #listeners = new Set<(revocation: Revocation) => void>();

  /** `now` gives seconds since 1970. */
  constructor(store: AccountStore, hasher: PasswordHasher, options: { appId: string; now: () => number }) {
    this.#store = store;
    this.#hasher = hasher;
    this.#now = options.now;
    const key = store.key('token-signing', () => randomBytes(SIGNING_KEY_BYTES));
    this.#signer = new TokenSigner(key, options.appId, options.now);
    store.removeSessionsExpiredBy(options.now());
  }

  /** Registers a name; the user itself comes into being at the first login (spec/app-services-http.md §2). */
  async register(name: string, password: string): Promise<void> {
    const trimmed = checkName(name);
    checkPassword(password);
    this.#refuseTaken(trimmed);
    const secret = await this.#hasher.hash(password);
    this.#store.atomically(() => {
      // Somebody else may have registered the name while the password was hashed.
      this.#refuseTaken(trimmed);
      this.#store.addIdentity(
        { id: newHexId(), userId: undefined, provider: USERPASS, name: trimmed, secret },
        this.#now(),
      );
    });
  }

  /** Logs in on a device; an unknown or missing device id is replaced by a new one (spec/app-services-http.md §4). */
  async logIn(credentials: Credentials, deviceId?: string): Promise<Login> {
    const identity = await this.#authenticate(credentials);
    const userId = this.#store.atomically(() => this.#userOf(identity));
    return this.#openSession(userId, deviceId);
  }

  /** Adds the identity to the user, who stays logged in on the same device (spec/app-services-http.md §4.4). */
  async link(accessToken: string, credentials: Credentials, deviceId?: string): Promise<Login> {
    const { user } = await this.access(accessToken);
    if (credentials.provider === ANONYMOUS) {
      throw new AccountError('BadRequest', 'anonymous credentials cannot be linked to a user');
    }
    const identity = await this.#authenticate(credentials);
    this.#store.atomically(() => {
      if (identity.userId !== undefined && identity.userId !== user.id) {
        throw new AccountError('AccountNameInUse', `"${identity.name}" belongs to another user`);
      }
      this.#store.giveIdentity(identity.id, user.id);
    });
    return this.#openSession(user.id, deviceId);
  }

  /** The user of an access token. Throws InvalidSession when the token is not, or no longer, good. */
  async access(token: string): Promise<Access> {
    const claims = await this.#signer.verify('access', token);
    return this.#live(claims);
  }

  /** A new access token for a refresh token (spec/app-services-http.md §6.4). */
  async refresh(refreshToken: string): Promise<string> {
    const claims = await this.#signer.verify('refresh', refreshToken);
    this.#live(claims);
    if (claims === undefined) throw invalidSession();
    return this.#signer.sign('access', claims, this.#now() + ACCESS_LIFETIME);
  }

  /** Ends the session of a refresh token; its access tokens end with it. */
  async logOut(refreshToken: string): Promise<void> {
    const claims = await this.#signer.verify('refresh', refreshToken);
    const { user, sessionId } = this.#live(claims);
    this.#store.removeSession(sessionId);
    this.#announce({ userId: user.id, sessionId });
  }

  async deleteUser(accessToken: string): Promise<void> {
    const { user } = await this.access(accessToken);
    this.#store.removeUser(user.id);
    this.#announce({ userId: user.id });
  }

  async profile(accessToken: string): Promise<Profile> {
    const { user } = await this.access(accessToken);
    return { user, identities: user.identities };
  }

  /** The user as of now. */
  userById(id: string): User | undefined {
    const row = this.#store.user(id);
    return row && this.#userOfRow(row);
  }

  /** The user who logs in with that name, and has done so. */
  userByName(name: string): User | undefined {
    const userId = this.#store.identity(USERPASS, name.trim())?.userId;
    return userId === undefined ? undefined : this.userById(userId);
  }

  /** The name of the first administrator, if there is one. */
  adminName(): string | undefined {
    return this.#store.adminName(USERPASS);
  }

  /**
   * Makes sure that an administrator of that name with that password exists. A changed password ends the sessions
   * made with the old one. Throws when the name belongs to an ordinary user.
   */
  async ensureAdmin(name: string, password: string): Promise<void> {
    const trimmed = checkName(name);
    checkPassword(password);
    const existing = this.#store.identity(USERPASS, trimmed);
    if (existing === undefined) {
      const secret = await this.#hasher.hash(password);
      this.#store.atomically(() => {
        const userId = newHexId();
        this.#store.addUser(userId, true, this.#now());
        this.#store.addIdentity(
          { id: newHexId(), userId, provider: USERPASS, name: trimmed, secret },
          this.#now(),
        );
      });
      return;
    }
    const { userId } = existing;
    if (userId === undefined || this.#store.user(userId)?.admin !== true) {
      throw new AccountError(
        'AccountNameInUse',
        `"${trimmed}" is an ordinary user and cannot become the admin`,
      );
    }
    if (await this.#hasher.verify(password, existing.secret ?? '')) return;
    const secret = await this.#hasher.hash(password);
    this.#store.atomically(() => {
      this.#store.setSecret(existing.id, secret);
      this.#store.removeSessionsOf(userId);
    });
  }

  /** Calls back when sessions end before their time. Returns its undo. */
  onRevoked(listener: (revocation: Revocation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#store.close();
  }

  async #authenticate(credentials: Credentials): Promise<IdentityRow> {
    if (credentials.provider === ANONYMOUS) {
      const id = newHexId();
      return { id, userId: undefined, provider: ANONYMOUS, name: id, secret: undefined };
    }
    const { username, password } = credentials;
    const identity = this.#store.identity(USERPASS, username.trim());
    // A longer one than could have been registered is not worth hashing.
    const good =
      password.length <= MAX_PASSWORD &&
      (identity?.secret === undefined
        ? await this.#hasher.verifyNothing(password)
        : await this.#hasher.verify(password, identity.secret));
    if (!good || identity === undefined) {
      throw new AccountError('InvalidPassword', 'invalid username/password');
    }
    // Read again: another login may have made its user in the meantime.
    return this.#store.identity(USERPASS, identity.name) ?? identity;
  }

  /** The user of an identity, made at its first login. */
  #userOf(identity: IdentityRow): string {
    if (identity.userId !== undefined) return identity.userId;
    const userId = newHexId();
    this.#store.addUser(userId, false, this.#now());
    if (identity.provider === ANONYMOUS) this.#store.addIdentity({ ...identity, userId }, this.#now());
    else this.#store.giveIdentity(identity.id, userId);
    return userId;
  }

  async #openSession(userId: string, requestedDevice: string | undefined): Promise<Login> {
    if (this.#store.user(userId)?.disabled !== false) {
      throw new AccountError('UserDisabled', 'this user is disabled');
    }
    const now = this.#now();
    const deviceId = isHexId(requestedDevice) && requestedDevice !== NO_DEVICE ? requestedDevice : newHexId();
    const claims: TokenClaims = { userId, deviceId, sessionId: newHexId() };
    const expiresAt = now + REFRESH_LIFETIME;
    this.#store.atomically(() => {
      this.#store.removeSessionsExpiredBy(now);
      this.#store.addSession({ id: claims.sessionId, userId, deviceId, expiresAt });
    });
    const [accessToken, refreshToken] = await Promise.all([
      this.#signer.sign('access', claims, now + ACCESS_LIFETIME),
      this.#signer.sign('refresh', claims, expiresAt),
    ]);
    return { userId, deviceId, accessToken, refreshToken };
  }

  /** The user behind claims whose session is still open. */
  #live(claims: TokenClaims | undefined): Access {
    if (claims === undefined) throw invalidSession();
    const session = this.#store.session(claims.sessionId);
    const user = this.#store.user(claims.userId);
    if (session?.userId !== claims.userId || user === undefined || session.expiresAt <= this.#now()) {
      throw invalidSession();
    }
    if (user.disabled) throw new AccountError('UserDisabled', 'this user is disabled');
    return { user: this.#userOfRow(user), sessionId: session.id };
  }

  #userOfRow({ id, admin }: UserRow): User {
    const identities = this.#store.identitiesOf(id);
    const name = identities.find(({ provider }) => provider === USERPASS)?.name;
    return {
      id,
      isAdmin: admin,
      customData: {},
      data: name === undefined ? {} : { email: name },
      identities: identities.map((identity) => ({ id: identity.id, provider: identity.provider })),
      ...(name !== undefined && { name }),
    };
  }

  #refuseTaken(name: string): void {
    if (this.#store.identity(USERPASS, name) !== undefined) {
      throw new AccountError('AccountNameInUse', 'name already in use');
    }
  }

  #announce(revocation: Revocation): void {
    for (const listener of this.#listeners) listener(revocation);
  }
}

function invalidSession(): AccountError {
  return new AccountError('InvalidSession', 'invalid session');
}

function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MAX_NAME) {
    throw new AccountError('InvalidParameter', `email must have 1 to ${MAX_NAME} characters`);
  }
  return trimmed;
}

function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD || password.length > MAX_PASSWORD) {
    throw new AccountError(
      'InvalidParameter',
      `password must have ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`,
    );
  }
}
