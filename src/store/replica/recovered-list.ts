/**
 * Where the elements of one list are after a client reset (spec/server-history.md §8.8). Of a list's local changes only
 * those on elements that the recovery itself has inserted can be made again; for others the element meant is unknown.
 */

type Tracked = { local: number; current: number };

export class RecoveredList {
  /** Own elements by their index then and now, in order. */
  readonly #own: Tracked[] = [];
  #isAllOwn = false;

  /** The index now of the element that was at `local`; undefined when it is not one of ours. */
  find(local: number): number | undefined {
    if (this.#isAllOwn) return local;
    return this.#own.find((element) => element.local === local)?.current;
  }

  /** An element was inserted at `local`; it goes after the nearest own one before it. Returns its index now. */
  insert(local: number, size: number): number {
    if (this.#isAllOwn) return Math.min(local, size);
    const before = this.#own.findLast((element) => element.local < local);
    const after = this.#own.find((element) => element.local >= local);
    let current = before === undefined ? local : before.current + (local - before.local);
    current = Math.min(current, after?.current ?? size, size);
    if (before !== undefined) current = Math.max(current, before.current + 1);
    for (const element of this.#own) {
      if (element.local >= local) element.local += 1;
      if (element.current >= current) element.current += 1;
    }
    this.#own.push({ local, current });
    this.#own.sort((a, b) => a.local - b.local);
    return current;
  }

  /** The own element at `local` is erased. */
  erase(local: number): void {
    const current = this.find(local);
    if (this.#isAllOwn || current === undefined) return;
    this.#own.splice(
      this.#own.findIndex((element) => element.local === local),
      1,
    );
    for (const element of this.#own) {
      if (element.local > local) element.local -= 1;
      if (element.current > current) element.current -= 1;
    }
  }

  /** The list was emptied: whatever it holds from here on is ours. */
  clear(): void {
    this.#isAllOwn = true;
  }
}
