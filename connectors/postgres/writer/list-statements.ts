/** The statements on list tables (src/connector/apply/list-changes.ts). */
import type { ListChanges, ListRow, ListStep } from '../../../src/connector/apply/list-changes.ts';
import { listDifference } from '../../../src/connector/apply/list-changes.ts';
import type { SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { quoteTable, textArray } from '../sql-text.ts';
import { castOf, unnest } from './set-statements.ts';

export type PreparedText = { readonly text: string; readonly values: readonly SqlText[] };

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
  const { rewritten, changed, cutTo, appended } = listDifference(changes, rows);
  const { table, oid } = changes;
  const texts: PreparedText[] = [];
  if (rewritten) texts.push(clearText(table, [oid]));
  if (changed.length > 0) texts.push(setText(changes, changed));
  if (cutTo !== undefined) {
    texts.push({
      text: `DELETE FROM ${quoteTable(table.table)} WHERE ${ofList(table)} AND idx >= $2::text::int`,
      values: [oid, String(cutTo)],
    });
  }
  return [...texts, ...insertTexts(changes, appended.index, appended.targets)];
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
