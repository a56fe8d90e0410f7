/** What lists, sets and results share: everything that an array can be asked, always of the state as it is now. */
export abstract class RealmCollection<T = unknown> implements Iterable<T> {
  abstract get length(): number;
  abstract [Symbol.iterator](): IterableIterator<T>;
  abstract isValid(): boolean;

  get size(): number {
    return this.length;
  }

  isEmpty(): boolean {
    return this.length === 0;
  }

  /** The elements as they are now, in an array that no longer changes. */
  snapshot(): T[] {
    return [...this];
  }

  at(index: number): T | undefined {
    return this.snapshot().at(index);
  }
  values(): IterableIterator<T> {
    return this[Symbol.iterator]();
  }
  keys(): IterableIterator<number> {
    return this.snapshot().keys();
  }
  entries(): IterableIterator<[number, T]> {
    return this.snapshot().entries();
  }
  forEach(visit: (value: T, index: number) => void): void {
    for (const [index, value] of this.snapshot().entries()) visit(value, index);
  }
  map<U>(convert: (value: T, index: number) => U): U[] {
    return this.snapshot().map((value, index) => convert(value, index));
  }
  filter(keep: (value: T, index: number) => boolean): T[] {
    return this.snapshot().filter((value, index) => keep(value, index));
  }
  find(matches: (value: T, index: number) => boolean): T | undefined {
    return this.snapshot().find((value, index) => matches(value, index));
  }
  findIndex(matches: (value: T, index: number) => boolean): number {
    return this.snapshot().findIndex((value, index) => matches(value, index));
  }
  some(matches: (value: T, index: number) => boolean): boolean {
    return this.snapshot().some((value, index) => matches(value, index));
  }
  every(matches: (value: T, index: number) => boolean): boolean {
    return this.snapshot().every((value, index) => matches(value, index));
  }
  reduce<U>(combine: (sum: U, value: T, index: number) => U, initial: U): U {
    return this.snapshot().reduce((sum, value, index) => combine(sum, value, index), initial);
  }
  includes(value: T): boolean {
    return this.indexOf(value) >= 0;
  }
  indexOf(value: T): number {
    return this.snapshot().findIndex((element) => isSame(element, value));
  }
  slice(start?: number, end?: number): T[] {
    return this.snapshot().slice(start, end);
  }
  join(separator?: string): string {
    return this.snapshot().join(separator);
  }
  toJSON(): unknown[] {
    return this.snapshot();
  }
}

/** Accessors of one object are different JavaScript objects, so that they are compared by what they stand for. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return false;
  if ('equals' in a && typeof a.equals === 'function') return a.equals(b) === true;
  return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** The list index that a property name says, if it says one. */
export function indexOfName(name: string | symbol): number | undefined {
  return typeof name === 'string' && INDEX.test(name) ? Number(name) : undefined;
}
