/** What a verification found, as text. Pure; `report-writer.ts` says it. */
import type { ClassReport } from '../../connector/verify/class-report.ts';
import type { Difference, DifferenceState } from '../../connector/verify/difference.ts';
import type { RepairDirection } from '../../connector/verify/repair.ts';
import type { VerifyReport } from '../../connector/verify/run-verify.ts';

const THOUSANDS = new Intl.NumberFormat('en-US');

const COLUMNS = [
  'table',
  'rows',
  'objects',
  'equal',
  'different',
  'no object',
  'no row',
  'wrong realm',
  'explained',
  'changing',
  'seconds',
] as const;

/** The table at the end: numbers of every class and their sums. */
export function renderSummary({ classes, seconds }: VerifyReport): string[] {
  const rows = classes.map(numbersOf);
  const total = numbersOf({}).map((_, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0));
  const lines = [
    ...classes.map((report, index) => [report.table, ...cells(rows[index] ?? [], report.seconds)]),
    ['total', ...cells(total, seconds)],
  ];
  const widths = COLUMNS.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const rendered = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [rendered(COLUMNS), rule, ...lines.slice(0, -1).map(rendered), rule, rendered(lines.at(-1) ?? [])];
}

function numbersOf(report: Partial<ClassReport>): number[] {
  const { rows = 0, objects = 0, equal = 0, differences } = report;
  const of = (state: DifferenceState): number =>
    differences === undefined
      ? 0
      : Object.values(differences).reduce((sum, byState) => sum + byState[state], 0);
  return [
    rows,
    objects,
    equal,
    differences?.different.standing ?? 0,
    differences?.rowWithoutObject.standing ?? 0,
    differences?.objectWithoutRow.standing ?? 0,
    differences?.wrongRealm.standing ?? 0,
    of('explained'),
    of('changing'),
  ];
}

function cells(numbers: readonly number[], seconds: number): string[] {
  return [...numbers.map((value) => THOUSANDS.format(value)), seconds.toFixed(2)];
}

/** What else has to be said: what was not compared, and what the columns mean that are not 0. */
export function renderNotes({
  classes,
  realmsLeftOut,
  classesLeftOut,
  explained,
  changing,
}: VerifyReport): string[] {
  const notes: string[] = [];
  for (const { className, notCompared, rowsOutside } of classes) {
    if (notCompared.length > 0) {
      notes.push(`Not compared, having no place in the database: ${className}.${notCompared.join(', ')}`);
    }
    if (rowsOutside > 0)
      notes.push(
        `${THOUSANDS.format(rowsOutside)} rows of ${className} belong to no realm that was compared`,
      );
  }
  for (const [name, reason] of classesLeftOut) {
    notes.push(`Class ${name} was not compared, as its table does not fit: ${reason}`);
  }
  for (const [path, reason] of realmsLeftOut) notes.push(`Realm ${path} was not compared: ${reason}`);
  if (explained > 0) {
    notes.push(
      `${THOUSANDS.format(explained)} explained: left out or put aside as the configuration says (isthmus deadletter list). They are not repaired`,
    );
  }
  if (changing > 0) {
    notes.push(
      `${THOUSANDS.format(changing)} changing: they were written all the time, or the adapter was behind. Verify again when it is quieter`,
    );
  }
  return notes;
}

/** A difference in a line, or in a line for each property. */
export function renderDifference({
  kind,
  state,
  className,
  key,
  realmPath,
  properties,
  reason,
}: Difference): string[] {
  const what = `${className} ${key}`;
  const marks = `${state === 'standing' ? '' : ` [${state}]`}${reason === undefined ? '' : `: ${reason}`}`;
  switch (kind) {
    case 'rowWithoutObject':
      return [`${what}: row without object in ${realmPath}${marks}`];
    case 'objectWithoutRow':
      return [`${what}: object in ${realmPath} without row${marks}`];
    case 'wrongRealm':
      return [`${what}: object in ${realmPath}, to which its row does not belong${marks}`];
    case 'different':
      if (properties.length === 0) return [`${what}: different${marks}`];
      return properties.map(
        ({ property, sql, realm }) =>
          `${what}.${property}: row ${shown(sql)}, object ${shown(realm)}${marks}`,
      );
  }
}

function shown(text: string | null): string {
  return text === null ? 'NULL' : JSON.stringify(text);
}

/** What a repair does, by kind of difference, for those who are asked or only want to know. */
export function renderPlan({ classes }: VerifyReport, direction: RepairDirection): string[] {
  const sum = (kind: keyof ClassReport['differences']): number =>
    classes.reduce((all, { differences }) => all + differences[kind].standing, 0);
  const [made, erased] = direction === 'realm' ? ['objects', 'objects'] : ['rows', 'rows'];
  const missing = sum(direction === 'realm' ? 'rowWithoutObject' : 'objectWithoutRow');
  const surplus = sum(direction === 'realm' ? 'objectWithoutRow' : 'rowWithoutObject');
  const misplaced = sum('wrongRealm');
  const parts: readonly (readonly [number, string])[] = [
    [sum('different'), `${made} changed`],
    [missing, `${made} created`],
    [surplus, `${erased} deleted`],
    [
      misplaced,
      direction === 'realm'
        ? 'objects erased from the wrong realm'
        : 'rows given to the realm of their object',
    ],
  ];
  return parts.flatMap(([count, text]) => (count === 0 ? [] : [`${THOUSANDS.format(count)} ${text}`]));
}

export function repairQuestion(found: VerifyReport, direction: RepairDirection): string {
  const side = direction === 'realm' ? 'the realms' : 'the database';
  return `Repair ${side} (${renderPlan(found, direction).join(', ')})? Type yes: `;
}
