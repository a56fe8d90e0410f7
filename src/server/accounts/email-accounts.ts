/**
 * Those who log in with an address and a password: registration, confirmation of the address, reset of the password
 * (spec/app-services-http.md §2, §8.4).
 */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import type {
  AccountRequest,
  ByFunction,
  ConfirmationByMail,
  EmailAccountsOptions,
  ResetByMail,
} from './email-options.ts';
import { type EmailToken, EmailTokens } from './email-tokens.ts';
import { newHexId } from './hex-id.ts';
import { type IdentityRow, passwordIdentity, USERPASS } from './identity-table.ts';
import { sendTokenMail, settleInTime } from './outside-calls.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { checkName, checkPassword, MAX_PASSWORD } from './passwords.ts';
import type { Proof } from './proof.ts';
import { refuseTaken } from './user-administration.ts';
import type { UserDirectory } from './user-directory.ts';

export type { EmailAccountsOptions };

const MINUTE = 60;
/** Long enough for a mail that is read in the evening. */
const CONFIRMATION_MINUTES = 24 * 60;
/** Who asks for a new password waits for it. */
const RESET_MINUTES = 30;
const CONFIRMATION_SUBJECT = 'Confirm your email address';
const RESET_SUBJECT = 'Set a new password';

export class EmailAccounts {
  readonly #store: AccountStore;
  readonly #directory: UserDirectory;
  readonly #hasher: PasswordHasher;
  readonly #now: () => number;
  readonly #tokens: EmailTokens;
  readonly #confirmation: 'automatic' | ByFunction | ConfirmationByMail;
  readonly #reset: 'off' | ByFunction | ResetByMail;

  constructor(
    store: AccountStore,
    directory: UserDirectory,
    hasher: PasswordHasher,
    /** Seconds since 1970. */
    now: () => number,
    options: EmailAccountsOptions = {},
  ) {
    this.#store = store;
    this.#directory = directory;
    this.#hasher = hasher;
    this.#now = now;
    this.#tokens = new EmailTokens(store, now);
    this.#confirmation = options.confirmation ?? 'automatic';
    this.#reset = options.reset ?? 'off';
  }

  /** Registers a name; the user itself comes into being at the first login (spec/app-services-http.md §2). */
  async register(name: string, password: string): Promise<void> {
    const trimmed = checkName(name);
    checkPassword(password);
    this.#forgetUnconfirmed(trimmed);
    refuseTaken(this.#store, trimmed);
    const identity: IdentityRow = {
      id: newHexId(),
      userId: undefined,
      provider: USERPASS,
      source: '',
      name: trimmed,
      secret: await this.#hasher.hash(password),
      unconfirmed: this.#confirmation !== 'automatic',
      data: '{}',
    };
    this.#store.atomically(() => {
      // Somebody else may have registered the name while the password was hashed.
      refuseTaken(this.#store, trimmed);
      this.#store.identities.add(identity, this.#now());
    });
    if (!identity.unconfirmed) return;
    try {
      await this.#askForConfirmation(identity, password);
    } catch (error) {
      // Who cannot confirm must be able to register again.
      this.#store.identities.remove(identity.id);
      throw error;
    }
  }

  confirm(token: EmailToken): void {
    this.#tokens.redeem(token, 'confirm', ({ id }) => this.#store.identities.confirm(id));
  }

  /** Asks once more for a confirmation, in the way that is configured. */
  async repeatConfirmation(name: string): Promise<void> {
    const identity = this.#named(name);
    if (!identity.unconfirmed) throw new AccountError('UserAlreadyConfirmed', 'already confirmed');
    await this.#askForConfirmation(identity, undefined);
  }

  /** Sends a token with which a new password can be set. */
  async sendReset(name: string): Promise<void> {
    const way = this.#wayToReset();
    const identity = this.#named(name);
    const token = this.#tokens.issue(identity.id, 'reset', (way.tokenMinutes ?? RESET_MINUTES) * MINUTE);
    if ('mail' in way) {
      const subject = way.subject ?? RESET_SUBJECT;
      await sendTokenMail(way.mail, { to: identity.name, subject, page: way.resetUrl, token });
    } else await this.#judge(way, { ...token, username: identity.name });
  }

