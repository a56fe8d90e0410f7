/** The dead letters of one adapter in `isthmus.dead_letter`. */
import type {
  DeadLetter,
  DeadLetterBox,
  LetterAnswer,
  LetterSummary,
  NewLetter,
} from '../../src/connector/dead-letters/contract.ts';
import {
  ALL_STATES,
  letterValues,
  readLetter,
  readSummary,
  withoutNul,
} from '../../src/connector/dead-letters/letter-rows.ts';
import type { UseSession } from '../../src/connector/lasting-session.ts';
import { DEAD_LETTER, INSERT_OR_RENEW_LETTER, LETTER_COLUMNS, SUMMARY_COLUMNS } from './dead-letter-rows.ts';
import { createOwnTables } from './preparation.ts';
import type { Session, TextRow } from './session.ts';
import { textArray } from './sql-text.ts';

/** Ids are bigserial; other text names no letter. */
const ID = /^\d{1,18}$/;

export class PostgresDeadLetterBox implements DeadLetterBox {
  readonly #adapter: string;
  readonly #use: UseSession<Session>;

  constructor(adapter: string, use: UseSession<Session>) {
    this.#adapter = adapter;
    this.#use = use;
  }

  async prepare(): Promise<void> {
    await this.#use('preparing the dead letters', (session) => createOwnTables(session));
  }

  async list({
    states = ALL_STATES,
    after,
    limit,
  }: Parameters<DeadLetterBox['list']>[0]): Promise<readonly LetterSummary[]> {
    const rows = await this.#query(
      'listing dead letters',
      `SELECT ${SUMMARY_COLUMNS} FROM ${DEAD_LETTER}
       WHERE adapter = $1 AND state = ANY ($2::text[]) AND id > $3::bigint ORDER BY id LIMIT $4::bigint`,
      [this.#adapter, textArray(states), after ?? '0', String(limit)],
    );
    return rows.map(readSummary);
  }

  async read(ids: readonly string[]): Promise<readonly DeadLetter[]> {
    const rows = await this.#query(
      'reading dead letters',
      `SELECT ${LETTER_COLUMNS} FROM ${DEAD_LETTER} WHERE adapter = $1 AND id = ANY ($2::bigint[]) ORDER BY id`,
      [this.#adapter, idArray(ids)],
    );
    return rows.map(readLetter);
  }

  async request(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    return this.#change(
      'asking for another attempt',
      `UPDATE ${DEAD_LETTER} SET requested_at = clock_timestamp()
       WHERE adapter = $1 AND state = 'waiting' AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[]))`,
      ids,
    );
  }

  async requested(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.#query(
      'reading dead letters',
      `SELECT ${LETTER_COLUMNS} FROM ${DEAD_LETTER} WHERE adapter = $1 AND requested_at IS NOT NULL
       ORDER BY id LIMIT $2::bigint`,
      [this.#adapter, String(limit)],
    );
    return rows.map(readLetter);
  }

  async acknowledge(id: string): Promise<void> {
    await this.#query(
      'answering a dead letter',
      `UPDATE ${DEAD_LETTER} SET requested_at = NULL WHERE adapter = $1 AND id = $2::bigint AND state <> 'waiting'`,
      [this.#adapter, id],
    );
  }

  async answer(id: string, answer: LetterAnswer): Promise<void> {
    await this.#query(
      'answering a dead letter',
      `UPDATE ${DEAD_LETTER} SET ${answered('$3', '$4')}, attempts = attempts + 1
       WHERE adapter = $1 AND id = $2::bigint AND state = 'waiting'`,
      [this.#adapter, id, answer.state, withoutNul(answer.outcome)],
    );
  }

  async answerSequences(
    realmPath: string,
    sequences: readonly number[],
    { state, outcome }: LetterAnswer,
  ): Promise<void> {
    await this.#query(
      'answering dead letters',
      `UPDATE ${DEAD_LETTER} SET ${answered('$4', '$5')}
       WHERE adapter = $1 AND direction = 'toSql' AND realm = $2 AND sequence = ANY ($3::bigint[]) AND state = 'waiting'`,
      [this.#adapter, realmPath, textArray(sequences.map(String)), state, outcome],
    );
  }

  async discard(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    return this.#change(
      'discarding dead letters',
      `UPDATE ${DEAD_LETTER} SET state = 'discarded', state_since = now(), requested_at = now()
       WHERE adapter = $1 AND state = 'waiting' AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[]))`,
      ids,
    );
  }

  async purge(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    return this.#change(
      'removing dead letters',
      `DELETE FROM ${DEAD_LETTER}
       WHERE adapter = $1 AND state <> 'waiting' AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[]))`,
      ids,
    );
  }

  async keepRow(subject: string, letter: NewLetter): Promise<void> {
    const values = letterValues(this.#adapter, letter, subject);
    await this.#query('keeping a dead letter', INSERT_OR_RENEW_LETTER, values);
  }

  async removeRow(subject: string): Promise<void> {
    await this.#use('removing a dead letter', async (session) => {
      const row = [this.#adapter, subject];
      await session.query(
        `DELETE FROM ${DEAD_LETTER} WHERE adapter = $1 AND subject = $2 AND state = 'waiting'`,
        row,
      );
      // What was discarded stays for the record, and a later refusal of the same row is another matter.
      await session.query(
        `UPDATE ${DEAD_LETTER} SET subject = NULL WHERE adapter = $1 AND subject = $2`,
        row,
      );
    });
  }

  async #change(doing: string, sql: string, ids: readonly string[] | 'all'): Promise<readonly string[]> {
    const rows = await this.#query(doing, `${sql} RETURNING id`, [
      this.#adapter,
      ids === 'all' ? null : idArray(ids),
    ]);
    return rows.map(([id]) => id ?? '').sort((a, b) => Number(a) - Number(b));
  }

  #query(doing: string, sql: string, values: readonly (string | null)[]): Promise<readonly TextRow[]> {
    return this.#use(doing, (session) => session.query(sql, values));
  }
}

function answered(state: string, outcome: string): string {
  return (
    `state = ${state}, outcome = ${outcome}, requested_at = NULL, ` +
    `state_since = CASE WHEN state = ${state} THEN state_since ELSE now() END`
  );
}

function idArray(ids: readonly string[]): string {
  return textArray(ids.filter((id) => ID.test(id)));
}
