/** The rows of a table of items, gathered by the object that they belong to. */
import type { SnapshotReader, SqlText, TableInfo } from '../dialect.ts';

export type ItemGroup = { readonly oid: string; readonly rows: SqlText[][] };

/**
 * Each object's rows at once, without their `oid`. They come ordered by the key of their table, which begins with `oid`;
 * `columns` are those after it. No more than one object's rows are held.
 */
export async function* itemGroups(
  snapshot: SnapshotReader,
  table: TableInfo,
  columns: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<ItemGroup> {
  let group: ItemGroup | undefined;
  for await (const batch of snapshot.rows(table, ['oid', ...columns], undefined)) {
    signal.throwIfAborted();
    for (const [oid, ...row] of batch) {
      if (oid === null || oid === undefined) continue;
      if (group?.oid === oid) group.rows.push(row);
      else {
        if (group !== undefined) yield group;
        group = { oid, rows: [row] };
      }
    }
  }
  if (group !== undefined) yield group;
}
