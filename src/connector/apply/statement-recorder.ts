/** Takes down the statements of a rehearsal, for people to read. */
import type { ShownStatement } from '../dead-letters/contract.ts';

/** A letter shows the first of them, and the one that failed; its payload has everything. */
const MOST_RECORDED = 100;

export class StatementRecorder {
  readonly #first: ShownStatement[] = [];
  #last: ShownStatement | undefined;

  record(statement: ShownStatement): void {
    if (this.#first.length < MOST_RECORDED) this.#first.push(statement);
    this.#last = statement;
  }

  get last(): ShownStatement | undefined {
    return this.#last;
  }

  get statements(): readonly ShownStatement[] {
    const last = this.#last;
    return last === undefined || this.#first.includes(last) ? this.#first : [...this.#first, last];
  }
}
