/** What a load does about rows that the database numbers: their keys first, so that every link of a table finds its object. */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { type SnapshotReader, type SqlText, tableId } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { OwedKeys } from './owed-keys.ts';

export type LoadKeysContext = {
  readonly store: Pick<ReplicaStore, 'transaction'>;
  readonly directory: KeyDirectory;
  readonly owed: OwedKeys;
  readonly onDataError: (error: DataError) => void;
  readonly signal: AbortSignal;
};

export function hasRowKeys(mapping: Mapping): boolean {
  return mapping.order.some(({ key }) => key.row !== undefined);
}

/**
 * Gives keys to the rows that have none, in sets. Best done before the feed begins, which then need not bring all of
 * these updates.
 */
export async function assignKeys(
  mapping: Mapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
): Promise<void> {
  await context.owed.settle(); // of an earlier run
  await readKeys(
    mapping,
    snapshot,
    context,
    () => {},
    ([, key]) => key === null,
  );
}

/** Fills the directory with all rows of the snapshot, in place of what it knew, and keys into rows made meanwhile. */
export async function loadKeys(
  mapping: Mapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
): Promise<void> {
  await context.owed.settle();
  const forget = (mapped: ClassMapping): void => {
    context.store.transaction(() => context.directory.clear(tableId(mapped.table.table)));
  };
  await readKeys(mapping, snapshot, context, forget, () => true);
}

async function readKeys(
  mapping: Mapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
  begin: (mapped: ClassMapping) => void,
  concerns: (row: readonly SqlText[]) => boolean,
): Promise<void> {
  for (const mapped of mapping.order) {
    const { row } = mapped.key;
    if (row === undefined) continue;
    begin(mapped);
    const columns = [row.column, ...mapped.key.columns];
    for await (const batch of snapshot.rows(mapped.table, columns, undefined)) {
      context.signal.throwIfAborted();
      const rows = batch.filter(concerns);
      if (rows.length === 0) continue;
      context.store.transaction(() => {
        for (const texts of rows) enter(mapped, texts, context);
        context.directory.write();
      });
      await context.owed.settle();
    }
  }
}

function enter(mapped: ClassMapping, [own, key]: readonly SqlText[], context: LoadKeysContext): void {
  const { directory } = context;
  const id = tableId(mapped.table.table);
  if (own === null || own === undefined) return;
  if (key !== null && key !== undefined) {
    directory.set(id, own, key);
    return;
  }
  const made = directory.keyOf(id, own) ?? mapped.key.row?.generate?.();
  if (made !== undefined) {
    directory.set(id, own, made, true);
    return;
  }
  context.onDataError(
    new DataError(`row ${own} of ${id} has no key by which ${mapped.className} could know it`, {
      remedy: `give it one in column ${mapped.key.columns[0]}`,
    }),
  );
}
