/**
 * A running connector: the change feed on one side, the realms' queues on the other, and the sync sessions that tie
 * the replicas to the object server. It owns no rule; it brings the parts together and stops them in order.
 */

import type { MergedInstruction } from '../adapter/merged-instruction.ts';
import type { ReplicaStore } from '../store/replica/contract.ts';
import { appliedCheckpoints } from './apply/applied-checkpoints.ts';
import { type AppliedTransaction, ApplyLoop } from './apply/apply-loop.ts';
import { OwedChanges } from './apply/owed-changes.ts';
import { redirectStatements } from './apply/redirect.ts';
import { type CapturedTransaction, FeedConsumer } from './capture/feed-consumer.ts';
import { FeedLoop } from './capture/feed-loop.ts';
import { DEFAULT_CHECK_MILLISECONDS, FeedWatch } from './capture/feed-watch.ts';
import { FeedBarrier } from './dead-letters/feed-barrier.ts';
import { LetterDesk } from './dead-letters/letter-desk.ts';
import { RefusedRows } from './dead-letters/refused-rows.ts';
import { retryRow } from './dead-letters/retry-row.ts';
import type { ApplyStatement, FeedHealth, SourceDialect } from './dialect.ts';
import { putsAside } from './error-policy.ts';
import { ApplyError, ConnectorStoppedError, type DataError } from './errors.ts';
import { knownFeed, openKnownFeed, requireFeed, settleNewFeed } from './feed-start.ts';
import { AnnouncedRows } from './keys/announced-rows.ts';
import { KeyDirectory } from './keys/key-directory.ts';
import { OwedKeys } from './keys/owed-keys.ts';
import { VanishedRows } from './keys/vanished-rows.ts';
import { ListKeeper } from './lists/list-keeper.ts';
import type { Mapping } from './mapping/class-mapping.ts';
import type { ConnectorOptions } from './options.ts';
import { RealmSessions } from './realm-sessions.ts';
import type { RealmSync } from './realm-sync.ts';
import { RealmRegistry, type SyncedRealm } from './realms.ts';
import { SchemaWatch } from './schema-watch/schema-watch.ts';
import { TableKeeping } from './schema-watch/table-keeping.ts';
import type { Turn } from './schema-watch/taking-over.ts';
import { type ConnectorSetup, setUpConnector } from './setup.ts';

export type SyncedTransaction =
  | ({ readonly direction: 'toRealm' } & CapturedTransaction)
  | ({ readonly direction: 'toSql' } & AppliedTransaction);

const NO_HEALTH: FeedHealth = { findings: [], retainedBytes: undefined, facts: {} };

export type EngineDependencies = {
  readonly dialect: SourceDialect;
  /** Schema of the tables. */
  readonly schema: string;
  readonly store: ReplicaStore;
  readonly sync: RealmSync;
  readonly onTransaction?: (transaction: SyncedTransaction) => void;
  /** Gives up a start that waits. */
  readonly signal?: AbortSignal;
};

/** How the change feed fares, for status displays. */
export type FeedStatus = {
  readonly state: FeedLoop['state'];
  /** What the replicas hold of it. */
  readonly position: string | undefined;
  /** What the database said at the last look. */
  readonly health: FeedHealth | undefined;
};

export class ConnectorEngine {
  readonly #options: ConnectorOptions;
  readonly #dependencies: EngineDependencies;
  readonly #sessions: RealmSessions;
  readonly #schemaWatch: SchemaWatch;
  /** Rows and objects of the classes whose rows the database numbers. */
  readonly #directory: KeyDirectory;
  readonly #owedKeys: OwedKeys;
  #realms!: RealmRegistry;
  #applyLoop!: ApplyLoop;
  #feedLoop!: FeedLoop;
  #consumer!: FeedConsumer;
  #feedWatch: FeedWatch | undefined;
  #letterDesk!: LetterDesk;
  #tables!: TableKeeping;
  #closing = false;
  /** Rejects with what stopped the connector; resolves when it was closed. */
  done!: Promise<void>;

