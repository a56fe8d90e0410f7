/**
 * Which transactions a snapshot showed (PostgreSQL documentation, "Transaction ID and Snapshot Information
 * Functions"): `xmin:xmax:in-progress`, as 64-bit numbers, while the change feed tells only the lower 32 bits.
 */
import { PostgresQueryError } from '../errors.ts';

const WRAP = 1n << 32n;
const HALF = WRAP / 2n;
const FORM = /^(\d+):(\d+):([\d,]*)$/;

export class SnapshotVisibility {
  readonly text: string;
  readonly #xmin: bigint;
  readonly #xmax: bigint;
  readonly #inProgress: ReadonlySet<bigint>;

  /** Throws `PostgresQueryError` on text that no snapshot has. */
  constructor(text: string) {
    const match = FORM.exec(text);
    if (match === null) throw new PostgresQueryError(`not a snapshot: ${JSON.stringify(text)}`);
    const [, xmin = '', xmax = '', inProgress = ''] = match;
    this.text = text;
    this.#xmin = BigInt(xmin);
    this.#xmax = BigInt(xmax);
    this.#inProgress = new Set(inProgress === '' ? [] : inProgress.split(',').map(BigInt));
  }

  /** Whether the committed transaction `xid` (32 bits, as decimal text) was visible. */
  includes(xid: string): boolean {
    const full = this.#extended(BigInt(xid));
    if (full < this.#xmin) return true;
    return full < this.#xmax && !this.#inProgress.has(full);
  }

  /** Of all numbers with these lower bits the one nearest to the snapshot: xids live less than half a round apart. */
  #extended(xid: bigint): bigint {
    const full = this.#xmax - (this.#xmax % WRAP) + xid;
    if (full - this.#xmax > HALF) return full - WRAP;
    if (this.#xmax - full > HALF) return full + WRAP;
    return full;
  }
}
