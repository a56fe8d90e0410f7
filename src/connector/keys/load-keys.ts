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
  for (const mapped of mapping.order) {
    if (mapped.key.row !== undefined) await readTable(mapped, snapshot, context, ([, key]) => key === null);
  }
}

/** Makes the directory what the snapshot shows, and gives keys to rows that were made meanwhile. */
export async function loadKeys(
  mapping: Mapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
): Promise<void> {
  await context.owed.settle();
  for (const mapped of mapping.order) {
    if (mapped.key.row === undefined) continue;
    const id = tableId(mapped.table.table);
    const rows = await readTable(mapped, snapshot, context, () => true);
    if (rows === context.directory.count(id)) continue;
    // It knows rows that are gone, which nobody has told it.
    context.store.transaction(() => context.directory.clear(id));
    await readTable(mapped, snapshot, context, () => true);
  }
}

/** The same for one table while the feed is followed, which tells of rows that go. */
export async function enterKeys(
  mapped: ClassMapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
): Promise<void> {
  if (mapped.key.row === undefined) return;
  await context.owed.settle();
  await readTable(mapped, snapshot, context, () => true);
}

/** Returns the number of rows that have a key now. */
async function readTable(
  mapped: ClassMapping,
  snapshot: SnapshotReader,
  context: LoadKeysContext,
  concerns: (row: readonly SqlText[]) => boolean,
): Promise<number> {
  const columns = [mapped.key.row?.column ?? '', ...mapped.key.columns];
  let keyed = 0;
  for await (const batch of snapshot.rows(mapped.table, columns, undefined)) {
    context.signal.throwIfAborted();
    const rows = batch.filter(concerns);
    if (rows.length === 0) continue;
    context.store.transaction(() => {
      for (const texts of rows) if (enter(mapped, texts, context)) keyed += 1;
      context.directory.write();
    });
    await context.owed.settle();
  }
  return keyed;
}

function enter(mapped: ClassMapping, [own, key]: readonly SqlText[], context: LoadKeysContext): boolean {
  const { directory } = context;
  const id = tableId(mapped.table.table);
  if (own === null || own === undefined) return false;
  if (key !== null && key !== undefined) {
    directory.set(id, own, key);
    return true;
  }
  const made = directory.keyOf(id, own) ?? mapped.key.row?.generate?.();
  if (made !== undefined) {
    directory.set(id, own, made, true);
    return true;
  }
  context.onDataError(
    new DataError(`row ${own} of ${id} has no key by which ${mapped.className} could know it`, {
      remedy: `give it one in column ${mapped.key.columns[0]}`,
    }),
  );
  return false;
}
