/** A seeded random source; print the seed with every failure so that the run can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** In [0, 1). */
  next(): number {
    // xorshift32
    this.#state ^= this.#state << 13;
    this.#state >>>= 0;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state / 0x1_0000_0000;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/** The seed of a run: fixed by ISTHMUS_TEST_SEED, else new each time. */
export function testSeed(): number {
  const given = process.env.ISTHMUS_TEST_SEED;
  return given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given);
}
