/** Which statements go to the database together, and into what they are taken apart to find the row at fault. */
import type { ApplyStatement, SqlText, TableInfo } from '../dialect.ts';
import { isListStatement, type ListStatement } from './list-changes.ts';

export type SetStatement = Exclude<ApplyStatement, ListStatement>;

/** Changes of lists that follow one another, or one other statement. */
export type Unit = { readonly lists: readonly ListStatement[] } | { readonly set: SetStatement };

export function unitsOf(statements: readonly ApplyStatement[]): readonly Unit[] {
  const units: Unit[] = [];
  let lists: ListStatement[] | undefined;
  for (const statement of statements) {
    if (!isListStatement(statement)) {
      lists = undefined;
      units.push({ set: statement });
    } else if (lists === undefined) {
      lists = [statement];
      units.push({ lists });
    } else lists.push(statement);
  }
  return units;
}

export type RowPlace = { readonly table: TableInfo; readonly key: readonly SqlText[] };

/** The smallest statements that do the same one after the other, each with the row that it is about. */
export function* partsOf(
  unit: Unit,
): Generator<{ readonly unit: Unit; readonly place: RowPlace | undefined }, void, undefined> {
  if ('lists' in unit) {
    for (const statement of unit.lists)
      yield { unit: { lists: [statement] }, place: { table: statement.table, key: [statement.oid] } };
    return;
  }
  const { set } = unit;
  if (set.kind === 'deleteAll') yield { unit, place: undefined };
  else if (set.kind === 'replaceItems') yield { unit, place: { table: set.table, key: set.oids } };
  else {
    const { table, keyColumns } = set;
    for (const row of set.rows)
      yield {
        unit: { set: { ...set, rows: [row] } },
        place: { table, key: row.slice(0, keyColumns.length) },
      };
  }
}
