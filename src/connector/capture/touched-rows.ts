/**
 * Which rows the feed has brought while their table is being compared under a snapshot. What the snapshot shows of a
 * row that a later transaction has changed is older than what the realm holds by then, and must not be written.
 */
import { keyToken, type PrimaryKey } from '../../schema/value.ts';

/**
 * Transactions delivered last. The feed may deliver one a moment before snapshots show it, since a commit is logged
 * before it becomes visible; a snapshot that does not show all of these is too old.
 */
const MAX_RECENT = 1_000;

export class TouchedRows {
  /** By class, of the tables being compared: transaction by key, `undefined` for all rows. */
  readonly #byClass = new Map<string, { all: string | undefined; readonly rows: Map<string, string> }>();
  readonly #recent: string[] = [];

  /** A transaction was delivered completely. */
  committed(transaction: string): void {
    this.#recent.push(transaction);
    if (this.#recent.length >= 2 * MAX_RECENT) this.#recent.splice(0, MAX_RECENT);
  }

  get recent(): readonly string[] {
    return this.#recent;
  }

  begin(className: string): void {
    this.#byClass.set(className, { all: undefined, rows: new Map() });
  }

  end(className: string): void {
    this.#byClass.delete(className);
  }

  touch(className: string, key: PrimaryKey, transaction: string): void {
    if (this.#byClass.size > 0) this.#byClass.get(className)?.rows.set(keyToken(key), transaction);
  }

  touchAll(className: string, transaction: string): void {
    const touched = this.#byClass.get(className);
    if (touched !== undefined) touched.all = transaction;
  }

  /** True when the feed has brought the row by a transaction that `includes` does not know. */
  isNewer(className: string, key: PrimaryKey, includes: (transaction: string) => boolean): boolean {
    const touched = this.#byClass.get(className);
    if (touched === undefined) return false;
    const transaction = touched.rows.get(keyToken(key));
    if (transaction !== undefined && !includes(transaction)) return true;
    return touched.all !== undefined && !includes(touched.all);
  }

  /** True while the values that a realm holds of the class may be out of date. */
  isCompared(className: string): boolean {
    return this.#byClass.has(className);
  }
}
