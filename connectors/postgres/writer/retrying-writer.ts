/**
 * A writer that connects when it is first needed and tries again what failed for a passing reason (`retryQuery`).
 *
 * When the connection broke, the transaction may have been committed all the same. Its checkpoint tells, and is
 * asked before anything is written again: list statements must not run twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { NewLetter } from '../../../src/connector/dead-letters/contract.ts';
import type { ApplyStatement, Checkpoint, Rehearsal, SqlWriter } from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import { Session, type SessionContext } from '../session.ts';
import { quoteTable } from '../sql-text.ts';
import { applyError, PostgresWriter } from './postgres-writer.ts';

const CHECKPOINT = quoteTable(CHECKPOINT_TABLE);

export class RetryingWriter implements SqlWriter {
  readonly #context: SessionContext;
  readonly #adapterName: string;
  #open: { readonly session: Session; readonly writer: PostgresWriter } | undefined;

  constructor(context: SessionContext, adapterName: string) {
    this.#context = context;
    this.#adapterName = adapterName;
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
    await open?.writer.close();
  }

  /** Runs a transaction until it is committed, once. */
  async #once(
    checkpoints: readonly Checkpoint[],
    write: (writer: PostgresWriter) => Promise<void>,
  ): Promise<void> {
    let uncertain = false;
    await this.#retrying(async (writer, session) => {
      if (uncertain && (await this.#isCommitted(session, checkpoints))) return;
      try {
        await write(writer);
      } catch (error) {
        uncertain ||= session.broken && checkpoints.length > 0;
        throw error;
      }
    });
  }

  /** Waits for the transaction whose connection broke, should the server still be at it, and looks what became of it. */
  async #isCommitted(session: Session, checkpoints: readonly Checkpoint[]): Promise<boolean> {
    try {
      await session.query('BEGIN');
      let committed = true;
      for (const { realmPath, sequence } of checkpoints) {
        const row = [this.#adapterName, realmPath];
        await session.query(`INSERT INTO ${CHECKPOINT} VALUES ($1, $2, -1) ON CONFLICT DO NOTHING`, row);
        const [stored] = await session.query(
          `SELECT sequence FROM ${CHECKPOINT} WHERE adapter = $1 AND realm = $2 FOR UPDATE`,
          row,
        );
        committed &&= Number(stored?.[0] ?? -1) >= sequence;
      }
      await session.query('ROLLBACK');
      return committed;
    } catch (cause) {
      throw applyError('asking for the checkpoint', undefined, cause);
    }
  }

  async #retrying<T>(run: (writer: PostgresWriter, session: Session) => Promise<T>): Promise<T> {
    const { numberOfRetries, delayInMilliseconds } = this.#context.connection.retryQuery;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { writer, session } = await this.#connected();
        return await run(writer, session);
      } catch (error) {
        const passing = error instanceof ApplyError && error.errorClass === 'transient';
        if (!passing || attempt >= numberOfRetries) throw error;
        this.#context.logger.debug('A database transaction failed, trying again', {
          error: error.message,
          attempt,
        });
      }
      await delay(delayInMilliseconds);
    }
  }

  async #connected(): Promise<{ readonly session: Session; readonly writer: PostgresWriter }> {
    if (this.#open !== undefined && !this.#open.session.broken) return this.#open;
    await this.close();
    try {
      const session = await Session.open(this.#context, { name: 'isthmus writer' });
      this.#open = { session, writer: new PostgresWriter(session, this.#adapterName) };
      return this.#open;
    } catch (cause) {
      throw applyError('connecting', undefined, cause);
    }
  }
}
