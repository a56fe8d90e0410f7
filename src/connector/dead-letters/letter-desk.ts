/**
 * What a running connector does about dead letters: keeps those of refused rows up to date, and answers requests for
 * another attempt, which come by the table of letters, whoever put them there. It looks for them now and then: they are
 * made by people.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { RetryRequest } from '../apply/apply-loop.ts';
import type { DeadLetter, DeadLetterBox, LetterAnswer } from './contract.ts';
import { readLetterText } from './letter-text.ts';
import { type RefusedRows, type RowPayload, readRowPayload } from './refused-rows.ts';

const LOOK_MILLISECONDS = 1_000;
/** A stop has ten seconds in all. */
const CLOSE_MILLISECONDS = 2_000;
/** Letters are read whole, and may be large. */
const REQUESTS_AT_A_TIME = 10;

export type LetterDeskOptions = {
  readonly box: DeadLetterBox;
  readonly refused: RefusedRows;
  /** Resolves with true when the feed has brought everything that was committed at the time of the call. */
  readonly feedCaughtUp: (signal: AbortSignal) => Promise<boolean>;
  readonly retry: (request: RetryRequest) => Promise<LetterAnswer | undefined>;
  readonly retryRow: (row: RowPayload) => Promise<LetterAnswer>;
  /** A transaction that somebody has discarded. */
  readonly onDiscarded: (realmPath: string, sequence: number) => void;
  readonly logger: Logger;
};

export class LetterDesk {
  readonly #options: LetterDeskOptions;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #madeGood: { readonly realmPath: string; readonly sequences: readonly number[] }[] = [];

  constructor(options: LetterDeskOptions) {
    this.#options = options;
  }

  /** The connector holds the feed from now on. */
  begin(): void {
    this.#running = this.#run();
  }

  /** Later transactions have brought what these letters owed. */
  madeGood(realmPath: string, sequences: readonly number[]): void {
    this.#madeGood.push({ realmPath, sequences });
  }

  /** Does not wait for a database that does not answer: what is left is noted, and the next start brings it. */
  async close(): Promise<void> {
    this.#abort.abort();
    const enough = new AbortController();
    const patience = sleep(CLOSE_MILLISECONDS, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([this.#running, patience]);
    enough.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        // The loops tell of a database that is away; a request stays until it is answered.
        this.#options.logger.debug('Dead letters could not be looked after', {
          error: error instanceof Error ? error.message : String(error),
        });
      }
      await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => {});
    }
    await this.#tidy().catch(() => {}); // the next start brings what is noted
  }

  async #look(): Promise<void> {
    const { box } = this.#options;
    await this.#tidy();
    let letters = await box.requested(REQUESTS_AT_A_TIME);
    while (letters.length > 0 && !this.#abort.signal.aborted) {
      if (!(await this.#options.feedCaughtUp(this.#abort.signal))) return;
      for (const letter of letters) if (!(await this.#attend(letter))) return;
      await this.#tidy();
      letters = await box.requested(REQUESTS_AT_A_TIME);
    }
  }

  async #tidy(): Promise<void> {
    const { box, refused } = this.#options;
    await refused.flush(box);
    for (let next = this.#madeGood[0]; next !== undefined; next = this.#madeGood[0]) {
      const outcome = 'a later change of the same objects brought it along';
      await box.answerSequences(next.realmPath, next.sequences, { state: 'retried', outcome });
      this.#madeGood.shift();
    }
  }

  /** False when the connector stops before there is an answer. */
  async #attend(letter: DeadLetter): Promise<boolean> {
    const { box, onDiscarded } = this.#options;
    if (letter.state !== 'waiting') {
      if (letter.direction === 'toSql') onDiscarded(letter.realmPath, letter.sequence);
      await box.acknowledge(letter.id);
      return true;
    }
    const answer = await this.#attempt(letter);
    if (answer === undefined) return false;
    await box.answer(letter.id, answer);
    return true;
  }

  async #attempt(letter: DeadLetter): Promise<LetterAnswer | undefined> {
    const { id, realmPath, sequence, payload } = letter;
    if (letter.direction === 'toRealm') {
      const row = readRowPayload(payload);
      return row === undefined ? UNREADABLE : this.#options.retryRow(row);
    }
    const instructions = readLetterText(payload);
    if (instructions === undefined) return UNREADABLE;
    return this.#options.retry({ id, realmPath, sequence, instructions });
  }
}

const UNREADABLE: LetterAnswer = { state: 'waiting', outcome: 'the letter cannot be read' };
