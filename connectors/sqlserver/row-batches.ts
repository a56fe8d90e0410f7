/** Rows on their way from the driver, which hands them over one by one, to whoever takes them in batches. */
import type { Request } from 'tedious';
import type { TextRow } from './session.ts';

/** Rows that wait at most; more would only cost memory, since the driver parses while nobody takes any. */
const MOST_ROWS = 500;
/** Characters that wait at most, a row more or less: rows with documents are long. */
const MOST_CHARACTERS = 4_000_000;

type State =
  | { readonly kind: 'flowing' | 'discarding' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: unknown };

export class RowBatches {
  #rows: TextRow[] = [];
  #characters = 0;
  #state: State = { kind: 'flowing' };
  #request: Pick<Request, 'pause' | 'resume'> | undefined;
  #isPaused = false;
  #wake: (() => void) | undefined;

  /** The request is paused while enough rows wait. */
  control(request: Pick<Request, 'pause' | 'resume'>): void {
    this.#request = request;
  }

  add(row: TextRow): void {
    if (this.#state.kind === 'discarding') return;
    this.#rows.push(row);
    for (const text of row) this.#characters += text?.length ?? 0;
    if (!this.#isPaused && (this.#rows.length >= MOST_ROWS || this.#characters >= MOST_CHARACTERS)) {
      this.#isPaused = true;
      this.#request?.pause();
    }
    this.#wakeUp();
  }

  end(): void {
    if (this.#state.kind === 'flowing') this.#state = { kind: 'ended' };
    this.#wakeUp();
  }

  fail(error: unknown): void {
    if (this.#state.kind === 'flowing') this.#state = { kind: 'failed', error };
    this.#wakeUp();
  }

  /** Takes no further rows; those that wait are dropped. */
  discard(): void {
    this.#state = { kind: 'discarding' };
    this.#rows = [];
    this.#resume();
  }

  /** Until the end; throws what the statement failed with, after the rows before it. */
  async *take(): AsyncGenerator<readonly TextRow[], void, undefined> {
    for (;;) {
      if (this.#rows.length > 0) {
        const rows = this.#rows;
        this.#rows = [];
        this.#characters = 0;
        this.#resume();
        yield rows;
      } else if (this.#state.kind === 'failed') throw this.#state.error;
      else if (this.#state.kind !== 'flowing') return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#request?.resume();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
