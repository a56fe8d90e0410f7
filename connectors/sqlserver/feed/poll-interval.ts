/** How long to wait between two polls: not at all while changes come, longer and longer while none do. */

/** After the last change: soon enough for the next one of somebody at work. */
const FIRST_MILLISECONDS = 50;

export class PollInterval {
  readonly #ceiling: number;
  #next = 0;

  /** `ceiling` in milliseconds is how long a change may go unnoticed in a quiet database. */
  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  /** Changes came: there may be more. */
  busy(): void {
    this.#next = 0;
  }

  /** Nothing came. */
  idle(): void {
    this.#next = Math.min(this.#next === 0 ? FIRST_MILLISECONDS : this.#next * 2, this.#ceiling);
  }

  get milliseconds(): number {
    return this.#next;
  }
}
