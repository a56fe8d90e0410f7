/**
 * Compares tables with their objects while everything else goes on, one at a time: those that were not synced before,
 * and those whose rows may have changed without a word in the feed. The work is a load of that table under a snapshot;
 * what the feed brings meanwhile is newer and stays (see `touched-rows.ts`), and so do changes of devices under way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { TouchedRows } from '../capture/touched-rows.ts';
import { type SnapshotReader, type SourceDialect, tableId } from '../dialect.ts';
import { enterKeys } from '../keys/load-keys.ts';
import type { OwedKeys } from '../keys/owed-keys.ts';
import { loadCollections } from '../load/load-lists.ts';
import { loadedSnapshots } from '../load/load-marks.ts';
import { type LoadContext, loadTable } from '../load/load-table.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import { classStates, setClassState } from './class-states.ts';
import type { HeldChanges } from './held-changes.ts';
import type { SchemaWatch } from './schema-watch.ts';

const FIRST_RETRY_MILLISECONDS = 200;
const MAX_RETRY_MILLISECONDS = 30_000;
/** How often a snapshot is taken anew that does not show what the feed has delivered already. */
const SNAPSHOT_RETRY_MILLISECONDS = 50;

export type TableComparisonsOptions = {
  readonly dialect: SourceDialect;
  readonly store: ReplicaStore;
  readonly mapping: () => Mapping;
  readonly held: HeldChanges;
  readonly touched: TouchedRows;
  readonly owedKeys: OwedKeys;
  /** Live: what a comparison is based on need not come again. */
  readonly snapshots: Map<string, string>;
  readonly context: Omit<LoadContext, 'live' | 'signal'>;
  /** Something may be ready to be written to SQL. */
  readonly onHeld: () => void;
  readonly tables: Pick<SchemaWatch, 'generation' | 'changedSince'>;
  readonly logger: Logger;
};

export class TableComparisons {
  readonly #options: TableComparisonsOptions;
  readonly #abort = new AbortController();
  /** Ends the comparison under way, whose table has changed meanwhile. */
  #current: { readonly className: string; readonly abort: AbortController } | undefined;
  #state: 'idle' | 'comparing' | 'stopped' = 'idle';
  #running: Promise<void> = Promise.resolve();
  #reject: (error: unknown) => void = () => {};
  /** Rejects with what stops the connector; never resolves. */
  readonly failed: Promise<never>;

  constructor(options: TableComparisonsOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {}); // whoever runs the engine awaits it
  }

  /** Some class may have come to be compared. Cheap to call at any time. */
  wake(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'comparing';
    this.#running = this.#run();
  }

  /** The class was changed or stopped: what is under way of it is of no use. */
  abandon(className: string): void {
    if (this.#current?.className === className) this.#current.abort.abort();
  }

  /** Ends the comparison under way; the next start goes on where it was. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#state = 'stopped';
  }

  async #run(): Promise<void> {
    try {
      let failures = 0;
      while (!this.#abort.signal.aborted) {
        const mapped = this.#next();
        if (mapped === undefined) break;
        const { generation } = this.#options.tables;
        try {
          await this.#compare(mapped);
          failures = 0;
        } catch (error) {
          if (this.#abort.signal.aborted) break;
          await this.#mendOrThrow(mapped, generation, failures, error);
          failures += 1;
        }
      }
      this.#state = 'idle';
    } catch (error) {
      this.#state = 'stopped';
      this.#reject(error);
    }
  }

  /** Parents before children, so that links find what they point to. */
  #next(): ClassMapping | undefined {
    const states = classStates(this.#options.store);
    return this.#options
      .mapping()
      .order.find(({ className }) => states.get(className)?.state === 'comparing');
  }

  async #compare(mapped: ClassMapping): Promise<void> {
    const { store, dialect, touched, held, logger } = this.#options;
    const { className } = mapped;
    const state = classStates(store).get(className);
    if (state?.state !== 'comparing') return;
    const abort = new AbortController();
    this.#current = { className, abort };
    const signal = AbortSignal.any([this.#abort.signal, abort.signal]);
    const table = tableId(mapped.table.table);
    touched.begin(className);
    let snapshot: SnapshotReader | undefined;
    try {
      await dialect.catalogWatch?.writersDone(mapped.table.table, signal);
      snapshot = await this.#openSnapshot(signal);
      const { includes } = wrapped(snapshot);
      const context: LoadContext = {
        ...this.#options.context,
        signal,
        live: {
          isNewer: (name, key) => touched.isNewer(name, key, includes),
          ...(state.first ? { withoutRow: (realm, name, keys) => held.adopt(realm, name, keys) } : {}),
        },
      };
      logger.info('Comparing a table with its objects', { class: className, table, reason: state.reason });
      await enterKeys(mapped, snapshot, { ...this.#options.context, owed: this.#options.owedKeys, signal });
      const result = await loadTable(mapped, snapshot, false, state.run, context, () => {});
      if (state.first) await loadCollections(mapped, snapshot, context);
      await context.lists?.compareAll([className], signal);
      if (this.#finish(className, table, state.run))
        logger.info('The table is in sync', { class: className, table, ...result });
    } finally {
      touched.end(className);
      this.#current = undefined;
      await snapshot?.close();
    }
    this.#options.onHeld();
  }

  /** A snapshot that shows everything that the feed has delivered. */
  async #openSnapshot(signal: AbortSignal): Promise<SnapshotReader> {
    for (;;) {
      signal.throwIfAborted();
      const delivered = [...this.#options.touched.recent];
      const snapshot = await this.#options.dialect.openSnapshot();
      if (delivered.every((transaction) => snapshot.includes(transaction))) return snapshot;
      await snapshot.close();
      await sleep(SNAPSHOT_RETRY_MILLISECONDS, undefined, { signal });
    }
  }

  /** False when the table was changed again meanwhile, so that it is to be compared again. */
  #finish(className: string, table: string, run: number): boolean {
    const { store, snapshots } = this.#options;
    return store.transaction(() => {
      const state = classStates(store).get(className);
      if (state?.state !== 'comparing' || state.run !== run) return false;
      setClassState(store, className, undefined);
      const visibility = loadedSnapshots(store).get(table);
      if (visibility !== undefined) snapshots.set(table, visibility);
      return true;
    });
  }

  async #mendOrThrow(
    mapped: ClassMapping,
    generation: number,
    failures: number,
    error: unknown,
  ): Promise<void> {
    const { dialect, logger, tables } = this.#options;
    if (error instanceof Error && error.name === 'AbortError') return; // abandoned: looks anew what is to be done
    const may = dialect.catalogWatch?.mayBeCausedByChange(error) === true;
    const changed = may && (await tables.changedSince(generation));
    if (!changed && !dialect.isTransient(error)) throw error;
    const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** failures, MAX_RETRY_MILLISECONDS);
    logger.warn('Comparing a table broke off, will go on', {
      class: mapped.className,
      error: error instanceof Error ? error.message : String(error),
      delayMilliseconds: delay,
    });
    await sleep(delay, undefined, { signal: this.#abort.signal }).catch(() => {});
  }
}

/** Asked once per transaction, not once per row. */
function wrapped(snapshot: SnapshotReader): { includes: (transaction: string) => boolean } {
  const known = new Map<string, boolean>();
  return {
    includes: (transaction) => {
      let included = known.get(transaction);
      if (included === undefined) {
        included = snapshot.includes(transaction);
        known.set(transaction, included);
      }
      return included;
    },
  };
}
