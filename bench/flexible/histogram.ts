/** Durations counted in classes 2 % apart, which can be added up over processes. */

const STEP = Math.log(1.02);
/** Microseconds of the lowest class: shorter ones count as this. */
const SHORTEST = 10;

export class Histogram {
  readonly #counts: number[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(microseconds: number): void {
    this.#count(Math.round(Math.log(Math.max(microseconds, SHORTEST) / SHORTEST) / STEP), 1);
  }

  /** In milliseconds. */
  percentile(part: number): number {
    let rest = this.#total * part;
    for (const [at, count] of this.#counts.entries()) {
      rest -= count ?? 0;
      if (rest <= 0) return (SHORTEST * Math.exp(at * STEP)) / 1000;
    }
    return Number.NaN;
  }

  counts(): readonly number[] {
    return Array.from(this.#counts, (count) => count ?? 0);
  }

  addAll(counts: readonly number[]): void {
    for (const [at, count] of counts.entries()) this.#count(at, count);
  }

  #count(at: number, count: number): void {
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.#total += count;
  }
}
