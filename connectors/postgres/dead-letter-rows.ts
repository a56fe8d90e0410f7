/** Dead letters as rows of `isthmus.dead_letter`, there and back. */
import { z } from 'zod';
import type { DeadLetter, LetterSummary, NewLetter } from '../../src/connector/dead-letters/contract.ts';
import type { SqlText } from '../../src/connector/dialect.ts';
import { DEAD_LETTER_TABLE } from './own-tables.ts';
import { quoteTable } from './sql-text.ts';

export const DEAD_LETTER = quoteTable(DEAD_LETTER_TABLE);

const WRITTEN = [
  'adapter',
  'direction',
  'realm',
  'sequence',
  'reason',
  'sql_state',
  'table_name',
  'column_name',
  'constraint_name',
  'objects',
  'payload',
  'statements',
  'subject',
] as const;

export const INSERT_LETTER = `INSERT INTO ${DEAD_LETTER} (${WRITTEN.join(', ')})
  VALUES (${WRITTEN.map((_, index) => `$${index + 1}`).join(', ')})`;

/** A row that is refused again for another reason, or with other values, waits again. */
export const INSERT_OR_RENEW_LETTER = `${INSERT_LETTER}
  ON CONFLICT (adapter, subject) DO UPDATE SET state = 'waiting', state_since = now(), requested_at = NULL, outcome = NULL,
    ${WRITTEN.slice(1)
      .map((name) => `${name} = excluded.${name}`)
      .join(', ')}`;

/** PostgreSQL takes no NUL, and a letter is kept because something about it was unusual; JSON has escaped its own. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\\u0000');
}

export function letterValues(adapter: string, letter: NewLetter, subject: string | null): SqlText[] {
  const { reason } = letter;
  const values: (string | null | undefined)[] = [
    adapter,
    letter.direction,
    letter.realmPath,
    String(letter.sequence),
    reason.message,
    reason.sqlState,
    reason.table,
    reason.column,
    reason.constraint,
    JSON.stringify(letter.objects),
    letter.payload,
    JSON.stringify(letter.statements),
    subject,
  ];
  return values.map((value) => (value === null || value === undefined ? null : withoutNul(value)));
}

const instant = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export const SUMMARY_COLUMNS = [
  'id',
  'adapter',
  'direction',
  'realm',
  'sequence',
  instant('created_at'),
  'state',
  instant('state_since'),
  "requested_at IS NOT NULL AND state = 'waiting'",
  'attempts',
  'outcome',
  'reason',
  'sql_state',
  'table_name',
  'column_name',
  'constraint_name',
  'objects',
].join(', ');
export const LETTER_COLUMNS = `${SUMMARY_COLUMNS}, payload, statements`;
const SUMMARY_WIDTH = 17;

const optional = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);
const objects = z.array(z.object({ class: z.string(), key: z.string() }));
const statements = z.array(z.object({ sql: z.string(), values: z.array(z.string().nullable()) }));
const summaryRow = z.tuple(
  [
    z.string(),
    z.string(),
    z.enum(['toSql', 'toRealm']),
    z.string(),
    z.coerce.number(),
    z.string(),
    z.enum(['waiting', 'retried', 'discarded']),
    z.string(),
    z.string().transform((text) => text === 't'),
    z.coerce.number(),
    optional,
    z.string(),
    optional,
    optional,
    optional,
    optional,
    z.string(),
  ],
  z.string(),
);

export function readSummary(row: readonly SqlText[]): LetterSummary {
  const [
    id,
    adapter,
    direction,
    realmPath,
    sequence,
    createdAt,
    state,
    stateSince,
    requested,
    attempts,
    outcome,
    message,
    sqlState,
    table,
    column,
    constraint,
    named,
  ] = summaryRow.parse(row);
  return {
    id,
    adapter,
    direction,
    realmPath,
    sequence,
    createdAt,
    state,
    stateSince,
    requested,
    attempts,
    outcome,
    reason: { message, sqlState, table, column, constraint },
    objects: objects.parse(JSON.parse(named)),
  };
}

export function readLetter(row: readonly SqlText[]): DeadLetter {
  return {
    ...readSummary(row),
    payload: row[SUMMARY_WIDTH] ?? '',
    statements: statements.parse(JSON.parse(row[SUMMARY_WIDTH + 1] ?? '[]')),
  };
}
