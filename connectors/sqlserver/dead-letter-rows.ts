/** How SQL Server writes and reads rows of `isthmus.dead_letter`. */
import { createHash } from 'node:crypto';
import {
  summaryColumns,
  WHOLE_LETTER_COLUMNS,
  WRITTEN_COLUMNS,
} from '../../src/connector/dead-letters/letter-rows.ts';
import type { SqlText } from '../../src/connector/dialect.ts';
import { DEAD_LETTER_TABLE } from './own-tables.ts';
import { bigint, longText, type SqlParameter, shortText } from './parameters.ts';
import { quoteIdentifier, quoteTable } from './sql-text.ts';

export const DEAD_LETTER = quoteTable(DEAD_LETTER_TABLE);

const NUMBERS: ReadonlySet<string> = new Set(['id', 'sequence', 'attempts']);
/** What rows are looked for by. */
const KEYS: ReadonlySet<string> = new Set(['adapter', 'direction', 'realm', 'subject']);
/** Of a subject, what stands before its digest, for people. */
const SHOWN_SUBJECT = 300;

const names = WRITTEN_COLUMNS.map(quoteIdentifier).join(', ');
const values = WRITTEN_COLUMNS.map(parameterOf).join(', ');

export const INSERT_LETTER = `INSERT INTO ${DEAD_LETTER} (${names}) VALUES (${values});`;

/** A row that is refused again for another reason, or with other values, waits again. */
export const INSERT_OR_RENEW_LETTER = `BEGIN TRANSACTION;
UPDATE ${DEAD_LETTER} WITH (UPDLOCK, SERIALIZABLE) SET [state] = N'waiting', [state_since] = SYSUTCDATETIME(), \
[requested_at] = NULL, [outcome] = NULL, ${WRITTEN_COLUMNS.slice(1)
  .map((name) => `${quoteIdentifier(name)} = ${parameterOf(name)}`)
  .join(', ')} WHERE [adapter] = @adapter AND [subject] = @subject;
IF @@ROWCOUNT = 0 ${INSERT_LETTER}
COMMIT TRANSACTION;`;

const instant = (column: string): string =>
  `REPLACE(CONVERT(varchar(30), ${quoteIdentifier(column)}, 121), ' ', 'T') + 'Z'`;

export const SUMMARY_COLUMNS = summaryColumns({
  instant,
  truth: (condition) => `CASE WHEN ${condition} THEN 't' ELSE 'f' END`,
})
  .map((name) => (NUMBERS.has(name) ? `CONVERT(varchar(20), ${quoteIdentifier(name)})` : name))
  .join(', ');
export const LETTER_COLUMNS = [SUMMARY_COLUMNS, ...WHOLE_LETTER_COLUMNS].join(', ');

/** Parameters for the texts of `letterValues`. */
export function letterParameters(texts: readonly SqlText[]): SqlParameter[] {
  return WRITTEN_COLUMNS.map((name, place) => {
    const text = texts[place] ?? null;
    if (name === 'sequence') return bigint(name, text);
    return KEYS.has(name) ? shortText(name, text) : longText(name, text);
  });
}

/** Rows have names of any length, and names that the server would take for the same; an index wants neither. */
export function storedSubject(subject: string): string {
  return `${subject.slice(0, SHOWN_SUBJECT)} ${createHash('sha256').update(subject).digest('hex')}`;
}

function parameterOf(name: string): string {
  return `@${name}`;
}
