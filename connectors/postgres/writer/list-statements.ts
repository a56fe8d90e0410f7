/**
 * List tables `oid, idx, target`: indexes stay zero-based, contiguous and unique. Changes are collected per list. One
 * change is one or two statements; several are worked out here and written as the difference, because moving the rows
 * behind each of them would cost the length of the list every time.
 */
import type { ApplyStatement, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { quoteIdentifier, quoteTable, textArray } from '../sql-text.ts';
import { castOf, cell, unnest } from './set-statements.ts';

export type PreparedText = { readonly text: string; readonly values: readonly SqlText[] };

export type ListStatement = Extract<
  ApplyStatement,
  { kind: 'listInsert' | 'listSet' | 'listErase' | 'listClear' }
>;

type ListStep =
  | { readonly kind: 'insert'; readonly index: number; readonly targets: SqlText[] }
  | { readonly kind: 'set'; readonly index: number; readonly target: SqlText }
  | { readonly kind: 'erase'; readonly index: number };

/** What happens to one list. */
export type ListChanges = {
  readonly table: TableInfo;
  readonly oid: string;
  /** Emptied before the steps. */
  cleared: boolean;
  steps: ListStep[];
};

export type ListRow = { readonly index: number; readonly target: SqlText };

export function isListStatement(statement: ApplyStatement): statement is ListStatement {
  return statement.kind.startsWith('list');
}

/** Collects statements by list; lists do not depend on one another, so their order does not matter. */
export function addListChange(lists: Map<string, ListChanges>, statement: ListStatement): void {
  const { table, oid } = statement;
  const id = `${tableId(table.table)}\0${oid}`;
  let changes = lists.get(id);
  if (changes === undefined) {
    changes = { table, oid, cleared: false, steps: [] };
    lists.set(id, changes);
  }
  switch (statement.kind) {
    case 'listInsert': {
      const last = changes.steps.at(-1);
      const follows = last?.kind === 'insert' && last.index + last.targets.length === statement.index;
      if (follows) last.targets.push(statement.target);
      else changes.steps.push({ kind: 'insert', index: statement.index, targets: [statement.target] });
      return;
    }
    case 'listSet':
      changes.steps.push({ kind: 'set', index: statement.index, target: statement.target });
      return;
    case 'listErase':
      changes.steps.push({ kind: 'erase', index: statement.index });
      return;
    case 'listClear':
      changes.cleared = true;
      changes.steps = [];
  }
}

/** Empties lists of one table. */
export function clearText(table: TableInfo, oids: readonly string[]): PreparedText {
  return {
    text: `DELETE FROM ${quoteTable(table.table)} t USING ${unnest(table, ['oid'])} WHERE t.oid = v.a0`,
    values: [textArray(oids)],
  };
}

/** Reads a list, to work out what several steps make of it. */
export function readText({ table, oid }: ListChanges): PreparedText {
  return {
    text: `SELECT idx, target FROM ${quoteTable(table.table)} WHERE ${ofList(table)} ORDER BY idx FOR UPDATE`,
    values: [oid],
  };
}

/** The statements that make `rows` what the steps make of them. */
export function differenceTexts(changes: ListChanges, rows: readonly ListRow[]): PreparedText[] {
  const before = rows.map(({ target }) => target);
  const after = afterSteps(before, changes.steps);
  const { table, oid } = changes;
  const contiguous = rows.every(({ index }, place) => index === place);
  if (!contiguous) return [clearText(table, [oid]), ...insertTexts(changes, 0, after)];
  const texts: PreparedText[] = [];
  const changed = after.flatMap((target, index) =>
    index < before.length && target !== before[index] ? [{ index, target }] : [],
  );
  if (changed.length > 0) texts.push(setText(changes, changed));
  if (after.length < before.length) {
    texts.push({
      text: `DELETE FROM ${quoteTable(table.table)} WHERE ${ofList(table)} AND idx >= $2::text::int`,
      values: [oid, String(after.length)],
    });
  }
  return [...texts, ...insertTexts(changes, before.length, after.slice(before.length))];
}

function afterSteps(before: readonly SqlText[], steps: readonly ListStep[]): SqlText[] {
  const items = [...before];
  for (const step of steps) {
    if (step.kind === 'insert') insertInto(items, step.index, step.targets);
    else if (step.kind === 'erase') items.splice(step.index, 1);
    else if (step.index < items.length) items[step.index] = step.target;
  }
  return items;
}

/** Arguments are limited in number, so long runs are not spread into one `splice`. */
function insertInto(items: SqlText[], index: number, targets: readonly SqlText[]): void {
  const tail = items.splice(index);
  for (const target of targets) items.push(target);
  for (const target of tail) items.push(target);
}

/**
 * The statements of a single step. `deferrable` says that the table's key is checked only at the end of a statement or
 * later; otherwise rows that move up take a detour through negative indexes.
 */
export function stepTexts(changes: ListChanges, step: ListStep, deferrable: boolean): PreparedText[] {
  switch (step.kind) {
    case 'insert':
      return [
        ...movedTexts(changes, step.index, step.targets.length, deferrable),
        ...insertTexts(changes, step.index, step.targets),
      ];
    case 'set':
      return [setText(changes, [step])];
    case 'erase':
      return [
        {
          text: `DELETE FROM ${quoteTable(changes.table.table)} WHERE ${ofList(changes.table)} AND idx = $2::text::int`,
          values: [changes.oid, String(step.index)],
        },
        ...movedTexts(changes, step.index + 1, -1, deferrable),
      ];
  }
}

/** Adds rows to a table of items. */
export function insertItemsText(table: TableInfo, columns: readonly string[]): string {
  const values = columns.map((name, index) => cell(table, name, index)).join(', ');
  return (
    `INSERT INTO ${quoteTable(table.table)} (${columns.map(quoteIdentifier).join(', ')}) ` +
    `SELECT ${values} FROM ${unnest(table, columns)}`
  );
}

function insertTexts(
  { table, oid }: ListChanges,
  index: number,
  targets: readonly SqlText[],
): PreparedText[] {
  if (targets.length === 0) return [];
  return [
    {
      text:
        `INSERT INTO ${quoteTable(table.table)} (oid, idx, target) ` +
        `SELECT v.a0, v.a1, v.a2 FROM ${unnest(table, LIST_COLUMNS)}`,
      values: [
        textArray(targets.map(() => oid)),
        textArray(targets.map((_, place) => String(index + place))),
        textArray(targets),
      ],
    },
  ];
}

function setText({ table, oid }: ListChanges, rows: readonly ListRow[]): PreparedText {
  return {
    text:
      `UPDATE ${quoteTable(table.table)} t SET target = v.a2 FROM ${unnest(table, LIST_COLUMNS)} ` +
      'WHERE t.oid = v.a0 AND t.idx = v.a1',
    values: [
      textArray(rows.map(() => oid)),
      textArray(rows.map(({ index }) => String(index))),
      textArray(rows.map(({ target }) => target)),
    ],
  };
}

const LIST_COLUMNS = ['oid', 'idx', 'target'] as const;

/** Moves the items from `index` on by `distance`. */
function movedTexts(
  { table: info, oid }: ListChanges,
  index: number,
  distance: number,
  deferrable: boolean,
): PreparedText[] {
  const table = quoteTable(info.table);
  const values = [oid, String(index), String(distance)];
  const from = `WHERE ${ofList(info)} AND idx >= $2::text::int`;
  if (deferrable) return [{ text: `UPDATE ${table} SET idx = idx + $3::text::int ${from}`, values }];
  return [
    { text: `UPDATE ${table} SET idx = -1 - idx - $3::text::int ${from}`, values },
    { text: `UPDATE ${table} SET idx = -1 - idx WHERE ${ofList(info)} AND idx < 0`, values: [oid] },
  ];
}

function ofList(table: TableInfo): string {
  return `oid = ${castOf(table, 'oid', '$1::text')}`;
}
