/**
 * Dead letters as rows of the table `dead_letter`, there and back. Every database keeps them in the same columns; how
 * instants become texts is the dialect's.
 */
import { z } from 'zod';
import type { SqlText } from '../dialect.ts';
import type { DeadLetter, LetterState, LetterSummary, NewLetter } from './contract.ts';

export const ALL_STATES: readonly LetterState[] = ['waiting', 'retried', 'discarded'];

/** The columns that a new letter fills, in the order of {@link letterValues}. The rest have defaults. */
export const WRITTEN_COLUMNS = [
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

/** Some databases take no NUL, and a letter is kept because something about it was unusual; JSON has escaped its own. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '\\u0000');
}

/** How a dialect writes what is asked of a letter. */
export type LetterExpressions = {
  /** A column that is an instant, as ISO 8601 in UTC with milliseconds. */
  readonly instant: (column: string) => string;
  /** A condition as `t` or `f`. */
  readonly truth: (condition: string) => string;
};

/** What {@link readSummary} reads, as expressions of a SELECT. */
export function summaryColumns({ instant, truth }: LetterExpressions): readonly string[] {
  return [
    'id',
    'adapter',
    'direction',
    'realm',
    'sequence',
    instant('created_at'),
    'state',
    instant('state_since'),
    truth("requested_at IS NOT NULL AND state = 'waiting'"),
    'attempts',
    'outcome',
    'reason',
    'sql_state',
    'table_name',
    'column_name',
    'constraint_name',
    'objects',
  ];
}

/** What {@link readLetter} reads, after those of {@link summaryColumns}. */
export const WHOLE_LETTER_COLUMNS: readonly string[] = ['payload', 'statements'];
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