  private constructor(
    options: ConnectorOptions,
    dependencies: EngineDependencies,
    schemaWatch: SchemaWatch,
    directory: KeyDirectory,
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#schemaWatch = schemaWatch;
    this.#sessions = new RealmSessions({ options, ...dependencies });
    this.#directory = directory;
    this.#owedKeys = new OwedKeys({
      store: dependencies.store,
      directory,
      mapping: () => this.#schemaWatch.setup.mapping,
      openWriter: () => this.#tables.openWriter(),
      dialect: dependencies.dialect,
      errorPolicy: options.ignoreSqlErrors,
      logger: options.logger,
    });
  }

  /** Resolves when both directions are running. Throws when models, options, database or feed do not fit. */
  static async start(options: ConnectorOptions, dependencies: EngineDependencies): Promise<ConnectorEngine> {
    const { dialect, schema, store } = dependencies;
    const directory = new KeyDirectory(store.rowKeys);
    const setup = await setUpConnector(options, dialect, schema, directory, store);
    const found = await dialect.catalogWatch?.tableVersions();
    await requireFeed(options, dialect, store, setup);
    const watched = { options, dialect, schema, store, directory };
    const schemaWatch = await SchemaWatch.open(watched, setup, found ?? new Map());
    const engine = new ConnectorEngine(options, dependencies, schemaWatch, directory);
    engine.#run(await appliedCheckpoints(dialect));
    await engine.#holdFeed();
    engine.#watchFeed();
    engine.#applyLoop.begin();
    engine.#letterDesk.begin();
    engine.#tables.begin();
    return engine;
  }

  #watchFeed(): void {
    const { dialect } = this.#dependencies;
    if (dialect.feedHealth === undefined) return;
    const { feedCheckMilliseconds: intervalMilliseconds = DEFAULT_CHECK_MILLISECONDS, logger } =
      this.#options;
    this.#feedWatch = new FeedWatch({
      health: async () => (await dialect.feedHealth?.()) ?? NO_HEALTH,
      isStreaming: () => this.#feedLoop.state === 'streaming',
      intervalMilliseconds,
      logger,
    });
    this.#feedWatch.start();
  }

  #onTablesChanged(setup: ConnectorSetup, turns: readonly Turn[]): void {
    if (turns.length > 0)
      this.#realms.extend(setup.definitions, (path, error) => this.#sessions.leaveOut(path, error));
    this.#consumer.forgetPlans();
  }

  /** Waits until the feed streams. Whoever held it before may still be writing, so nothing is applied until then. */
  async #holdFeed(): Promise<void> {
    const { signal, sync } = this.#dependencies;
    const giveUp = (): void => void this.#feedLoop.close();
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    try {
      await Promise.race([this.#feedLoop.started, sync.failed]);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  feedStatus(): FeedStatus {
    const { position } = knownFeed(this.#dependencies.store);
    return { state: this.#feedLoop.state, position, health: this.#feedWatch?.health };
  }

  get realms(): readonly SyncedRealm[] {
    return this.#realms.all();
  }

  /** Ends the transactions under way, then the sessions; what is not yet synced stays in the replicas. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#sessions.end();
    await Promise.all([this.#feedWatch?.close(), this.#tables.close()]);
    await this.#feedLoop.close();
    await this.#applyLoop.close();
    await this.#letterDesk.close(); // after the loops, for what they still had to tell it
    await this.#tables.end();
    await this.#sessions.close();
    this.#realms.close();
  }

  #run(applied: ReadonlyMap<string, number>): void {
    const { dialect, store, sync } = this.#dependencies;
    const options = this.#options;
    this.#realms = new RealmRegistry({
      store,
      schema: this.#schemaWatch.setup.definitions,
      applied,
      onOpen: (realm) => {
        this.#tables.attach(realm);
        this.#sessions.begin(realm);
      },
      onPending: () => this.#applyLoop.wake(),
    });
    const { tableOfRealm } = options;
    const { optionNames } = options.mapping;
    const redirect =
      tableOfRealm === undefined
        ? undefined
        : (path: string, statements: readonly ApplyStatement[]) =>
            redirectStatements(
              statements,
              path,
              tableOfRealm,
              this.#schemaWatch.setup.catalog,
              optionNames.tableOfRealm,
              mapping().followedLists,
            );
    const isSecret = (className: string, property: string): boolean =>
      options.secretProperties.has(`${className}.${property}`);
    const mapping = (): Mapping => this.#schemaWatch.setup.mapping;
    const owed = new OwedChanges(store);
    const refused = new RefusedRows(store);
    const barrier = new FeedBarrier(() => dialect.openWriter());
    const lists = new ListKeeper({
      store,
      mapping,
      reads: this.#schemaWatch.reads,
      realms: () => this.#realms.all(),
      onDataError: (error, className) => this.#onDataError(error, className),
    });
    this.#tables = new TableKeeping({
      options,
      dialect,
      tables: this.#schemaWatch,
      owedKeys: this.#owedKeys,
      applied,
      redirect,
      isSecret,
      context: {
        store,
        directory: this.#directory,
        realms: this.#realms,
        dialect,
        realmPathOfRow: options.realmPathOfRow,
        fixedRealmPath: options.fixedRealmPath,
        batchRows: options.load.batchRows,
        onDataError: (error, className) => this.#onDataError(error, className),
        refused,
        owed,
        lists,
      },
      onSetup: (setup, turns) => this.#onTablesChanged(setup, turns),
    });
    this.#applyLoop = new ApplyLoop({
      ...(redirect === undefined ? {} : { redirect }),
      ...(dialect.feedsNetChanges === true
        ? { announced: new AnnouncedRows({ store, directory: this.#directory, mapping }) }
        : {}),
      hold: (realm, instructions) => this.#tables.hold(realm, instructions),
      look: () => this.#schemaWatch.look(),
      caughtUp: (signal) => barrier.pass(signal),
      realms: this.#realms,
      openWriter: () => this.#tables.openWriter(),
      mapping,
      errorPolicy: options.ignoreSqlErrors,
      isSecret,
      beforeApply: async (instructions) => {
        await this.#owedKeys.settle(); // a row without its key would not be found
        await this.#extendOrRetry(instructions);
      },
      owed,
      lists,
      onMadeGood: (path, sequences) => this.#letterDesk.madeGood(path, sequences),
      onApplied: (transaction) => this.#dependencies.onTransaction?.({ direction: 'toSql', ...transaction }),
      logger: options.logger,
    });
    this.#consumer = new FeedConsumer({
      store,
      realms: this.#realms,
      mapping,
      dialect: this.#schemaWatch.reads,
      realmPathOfRow: options.realmPathOfRow,
      fixedRealmPath: options.fixedRealmPath,
      directory: this.#directory,
      loadedSnapshots: this.#tables.snapshots,
      lists,
      touched: this.#tables.touched,
      layouts: this.#tables.layouts,
      refused,
      refusedChanges: (path, className, key) => owed.shadowOf(path, className, key),
      // Rows of tables that the configuration chooses are none of the class's own.
      ...(dialect.feedsNetChanges === true && redirect === undefined
        ? {
            vanished: new VanishedRows({
              realms: this.#realms,
              mapping,
              dialect: this.#schemaWatch.reads,
              isRefused: (path, className, key) => owed.isAbsent(path, className, key),
            }),
          }
        : {}),
      onOwn: (checkpoint) => {
        barrier.echoed(checkpoint);
        this.#tables.echoed(checkpoint);
      },
      onDataError: (error, className) => this.#onDataError(error, className),
      onCaptured: (transaction) =>
        this.#dependencies.onTransaction?.({ direction: 'toRealm', ...transaction }),
      logger: options.logger,
    });
    this.#letterDesk = new LetterDesk({
      box: dialect.deadLetters(),
      refused,
      feedCaughtUp: (signal) => barrier.pass(signal),
      retry: (request) => this.#applyLoop.retry(request),
      retryRow: (row) =>
        retryRow(row, this.#schemaWatch.setup.mapping, dialect, store, this.#consumer, refused),
      onDiscarded: (path, sequence) => owed.forgive(path, sequence),
      logger: options.logger,
    });
    this.#sessions.openAll(this.#realms);
    if (settleNewFeed(store, this.#realms, applied)) this.#tables.settleNewFeed();
    this.#feedLoop = new FeedLoop({
      openFeed: (signal) => openKnownFeed(dialect, store, signal),
      consume: (events) => this.#consumer.consume(events),
      runCleanup: async (statements) => {
        await this.#applyLoop.runCleanup(statements);
        await this.#owedKeys.settle();
        await this.#applyLoop.settleLists();
      },
      isTransient: (error) => dialect.isTransient(error),
      onDisconnect: () => this.#consumer.reset(),
      logger: options.logger,
    });
    const loops = Promise.all([this.#feedLoop.done, this.#applyLoop.done]).then(() => {});
    this.done = Promise.race([sync.failed, this.#tables.failed, loops]);
    this.done.catch(() => {}); // whoever runs the engine awaits it; until then it must not take the process down
  }

  /** A row that no realm value can hold: the same policy as for realm values that no column can hold. */
  #onDataError(error: DataError, className?: string): void {
    if (!putsAside(this.#options.ignoreSqlErrors, className === undefined ? [] : [className])) {
      throw new ConnectorStoppedError(
        `a row of the database cannot be written to the realm: ${error.message}`,
        {
          remedy:
            'mend the row or the models and start again; nothing is lost. Or set ignoreSQLerrors to leave such rows out',
          cause: error,
        },
      );
    }
    this.#options.logger.error('Left a row of the database out', { reason: error.message });
  }

  /** A database that is away for a while is no reason to stop here either. */
  async #extendOrRetry(instructions: readonly MergedInstruction[]): Promise<void> {
    try {
      await this.#schemaWatch.grow(instructions);
    } catch (cause) {
      if (!(cause instanceof Error) || !this.#dependencies.dialect.isTransient(cause)) throw cause;
      throw new ApplyError(cause.message, { errorClass: 'transient', cause });
    }
  }
}
