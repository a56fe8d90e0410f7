/** Everything that keeps a running connector true to tables that change, brought together for the engine. */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { LayoutListener } from '../capture/feed-plans.ts';
import { TouchedRows } from '../capture/touched-rows.ts';
import type { ApplyStatement, Checkpoint, SourceDialect, SqlWriter } from '../dialect.ts';
import type { OwedKeys } from '../keys/owed-keys.ts';
import { loadedSnapshots } from '../load/load-marks.ts';
import type { LoadContext } from '../load/load-table.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { ConnectorOptions } from '../options.ts';
import type { SyncedRealm } from '../realms.ts';
import type { ConnectorSetup } from '../setup.ts';
import { HeldChanges } from './held-changes.ts';
import { HeldWriter } from './held-writer.ts';
import type { SchemaWatch } from './schema-watch.ts';
import { TableComparisons } from './table-comparisons.ts';
import type { Turn } from './taking-over.ts';

export type TableKeepingOptions = {
  readonly options: ConnectorOptions;
  readonly dialect: SourceDialect;
  readonly tables: SchemaWatch;
  readonly owedKeys: OwedKeys;
  /** For the comparisons. */
  readonly context: Omit<LoadContext, 'live' | 'signal'>;
  /** Checkpoints found in SQL, by realm path. */
  readonly applied: ReadonlyMap<string, number>;
  readonly redirect:
    | ((path: string, statements: readonly ApplyStatement[]) => readonly ApplyStatement[])
    | undefined;
  readonly isSecret: (className: string, property: string) => boolean;
  /** The classes are others now. */
  readonly onSetup: (setup: ConnectorSetup, turns: readonly Turn[]) => void;
};

export class TableKeeping {
  readonly touched = new TouchedRows();
  /** Visibility texts of the snapshots that tables were loaded from, by table id; grows with each comparison. */
  readonly snapshots: Map<string, string>;
  readonly #tables: SchemaWatch;
  readonly #dialect: SourceDialect;
  readonly #applied: ReadonlyMap<string, number>;
  readonly #held: HeldChanges;
  readonly #writer: HeldWriter;
  readonly #comparisons: TableComparisons;
  /** Nothing is written before the feed is ours. */
  #state: 'held' | 'running' = 'held';
  /** Rejects with what stops the connector; never resolves. */
  readonly failed: Promise<never>;

  constructor({
    options,
    dialect,
    tables,
    owedKeys,
    context,
    applied,
    redirect,
    isSecret,
    onSetup,
  }: TableKeepingOptions) {
    const { store, realms } = context;
    const { logger } = options;
    const mapping = (): Mapping => tables.setup.mapping;
    this.#tables = tables;
    this.#dialect = dialect;
    this.#applied = applied;
    this.snapshots = loadedSnapshots(store);
    this.#held = new HeldChanges({
      store,
      mapping,
      isStopped: (className) => tables.isStopped(className),
      isLeft: (className, property) => tables.isLeft(className, property),
      applied,
      logger,
    });
    this.#writer = new HeldWriter({
      held: this.#held,
      realms,
      openWriter: () => this.openWriter(),
      mapping,
      redirect,
      lists: context.lists,
      errorPolicy: options.ignoreSqlErrors,
      isSecret,
      logger,
    });
    this.#comparisons = new TableComparisons({
      dialect,
      store,
      mapping,
      held: this.#held,
      touched: this.touched,
      owedKeys,
      snapshots: this.snapshots,
      context,
      onHeld: () => this.#writer.wake(),
      tables,
      logger,
    });
    this.failed = Promise.race([tables.failed, this.#writer.failed, this.#comparisons.failed]);
    this.failed.catch(() => {}); // whoever runs the engine awaits it
    tables.listen((setup, turns) => {
      onSetup(setup, turns);
      this.#onTurns(turns);
    });
  }

  /** What the feed says of the layouts of its rows. */
  get layouts(): LayoutListener {
    return {
      hint: () => this.#tables.hint(),
      unreadable: (mapped, reason) => this.#tables.unreadable(mapped, reason),
      generation: () => this.#tables.generation,
      changedSince: (generation) => this.#tables.changedSince(generation),
    };
  }

  /** Changes of a realm that wait cast shadows, too. */
  attach(realm: SyncedRealm): void {
    realm.shadows.attach((className, key) => this.#held.shadowOf(realm.path, className, key));
  }

  /** A writer whose failures are looked into. */
  async openWriter(): Promise<SqlWriter> {
    return this.#tables.guarded(await this.#dialect.openWriter());
  }

  hold(realm: SyncedRealm, instructions: readonly MergedInstruction[]): readonly MergedInstruction[] {
    return this.#held.split(realm, instructions);
  }

  /** The feed has shown a checkpoint. Call inside the store's transaction. */
  echoed(checkpoint: Checkpoint): void {
    this.#held.echoed(checkpoint);
  }

  /** A new feed shows nothing of what was written before it began. */
  settleNewFeed(): void {
    for (const [realmPath, sequence] of this.#applied) this.#held.echoed({ realmPath, sequence });
  }

  /** The feed is ours: from now on tables are looked at and compared, and what waited is written. */
  begin(): void {
    this.#state = 'running';
    this.#tables.begin();
    this.#onTurns([]);
  }

  /** Ends what is under way; call before the feed ends. {@link end} follows after the loops. */
  async close(): Promise<void> {
    await Promise.all([this.#comparisons.close(), this.#writer.close()]);
  }

  async end(): Promise<void> {
    await this.#tables.close();
  }

  #onTurns(turns: readonly Turn[]): void {
    for (const { kind, className } of turns) {
      if (kind === 'stopped') this.#held.stop(className);
      if (kind === 'resumed') this.#held.resume(className);
      this.#comparisons.abandon(className);
    }
    if (this.#state !== 'running') return;
    this.#writer.wake();
    this.#comparisons.wake();
  }
}
