/** Brings the contents of list tables (oid, idx, target) into lists that are still empty in the realm. */
import type { Instruction } from '../../changeset/instruction.ts';
import type { LinkValue, PrimaryKey } from '../../schema/value.ts';
import type { SnapshotReader } from '../dialect.ts';
import type { ClassMapping, ListMapping } from '../mapping/class-mapping.ts';
import type { LoadContext } from './load-table.ts';

/**
 * Lists are the realm's: their tables are written from it and read only here, for objects whose list is empty
 * (reference, "Lists"). Rows come ordered by oid and idx.
 */
export async function loadList(
  mapped: ClassMapping,
  list: ListMapping,
  snapshot: SnapshotReader,
  context: LoadContext,
): Promise<number> {
  let filled = 0;
  let oid: string | undefined;
  let targets: LinkValue[] = [];
  const finish = (): void => {
    if (oid === undefined || targets.length === 0) return;
    const key = keyOf(mapped, oid);
    if (key !== undefined) filled += fillLists(mapped, list, key, targets, context);
  };
  for await (const batch of snapshot.rows(list.table, ['oid', 'idx', 'target'], undefined)) {
    context.signal.throwIfAborted();
    for (const [rowOid, , target] of batch) {
      if (rowOid === null || rowOid === undefined) continue;
      if (rowOid !== oid) {
        finish();
        oid = rowOid;
        targets = [];
      }
      const item = target === null || target === undefined ? undefined : list.toRealm(target);
      if (item?.type === 'link') targets.push(item);
    }
  }
  finish();
  return filled;
}

/** Undefined for a row that the directory does not know, so that no object is its own. */
function keyOf(mapped: ClassMapping, oid: string): PrimaryKey | undefined {
  if (mapped.key.row !== undefined) return mapped.key.row.keyOf(oid);
  return mapped.key.columns.length === 1 ? mapped.key.toRealm([oid]) : { type: 'string', value: oid };
}

function fillLists(
  mapped: ClassMapping,
  list: ListMapping,
  key: PrimaryKey,
  targets: readonly LinkValue[],
  context: LoadContext,
): number {
  let filled = 0;
  for (const realm of context.realms.all()) {
    const object = realm.replica.object(mapped.className, key);
    const state = object?.fields.get(list.property);
    if (object === undefined || (state?.type === 'list' && state.items.length > 0)) continue;
    const instructions = targets.map(
      (value, index): Instruction => ({
        op: 'ArrayInsert',
        table: mapped.className,
        key,
        field: list.property,
        path: [index],
        value,
        priorSize: index,
      }),
    );
    realm.replica.write(instructions);
    filled += 1;
  }
  return filled;
}
