/**
 * The statements on list tables (src/connector/apply/list-changes.ts): one of each kind for all lists of a table, each
 * of which is changed in one place only. Unique keys are checked when a statement has ended, so that one UPDATE moves
 * rows across one another.
 */
import type { ListChanges, ListRow } from '../../../src/connector/apply/list-changes.ts';
import { listDifference } from '../../../src/connector/apply/list-changes.ts';
import type { SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { readExpression } from '../column-text.ts';
import { quoteTable } from '../sql-text.ts';
import { cellText, columnOf, keyCondition, matches, rowSource } from './row-source.ts';
import { deleteText, IN_CONTEXT, insertItemsText, updateText } from './set-statements.ts';

type TextRow = readonly SqlText[];

/** What is done to the lists of one table, in this order. */
export type ListWork = {
  readonly cleared: TextRow[];
  /** `oid, length`: what stands behind goes. */
  readonly cut: TextRow[];
  /** `oid, idx`. */
  readonly erased: TextRow[];
  /** `oid, first, distance`. */
  readonly moved: TextRow[];
  /** `oid, idx, target`. */
  readonly set: TextRow[];
  readonly inserted: TextRow[];
};

export type ListRun = {
  readonly text: string;
  readonly columns: readonly string[];
  readonly rows: TextRow[];
};

const LIST_COLUMNS = ['oid', 'idx', 'target'] as const;

export function noWork(): ListWork {
  return { cleared: [], cut: [], erased: [], moved: [], set: [], inserted: [] };
}

/** True when what the steps come to cannot be said without the list as it is. */
export function needsReading({ steps }: ListChanges): boolean {
  return steps.length > 1;
}

/** Adds one list that is changed in no more than one place. */
export function addStep(work: ListWork, { oid, steps }: ListChanges): void {
  const [step] = steps;
  switch (step?.kind) {
    case 'insert':
      work.moved.push([oid, String(step.index), String(step.targets.length)]);
      addItems(work.inserted, oid, step.index, step.targets);
      return;
    case 'set':
      work.set.push([oid, String(step.index), step.target]);
      return;
    case 'erase':
      work.erased.push([oid, String(step.index)]);
      work.moved.push([oid, String(step.index + 1), '-1']);
  }
}

/** Adds the difference between a list as it is and as its steps make it. */
export function addDifference(work: ListWork, changes: ListChanges, rows: readonly ListRow[]): void {
  const { oid } = changes;
  const { rewritten, changed, cutTo, appended } = listDifference(changes, rows);
  if (rewritten) work.cleared.push([oid]);
  if (cutTo !== undefined) work.cut.push([oid, String(cutTo)]);
  for (const { index, target } of changed) work.set.push([oid, String(index), target]);
  addItems(work.inserted, oid, appended.index, appended.targets);
}

function addItems(rows: TextRow[], oid: string, index: number, targets: readonly SqlText[]): void {
  for (const [place, target] of targets.entries()) rows.push([oid, String(index + place), target]);
}

/** The statements that do the work. */
export function listRuns(table: TableInfo, work: ListWork): ListRun[] {
  const runs: ListRun[] = [
    { text: clearText(table), columns: ['oid'], rows: work.cleared },
    { text: cutText(table), columns: ['oid', 'idx'], rows: work.cut },
    { text: eraseText(table), columns: ['oid', 'idx'], rows: work.erased },
    { text: moveText(table), columns: ['oid', 'idx', 'idx'], rows: work.moved },
    { text: setText(table), columns: LIST_COLUMNS, rows: work.set },
    { text: insertItemsText(table, LIST_COLUMNS), columns: LIST_COLUMNS, rows: work.inserted },
  ];
  return runs.filter(({ rows }) => rows.length > 0);
}

export function clearText(table: TableInfo): string {
  return deleteText(table, ['oid']);
}

export function cutText(table: TableInfo): string {
  return (
    `${IN_CONTEXT} DELETE t FROM ${quoteTable(table.table)} AS t INNER JOIN ${rowSource(2)} ` +
    `ON ${ofList(table)} AND t.[idx] >= ${number(1)};`
  );
}

export function eraseText(table: TableInfo): string {
  return deleteText(table, ['oid', 'idx']);
}

/** Moves the items from one on by a distance. */
export function moveText(table: TableInfo): string {
  return (
    `${IN_CONTEXT} UPDATE t SET t.[idx] = t.[idx] + ${number(2)} FROM ${quoteTable(table.table)} AS t ` +
    `INNER JOIN ${rowSource(3)} ON ${ofList(table)} AND t.[idx] >= ${number(1)};`
  );
}

export function setText(table: TableInfo): string {
  return updateText(table, ['oid', 'idx'], ['target']);
}

/** Reads lists, to work out what several steps make of them; nobody changes them until the transaction has ended. */
export function readText(table: TableInfo): string {
  return (
    `SELECT ${cellText(0)}, CONVERT(varchar(20), t.[idx]), ${readExpression(columnOf(table, 'target'), 't')} ` +
    `FROM ${rowSource(1)} INNER JOIN ${quoteTable(table.table)} AS t WITH (UPDLOCK, SERIALIZABLE) ` +
    `ON ${keyCondition(table, ['oid'])};`
  );
}

function ofList(table: TableInfo): string {
  return matches(table, 'oid', cellText(0));
}

function number(index: number): string {
  return `CONVERT(int, ${cellText(index)})`;
}
