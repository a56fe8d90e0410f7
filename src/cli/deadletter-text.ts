/** Dead letters as people read them on a terminal. */
import type { DeadLetter, LetterSummary } from '../connector/dead-letters/contract.ts';

/** Reasons are cut in lists; `show` has them whole. */
const LONGEST_REASON = 160;
const OBJECTS_IN_LIST = 3;

export function letterLine(letter: LetterSummary): string {
  const { id, createdAt, reason, requested } = letter;
  const message = reason.message.replaceAll(/\s+/g, ' ');
  const cut = message.length <= LONGEST_REASON ? message : `${message.slice(0, LONGEST_REASON)}…`;
  const state = requested ? 'to be retried' : letter.state;
  return `${id}  ${createdAt}  ${state}  ${sourceOf(letter)}  ${objectsText(letter, OBJECTS_IN_LIST)}  ${cut}`;
}

export function letterText(letter: DeadLetter): string {
  const { reason } = letter;
  const facts: [string, string | undefined][] = [
    ['state', `${letter.state} since ${letter.stateSince}${letter.requested ? ', to be retried' : ''}`],
    ['came', letter.createdAt],
    ['from', sourceOf(letter)],
    ['adapter', letter.adapter],
    ['objects', objectsText(letter, Number.POSITIVE_INFINITY)],
    ['reason', reason.message],
    ['error code', reason.sqlState],
    ['table', reason.table],
    ['column', reason.column],
    ['constraint', reason.constraint],
    ['attempts', letter.attempts === 0 ? undefined : String(letter.attempts)],
    ['outcome', letter.outcome],
  ];
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)}${value}`]));
  const statements = letter.statements.flatMap(({ sql, values }) => [
    `  ${sql}`,
    ...values.map((value, index) => `    $${index + 1} = ${value ?? 'NULL'}`),
  ]);
  return [
    `Dead letter ${letter.id}`,
    ...lines,
    ...(statements.length === 0 ? [] : ['statements', ...statements]),
    'content',
    `  ${letter.payload}`,
  ].join('\n');
}

function sourceOf({ direction, realmPath, sequence }: LetterSummary): string {
  return direction === 'toSql' ? `transaction ${sequence} of realm ${realmPath}` : 'row of the database';
}

function objectsText({ objects }: LetterSummary, most: number): string {
  const shown = objects.slice(0, most).map((object) => `${object.class} ${object.key}`);
  return objects.length > most ? `${shown.join(', ')} and ${objects.length - most} more` : shown.join(', ');
}
