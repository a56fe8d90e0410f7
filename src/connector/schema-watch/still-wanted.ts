/** Which tables and columns of the models are to be made: not those that were there and that somebody has dropped. */
import { type Catalog, tableId, type WantedTable } from '../dialect.ts';
import type { RememberedClass } from './remembered-classes.ts';

export function stillWanted(
  wanted: readonly WantedTable[],
  catalog: Catalog,
  remembered: ReadonlyMap<string, RememberedClass>,
): WantedTable[] {
  if (remembered.size === 0) return [...wanted];
  const known = new Map<string, Set<string>>();
  for (const { tables, left } of remembered.values()) {
    tables.forEach(({ table, columns }, index) => {
      const dropped = index === 0 ? Object.values(left) : [];
      known.set(tableId(table), new Set([...columns.map(({ name }) => name), ...dropped]));
    });
  }
  return wanted.flatMap((table): WantedTable[] => {
    const before = known.get(tableId(table.table));
    if (before === undefined) return [table];
    const present = catalog.get(tableId(table.table));
    if (present === undefined) return [];
    const names = new Set(present.columns.map(({ name }) => name));
    return [{ ...table, columns: table.columns.filter(({ name }) => names.has(name) || !before.has(name)) }];
  });
}
