/**
 * List tables `oid, idx, target`: indexes stay zero-based, contiguous and unique. Consecutive statements that one
 * statement can do together are joined: items inserted one behind the other, and lists emptied.
 */
import type { ApplyStatement, SqlText, TableInfo } from '../../../src/connector/dialect.ts';
import { tableId } from '../../../src/connector/dialect.ts';
import { quoteTable, textArray } from '../sql-text.ts';
import { castOf, unnest } from './set-statements.ts';

export type PreparedText = { readonly text: string; readonly values: readonly SqlText[] };

export type ListStatement = Extract<
  ApplyStatement,
  { kind: 'listInsert' | 'listSet' | 'listErase' | 'listClear' }
>;

export type ListStep =
  | {
      readonly kind: 'insert';
      readonly table: TableInfo;
      readonly oid: string;
      readonly index: number;
      readonly targets: SqlText[];
    }
  | { readonly kind: 'clear'; readonly table: TableInfo; readonly oids: string[] }
  | Extract<ApplyStatement, { kind: 'listSet' | 'listErase' }>;

export function isListStatement(statement: ApplyStatement): statement is ListStatement {
  return statement.kind.startsWith('list');
}

/** Appends a statement to the steps, or joins it to the last one. */
export function addListStep(steps: ListStep[], statement: ListStatement): void {
  const last = steps.at(-1);
  switch (statement.kind) {
    case 'listInsert': {
      const { table, oid, index, target } = statement;
      const follows =
        last?.kind === 'insert' &&
        tableId(last.table.table) === tableId(table.table) &&
        last.oid === oid &&
        last.index + last.targets.length === index;
      if (follows) last.targets.push(target);
      else steps.push({ kind: 'insert', table, oid, index, targets: [target] });
      return;
    }
    case 'listClear': {
      const { table, oid } = statement;
      if (last?.kind === 'clear' && tableId(last.table.table) === tableId(table.table)) last.oids.push(oid);
      else steps.push({ kind: 'clear', table, oids: [oid] });
      return;
    }
    default:
      steps.push(statement);
  }
}

/**
 * The statements of one step. `deferrable` says that the table's key is checked only at the end of a statement or
 * later; otherwise rows that move up take a detour through negative indexes.
 */
export function listTexts(step: ListStep, deferrable: boolean): PreparedText[] {
  const table = quoteTable(step.table.table);
  const ofList = `oid = ${castOf(step.table, 'oid', '$1::text')}`;
  switch (step.kind) {
    case 'insert':
      return [
        ...moved(table, ofList, step.oid, step.index, step.targets.length, deferrable),
        {
          text:
            `INSERT INTO ${table} (oid, idx, target) ` +
            `SELECT v.a0, $3::text::int + row_number() OVER () - 1, v.a1 FROM ${unnest(step.table, ['oid', 'target'])}`,
          values: [textArray(step.targets.map(() => step.oid)), textArray(step.targets), String(step.index)],
        },
      ];
    case 'listSet':
      return [
        {
          text: `UPDATE ${table} t SET target = v.a1 FROM ${unnest(step.table, ['oid', 'target'])} WHERE t.oid = v.a0 AND t.idx = $3::text::int`,
          values: [textArray([step.oid]), textArray([step.target]), String(step.index)],
        },
      ];
    case 'listErase':
      return [
        {
          text: `DELETE FROM ${table} WHERE ${ofList} AND idx = $2::text::int`,
          values: [step.oid, String(step.index)],
        },
        ...moved(table, ofList, step.oid, step.index + 1, -1, deferrable),
      ];
    case 'clear':
      return [
        {
          text: `DELETE FROM ${table} t USING ${unnest(step.table, ['oid'])} WHERE t.oid = v.a0`,
          values: [textArray(step.oids)],
        },
      ];
  }
}

/** Moves the items from `index` on by `distance`. */
function moved(
  table: string,
  ofList: string,
  oid: string,
  index: number,
  distance: number,
  deferrable: boolean,
): PreparedText[] {
  const values = [oid, String(index), String(distance)];
  if (deferrable) {
    return [
      {
        text: `UPDATE ${table} SET idx = idx + $3::text::int WHERE ${ofList} AND idx >= $2::text::int`,
        values,
      },
    ];
  }
  return [
    {
      text: `UPDATE ${table} SET idx = -1 - idx - $3::text::int WHERE ${ofList} AND idx >= $2::text::int`,
      values,
    },
    { text: `UPDATE ${table} SET idx = -1 - idx WHERE ${ofList} AND idx < 0`, values: [oid] },
  ];
}
