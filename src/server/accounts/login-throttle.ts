/**
 * Slows down guessing: who fails too often at logging in has to wait, twice as long after each further failure.
 * Failures are counted by address and by account, so that neither one guesser nor many against one account get far.
 */
import { AccountError } from './account-error.ts';

export type ThrottleLimits = {
  /** Failures of one address before it has to wait; many users may share one. */
  readonly loginFailuresPerAddress: number;
  readonly loginFailuresPerAccount: number;
  /** Milliseconds of the first wait. */
  readonly loginPause: number;
  /** Milliseconds that no wait exceeds: whoever locks out somebody else must not do so for long. */
  readonly longestLoginPause: number;
  /** Addresses and accounts whose failures are remembered; the ones longest quiet are forgotten first. */
  readonly loginFailuresKept: number;
};

type Failures = { count: number; lockedUntil: number; last: number };

/** Milliseconds without a failure after which nothing is held against anybody. */
const FORGOTTEN_AFTER = 60 * 60_000;
/** Beyond this a power of two is not worth computing: every pause is at its longest. */
const MOST_DOUBLINGS = 30;

export class LoginThrottle {
  readonly #limits: ThrottleLimits;
  readonly #now: () => number;
  /** In the order of the last failure. */
  readonly #failures = new Map<string, Failures>();

  /** `now` gives milliseconds. */
  constructor(limits: ThrottleLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Does what may fail, unless it failed too often. A refusal counts; so does everything, where `counts` says that
   * not only failures are to be slowed down. Throws TooManyRequests.
   */
  async guard<T>(
    { address, account }: { readonly address: string; readonly account?: string | undefined },
    work: () => Promise<T>,
    counts: 'failures' | 'everything' = 'failures',
  ): Promise<T> {
    const keys: readonly (readonly [string, number])[] = [
      [`address ${networkOf(address)}`, this.#limits.loginFailuresPerAddress],
      ...(account === undefined
        ? []
        : [[`account ${account.slice(0, 512)}`, this.#limits.loginFailuresPerAccount] as const]),
    ];
    this.#refuseLocked(keys);
    if (counts === 'everything') this.#count(keys);
    try {
      const result = await work();
      // Others may have failed meanwhile: what comes after them must tell nothing.
      if (counts === 'failures') {
        this.#refuseLocked(keys);
        if (account !== undefined) this.#failures.delete(keys[1]?.[0] ?? '');
      }
      return result;
    } catch (error) {
      if (counts === 'failures' && isRefusal(error)) {
        this.#refuseLocked(keys);
        this.#count(keys);
      }
      throw error;
    }
  }

  #refuseLocked(keys: readonly (readonly [string, number])[]): void {
    const now = this.#now();
    const until = Math.max(...keys.map(([key]) => this.#failures.get(key)?.lockedUntil ?? 0));
    if (until <= now) return;
    const seconds = Math.ceil((until - now) / 1_000);
    throw new AccountError('TooManyRequests', `too many failures, try again in ${seconds} s`, {
      retryAfter: seconds,
    });
  }

  #count(keys: readonly (readonly [string, number])[]): void {
    const now = this.#now();
    for (const [key, allowed] of keys) {
      const before = this.#failures.get(key);
      const count = before === undefined || now - before.last > FORGOTTEN_AFTER ? 1 : before.count + 1;
      const doublings = Math.min(count - allowed, MOST_DOUBLINGS);
      const pause =
        doublings < 0
          ? 0
          : Math.min(this.#limits.loginPause * 2 ** doublings, this.#limits.longestLoginPause);
      this.#failures.delete(key);
      this.#failures.set(key, { count, last: now, lockedUntil: pause === 0 ? 0 : now + pause });
    }
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, { last }] of this.#failures) {
      const isOld = now - last > FORGOTTEN_AFTER;
      if (!isOld && this.#failures.size <= this.#limits.loginFailuresKept) break;
      this.#failures.delete(key);
    }
  }
}

/** What guessing ends in. Failures of the server, and requests that make no sense, are not held against clients. */
const REFUSALS: ReadonlySet<string> = new Set([
  'AccountNameInUse',
  'AuthError',
  'InvalidPassword',
  'UserNotFound',
  'UserpassTokenInvalid',
]);

function isRefusal(error: unknown): boolean {
  return error instanceof AccountError && REFUSALS.has(error.errorName);
}

/** Whose address it is: of version 6 everybody has a whole network of 64 bits to come from. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}
