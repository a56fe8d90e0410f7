/**
 * How far a load has come, kept in the replica store in the same transaction as the rows it vouches for, so that a
 * load that was killed goes on where it was.
 */
import { z } from 'zod';
import type { ReplicaStore } from '../../store/replica/contract.ts';

const RUN_MARK = 'load:run';
const TABLE_PREFIX = 'load:table:';

const runSchema = z.object({ id: z.number(), state: z.enum(['running', 'complete']) });
const tableSchema = z.object({
  run: z.number(),
  state: z.enum(['loading', 'done']),
  /** Key texts of the last row written. */
  after: z.array(z.string()).optional(),
  rows: z.number(),
  /** What the snapshot of the table's first pass showed; absent when the feed starts exactly at that snapshot. */
  visibility: z.string().optional(),
});

export type LoadRun = z.infer<typeof runSchema>;
export type TableLoad = z.infer<typeof tableSchema>;

export function readRun(store: ReplicaStore): LoadRun | undefined {
  const text = store.mark(RUN_MARK);
  return text === undefined ? undefined : runSchema.parse(JSON.parse(text));
}

export function writeRun(store: ReplicaStore, run: LoadRun): void {
  store.transaction(() => store.setMark(RUN_MARK, JSON.stringify(run)));
}

export function readTableLoad(store: ReplicaStore, table: string): TableLoad | undefined {
  const text = store.mark(TABLE_PREFIX + table);
  return text === undefined ? undefined : tableSchema.parse(JSON.parse(text));
}

/** Call inside the store's transaction that writes the rows. */
export function writeTableLoad(store: ReplicaStore, table: string, load: TableLoad): void {
  store.setMark(TABLE_PREFIX + table, JSON.stringify(load));
}

/** By table id, the snapshots whose contents the feed need not bring again. */
export function loadedSnapshots(store: ReplicaStore): Map<string, string> {
  const snapshots = new Map<string, string>();
  for (const [name, text] of store.marks(TABLE_PREFIX)) {
    const { visibility, state } = tableSchema.parse(JSON.parse(text));
    if (visibility !== undefined && state === 'done')
      snapshots.set(name.slice(TABLE_PREFIX.length), visibility);
  }
  return snapshots;
}
