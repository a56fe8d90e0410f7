/** Password hashes: scrypt with a salt of its own per password and the cost written beside the hash. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AccountError } from './account-error.ts';

/** Cost of new hashes: 32 MiB and about 60 ms on a present core. Old hashes keep the cost they were made with. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** scrypt needs 128·N·r bytes; Node refuses above this. Twice what COST needs. */
const MAX_MEMORY = 64 * 1024 * 1024;
/** Checks running at once: more would only starve compression of the thread pool that both share. */
const CONCURRENCY = 2;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

export class PasswordHasher {
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** `scrypt$N$r$p$salt$hash`, the last two in base64. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, COST);
    return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
  }

  async verify(password: string, stored: string): Promise<boolean> {
    const [scheme, N, r, p, salt, hash] = stored.split('$');
    if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false;
    const expected = Buffer.from(hash, 'base64');
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    const actual = await this.#derive(password, Buffer.from(salt, 'base64'), cost);
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }

  /** As slow as {@link verify}, so that the time of an answer does not tell whether a name exists. */
  async verifyNothing(password: string): Promise<false> {
    await this.#derive(password, randomBytes(SALT_BYTES), COST);
    return false;
  }

  async #derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
    await this.#turn();
    try {
      return await derive(password.normalize('NFKC'), salt, HASH_BYTES, { ...cost, maxmem: MAX_MEMORY });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= CONCURRENCY) {
      if (this.#waiting.length >= this.#maxWaiting) {
        throw new AccountError('MaintenanceInProgress', 'too many logins at once, try again later');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}
