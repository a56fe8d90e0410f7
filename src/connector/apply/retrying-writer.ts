/**
 * A writer that connects when it is first needed and tries again what failed for a passing reason.
 *
 * When the connection broke, the transaction may have been committed all the same. Its checkpoint tells, and is
 * asked before anything is written again: list statements must not run twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { NewLetter } from '../dead-letters/contract.ts';
import type { ApplyStatement, Checkpoint, Rehearsal, SqlWriter } from '../dialect.ts';
import { ApplyError } from '../errors.ts';

/** A writer on one connection. */
export interface ConnectedWriter extends SqlWriter {
  /** The connection is lost, so that the fate of its last transaction is unknown. */
  readonly broken: boolean;
  /**
   * Waits for the transaction of these checkpoints, should the server still be at it on another connection, and looks
   * what became of it.
   */
  isCommitted(checkpoints: readonly Checkpoint[]): Promise<boolean>;
}

export type RetryingWriterOptions = {
  /** Throws `ApplyError`. */
  readonly connect: () => Promise<ConnectedWriter>;
  /** How often something is tried again. */
  readonly retries: number;
  readonly delayMilliseconds: number;
  readonly logger: Logger;
};

export class RetryingWriter implements SqlWriter {
  readonly #options: RetryingWriterOptions;
  #open: ConnectedWriter | undefined;

  constructor(options: RetryingWriterOptions) {
    this.#options = options;
  }

  async checkpoints(): Promise<ReadonlyMap<string, number>> {
    return this.#retrying((writer) => writer.checkpoints());
  }

  async apply(statements: readonly ApplyStatement[], checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#once(checkpoints, (writer) => writer.apply(statements, checkpoints));
  }

  async rehearse(statements: readonly ApplyStatement[]): Promise<Rehearsal> {
    return this.#retrying((writer) => writer.rehearse(statements));
  }

  async deadLetter(checkpoint: Checkpoint, letter: NewLetter): Promise<void> {
    await this.#once([checkpoint], (writer) => writer.deadLetter(checkpoint, letter));
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  /** Runs a transaction until it is committed, once. */
  async #once(
    checkpoints: readonly Checkpoint[],
    write: (writer: ConnectedWriter) => Promise<void>,
  ): Promise<void> {
    let uncertain = false;
    await this.#retrying(async (writer) => {
      if (uncertain && (await writer.isCommitted(checkpoints))) return;
      try {
        await write(writer);
      } catch (error) {
        uncertain ||= writer.broken && checkpoints.length > 0;
        throw error;
      }
    });
  }

  async #retrying<T>(run: (writer: ConnectedWriter) => Promise<T>): Promise<T> {
    const { retries, delayMilliseconds, logger } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await run(await this.#connected());
      } catch (error) {
        const passing = error instanceof ApplyError && error.errorClass === 'transient';
        if (!passing || attempt >= retries) throw error;
        logger.debug('A database transaction failed, trying again', { error: error.message, attempt });
      }
      await delay(delayMilliseconds);
    }
  }

  async #connected(): Promise<ConnectedWriter> {
    if (this.#open !== undefined && !this.#open.broken) return this.#open;
    await this.close();
    this.#open = await this.#options.connect();
    return this.#open;
  }
}
