/** Loads the tables of classes one after the other, and says how far it has come. */
import { type SnapshotReader, tableId } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import { classStates, setClassState } from '../schema-watch/class-states.ts';
import type { HeldChanges } from '../schema-watch/held-changes.ts';
import { loadCollections } from './load-lists.ts';
import { readTableLoad } from './load-marks.ts';
import type { LoadProgress, LoadReport } from './load-report.ts';
import { type LoadContext, loadTable } from './load-table.ts';

/** `exact` is for a snapshot that lies at the very start of the feed; `run` is absent when a part is loaded. */
export async function loadTables(
  order: readonly ClassMapping[],
  snapshot: SnapshotReader,
  exact: boolean,
  run: number | undefined,
  held: HeldChanges,
  context: LoadContext,
  onProgress: ((progress: LoadProgress) => void) | undefined,
): Promise<LoadReport['tables']> {
  const results: LoadReport['tables'][number][] = [];
  for (const mapped of order) {
    const table = tableId(mapped.table.table);
    const started = performance.now();
    onProgress?.({ kind: 'table', table, estimatedRows: await snapshot.estimate(mapped.table) });
    const state = classStates(context.store).get(mapped.className);
    const comparing = state?.state === 'comparing' ? state : undefined;
    const before = readTableLoad(context.store, table);
    const interrupted = before?.state === 'loading' ? before.run : undefined;
    const live =
      comparing?.first === true &&
      context.realms.all().some(({ replica }) => replica.count(mapped.className) > 0)
        ? { isNewer: () => false, withoutRow: held.adopt.bind(held) }
        : undefined;
    const result = await loadTable(
      mapped,
      snapshot,
      exact,
      run ?? comparing?.run ?? interrupted ?? Date.now(),
      live === undefined ? context : { ...context, live },
      (rows) => onProgress?.({ kind: 'rows', table, rows }),
    );
    await loadCollections(mapped, snapshot, context);
    if (comparing !== undefined)
      context.store.transaction(() => setClassState(context.store, mapped.className, undefined));
    const done = { table, ...result, seconds: (performance.now() - started) / 1000 };
    onProgress?.({ kind: 'tableDone', ...done });
    results.push(done);
  }
  return results;
}
