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
import { createOwnTables } from './create-own-tables.ts';
import {
  DEAD_LETTER,
  INSERT_OR_RENEW_LETTER,
  LETTER_COLUMNS,
  letterParameters,
  SUMMARY_COLUMNS,
  storedSubject,
} from './dead-letter-rows.ts';
import { bigint, int, longText, type SqlParameter, shortText } from './parameters.ts';
import type { Session, TextRow } from './session.ts';

/** Ids are bigint; other text names no letter. */
const ID = /^\d{1,18}$/;
const OWN = '[adapter] = @adapter';
const AMONG_IDS =
  "[id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i)";
const DISCARDED =
  "[state] = N'discarded', [state_since] = SYSUTCDATETIME(), [requested_at] = SYSUTCDATETIME()";
const ANSWERED =
  '[outcome] = @outcome, [requested_at] = NULL, ' +
  '[state_since] = CASE WHEN [state] = @state THEN [state_since] ELSE SYSUTCDATETIME() END, [state] = @state';

/** Every text that the box sends, by what it is for. */
export const LETTER_STATEMENTS = {
  list:
    `SELECT TOP (@limit) ${SUMMARY_COLUMNS} FROM ${DEAD_LETTER} ` +
    `WHERE ${OWN} AND CHARINDEX([state], @states) > 0 AND [id] > @after ORDER BY [id];`,
  read: `SELECT ${LETTER_COLUMNS} FROM ${DEAD_LETTER} WHERE ${OWN} AND ${AMONG_IDS} ORDER BY [id];`,
  requested:
    `SELECT TOP (@limit) ${LETTER_COLUMNS} FROM ${DEAD_LETTER} ` +
    `WHERE ${OWN} AND [requested_at] IS NOT NULL ORDER BY [id];`,
  acknowledge:
    `UPDATE ${DEAD_LETTER} SET [requested_at] = NULL ` +
    `WHERE ${OWN} AND [id] = @id AND [state] <> N'waiting';`,
  answer:
    `UPDATE ${DEAD_LETTER} SET ${ANSWERED}, [attempts] = [attempts] + 1 ` +
    `WHERE ${OWN} AND [id] = @id AND [state] = N'waiting';`,
  answerSequences:
    `UPDATE ${DEAD_LETTER} SET ${ANSWERED} WHERE ${OWN} AND [direction] = N'toSql' AND [realm] = @realm ` +
    "AND [state] = N'waiting' AND [sequence] IN " +
    "(SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);",
  keepRow: INSERT_OR_RENEW_LETTER,
  removeRow:
    `DELETE FROM ${DEAD_LETTER} WHERE ${OWN} AND [subject] = @subject AND [state] = N'waiting'; ` +
    // What was discarded stays for the record, and a later refusal of the same row is another matter.
    `UPDATE ${DEAD_LETTER} SET [subject] = NULL WHERE ${OWN} AND [subject] = @subject;`,
  request: changeOf('[requested_at] = SYSUTCDATETIME()', false),
  requestAll: changeOf('[requested_at] = SYSUTCDATETIME()', true),
  discard: changeOf(DISCARDED, false),
  discardAll: changeOf(DISCARDED, true),
  purge: purgeOf(false),
  purgeAll: purgeOf(true),
} as const;

export class SqlServerDeadLetterBox implements DeadLetterBox {
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
    const rows = await this.#query('listing dead letters', LETTER_STATEMENTS.list, [
      shortText('states', states.join(',')),
      bigint('after', after ?? '0'),
      int('limit', limit),
    ]);
    return rows.map(readSummary);
  }

  async read(ids: readonly string[]): Promise<readonly DeadLetter[]> {
    const rows = await this.#query('reading dead letters', LETTER_STATEMENTS.read, [idList(ids)]);
    return rows.map(readLetter);
  }

  async request(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    const { request, requestAll } = LETTER_STATEMENTS;
    return this.#change('asking for another attempt', request, requestAll, ids);
  }

  async requested(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.#query('reading dead letters', LETTER_STATEMENTS.requested, [
      int('limit', limit),
    ]);
    return rows.map(readLetter);
  }

  async acknowledge(id: string): Promise<void> {
    await this.#query('answering a dead letter', LETTER_STATEMENTS.acknowledge, [bigint('id', id)]);
  }

  async answer(id: string, { state, outcome }: LetterAnswer): Promise<void> {
    await this.#query('answering a dead letter', LETTER_STATEMENTS.answer, [
      bigint('id', id),
      shortText('state', state),
      longText('outcome', withoutNul(outcome)),
    ]);
  }

  async answerSequences(
    realmPath: string,
    sequences: readonly number[],
    { state, outcome }: LetterAnswer,
  ): Promise<void> {
    await this.#query('answering dead letters', LETTER_STATEMENTS.answerSequences, [
      shortText('realm', realmPath),
      longText('ids', JSON.stringify(sequences.map(String))),
      shortText('state', state),
      longText('outcome', outcome),
    ]);
  }

  async discard(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    const { discard, discardAll } = LETTER_STATEMENTS;
    return this.#change('discarding dead letters', discard, discardAll, ids);
  }

  async purge(ids: readonly string[] | 'all'): Promise<readonly string[]> {
    const { purge, purgeAll } = LETTER_STATEMENTS;
    return this.#change('removing dead letters', purge, purgeAll, ids);
  }

  async keepRow(subject: string, letter: NewLetter): Promise<void> {
    const texts = letterValues(this.#adapter, letter, storedSubject(subject));
    await this.#use('keeping a dead letter', (session) =>
      session.query(LETTER_STATEMENTS.keepRow, letterParameters(texts)),
    );
  }

  async removeRow(subject: string): Promise<void> {
    await this.#query('removing a dead letter', LETTER_STATEMENTS.removeRow, [
      shortText('subject', storedSubject(subject)),
    ]);
  }

  async #change(
    doing: string,
    some: string,
    all: string,
    ids: readonly string[] | 'all',
  ): Promise<readonly string[]> {
    const rows = await (ids === 'all'
      ? this.#query(doing, all, [])
      : this.#query(doing, some, [idList(ids)]));
    return rows.map(([id]) => id ?? '').sort((a, b) => Number(a) - Number(b));
  }

  #query(doing: string, text: string, parameters: readonly SqlParameter[]): Promise<readonly TextRow[]> {
    return this.#use(doing, (session) =>
      session.query(text, [shortText('adapter', this.#adapter), ...parameters]),
    );
  }
}

function changeOf(setting: string, all: boolean): string {
  return (
    `UPDATE ${DEAD_LETTER} SET ${setting} OUTPUT CONVERT(varchar(20), inserted.[id]) ` +
    `WHERE ${OWN} AND [state] = N'waiting'${all ? '' : ` AND ${AMONG_IDS}`};`
  );
}

function purgeOf(all: boolean): string {
  return (
    `DELETE FROM ${DEAD_LETTER} OUTPUT CONVERT(varchar(20), deleted.[id]) ` +
    `WHERE ${OWN} AND [state] <> N'waiting'${all ? '' : ` AND ${AMONG_IDS}`};`
  );
}

function idList(ids: readonly string[]): SqlParameter {
  return longText('ids', JSON.stringify(ids.filter((id) => ID.test(id))));
}