  /** Lets the reset function of the configuration decide about a new password. */
  async callReset(name: string, password: string, values: readonly unknown[]): Promise<void> {
    checkPassword(password);
    const way = this.#wayToReset();
    if ('mail' in way) {
      throw new AccountError('BadRequest', 'there is no reset function: passwords are reset by mail');
    }
    const identity = this.#named(name);
    const token = this.#tokens.issue(identity.id, 'reset', (way.tokenMinutes ?? RESET_MINUTES) * MINUTE);
    const verdict = await this.#judge(way, {
      ...token,
      username: identity.name,
      password,
      arguments: values,
    });
    if (verdict === 'success') await this.reset(token, password);
  }

  /** Sets a new password and ends the sessions made with the old one. */
  async reset(token: EmailToken, password: string): Promise<void> {
    checkPassword(password);
    // Before the work of hashing, which a bad token must not cause.
    this.#tokens.check(token, 'reset');
    const secret = await this.#hasher.hash(password);
    let userId: string | undefined;
    this.#tokens.redeem(token, 'reset', (identity) => {
      this.#store.identities.setSecret(identity.id, secret);
      userId = identity.userId;
      if (userId !== undefined) this.#store.sessions.removeOf(userId);
    });
    if (userId !== undefined) this.#directory.announceRevoked({ userId });
  }

  /** Takes as long for an unknown name as for a known one. Throws InvalidPassword. */
  async verify(name: string, password: string): Promise<Proof> {
    const identity = this.#store.identities.find(USERPASS, name.trim());
    // A longer one than could have been registered is not worth hashing.
    const good =
      password.length <= MAX_PASSWORD &&
      (identity?.secret === undefined
        ? await this.#hasher.verifyNothing(password)
        : await this.#hasher.verify(password, identity.secret));
    if (!good || identity === undefined) {
      throw new AccountError('InvalidPassword', 'invalid username/password');
    }
    return { kind: 'password', identityId: identity.id };
  }

  /**
   * Makes sure that an administrator of that name with that password exists. A changed password ends the sessions
   * made with the old one. Throws when the name belongs to an ordinary user.
   */
  async ensureAdmin(name: string, password: string): Promise<void> {
    const trimmed = checkName(name);
    checkPassword(password);
    const existing = this.#store.identities.find(USERPASS, trimmed);
    if (existing === undefined) {
      const secret = await this.#hasher.hash(password);
      this.#store.atomically(() => {
        const userId = newHexId();
        this.#store.users.add(userId, true, this.#now());
        this.#store.identities.add(passwordIdentity(userId, trimmed, secret), this.#now());
      });
      return;
    }
    const { userId } = existing;
    if (userId === undefined || this.#store.users.get(userId)?.admin !== true) {
      throw new AccountError(
        'AccountNameInUse',
        `"${trimmed}" is an ordinary user and cannot become the admin`,
      );
    }
    if (await this.#hasher.verify(password, existing.secret ?? '')) return;
    const secret = await this.#hasher.hash(password);
    this.#store.atomically(() => {
      this.#store.identities.setSecret(existing.id, secret);
      this.#store.sessions.removeOf(userId);
    });
  }

  /** A registration that can no longer be confirmed must not keep the owner of the address out. */
  #forgetUnconfirmed(name: string): void {
    const identity = this.#store.identities.find(USERPASS, name);
    if (identity === undefined || identity.userId !== undefined || !identity.unconfirmed) return;
    if (this.#store.emailTokens.hasGood(identity.id, 'confirm', this.#now())) return;
    this.#store.identities.remove(identity.id);
  }

  async #askForConfirmation(identity: IdentityRow, password: string | undefined): Promise<void> {
    const way = this.#confirmation;
    if (way === 'automatic') {
      this.#store.identities.confirm(identity.id);
      return;
    }
    const lifetime = (way.tokenMinutes ?? CONFIRMATION_MINUTES) * MINUTE;
    const token = this.#tokens.issue(identity.id, 'confirm', lifetime);
    if ('mail' in way) {
      const subject = way.subject ?? CONFIRMATION_SUBJECT;
      await sendTokenMail(way.mail, { to: identity.name, subject, page: way.confirmationUrl, token });
      return;
    }
    const request = { ...token, username: identity.name, ...(password !== undefined && { password }) };
    if ((await this.#judge(way, request)) === 'success') this.confirm(token);
  }

  /** What the function says; a refusal, or a failure of the function, is thrown. */
  async #judge(way: ByFunction, request: AccountRequest): Promise<'success' | 'pending'> {
    const verdict = await settleInTime('the function that decides about accounts', async () =>
      way.function(request),
    );
    if (verdict?.status === 'success' || verdict?.status === 'pending') return verdict.status;
    throw new AccountError('BadRequest', `refused for ${request.username}`);
  }

  #wayToReset(): ByFunction | ResetByMail {
    if (this.#reset !== 'off') return this.#reset;
    throw new AccountError('BadRequest', 'this server does not reset passwords');
  }

  #named(name: string): IdentityRow {
    const identity = this.#store.identities.find(USERPASS, name.trim());
    if (identity === undefined) throw new AccountError('UserNotFound', 'user not found');
    return identity;
  }
}
