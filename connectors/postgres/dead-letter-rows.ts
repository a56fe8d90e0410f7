/** How PostgreSQL writes and reads rows of `isthmus.dead_letter`. */
import {
  type LetterExpressions,
  summaryColumns,
  WHOLE_LETTER_COLUMNS,
  WRITTEN_COLUMNS,
} from '../../src/connector/dead-letters/letter-rows.ts';
import { DEAD_LETTER_TABLE } from './own-tables.ts';
import { quoteTable } from './sql-text.ts';

export const DEAD_LETTER = quoteTable(DEAD_LETTER_TABLE);

export const INSERT_LETTER = `INSERT INTO ${DEAD_LETTER} (${WRITTEN_COLUMNS.join(', ')})
  VALUES (${WRITTEN_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;

/** A row that is refused again for another reason, or with other values, waits again. */
export const INSERT_OR_RENEW_LETTER = `${INSERT_LETTER}
  ON CONFLICT (adapter, subject) DO UPDATE SET state = 'waiting', state_since = now(), requested_at = NULL, outcome = NULL,
    ${WRITTEN_COLUMNS.slice(1)
      .map((name) => `${name} = excluded.${name}`)
      .join(', ')}`;

const EXPRESSIONS: LetterExpressions = {
  instant: (column) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  truth: (condition) => condition,
};

export const SUMMARY_COLUMNS = summaryColumns(EXPRESSIONS).join(', ');
export const LETTER_COLUMNS = [SUMMARY_COLUMNS, ...WHOLE_LETTER_COLUMNS].join(', ');
