/**
 * A running connector: the change feed on one side, the realms' queues on the other, and the sync sessions that tie
 * the replicas to the object server. It owns no rule; it brings the parts together and stops them in order.
 */

import type { MergedInstruction } from '../adapter/merged-instruction.ts';
import { ADMIN_REALM_PATH } from '../adapter/realm-discovery.ts';
import { SchemaError } from '../schema/schema-error.ts';
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
import { knownFeed, openKnownFeed, refuseNewFeed, requireFeed, settleNewFeed } from './feed-start.ts';
import { KeyDirectory } from './keys/key-directory.ts';
import { OwedKeys } from './keys/owed-keys.ts';
import { loadedSnapshots } from './load/load-marks.ts';
import { extendedDefinitions } from './mapping/extended-definitions.ts';
import type { ConnectorOptions } from './options.ts';
import type { RealmSession, RealmSync } from './realm-sync.ts';
import { RealmRegistry, type SyncedRealm } from './realms.ts';
import { type ConnectorSetup, extendSetup, setUpConnector } from './setup.ts';

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
  readonly #sessions = new Map<string, RealmSession>();
  /** Rows and objects of the classes whose rows the database numbers. */
  readonly #directory: KeyDirectory;
  readonly #owedKeys: OwedKeys;
  #setup: ConnectorSetup;
  #realms!: RealmRegistry;
  #applyLoop!: ApplyLoop;
  #feedLoop!: FeedLoop;
  #consumer!: FeedConsumer;
  #feedWatch: FeedWatch | undefined;
  #letterDesk!: LetterDesk;
  #closing = false;
  /** Rejects with what stopped the connector; resolves when it was closed. */
  done!: Promise<void>;

  private constructor(
    options: ConnectorOptions,
    dependencies: EngineDependencies,
    setup: ConnectorSetup,
    directory: KeyDirectory,
  ) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#setup = setup;
    this.#directory = directory;
    this.#owedKeys = new OwedKeys({
      store: dependencies.store,
      directory,
      mapping: () => this.#setup.mapping,
      openWriter: () => dependencies.dialect.openWriter(),
      errorPolicy: options.ignoreSqlErrors,
      logger: options.logger,
    });
  }

  /** Resolves when both directions are running. Throws when models, options, database or feed do not fit. */
  static async start(options: ConnectorOptions, dependencies: EngineDependencies): Promise<ConnectorEngine> {
    const { dialect, schema, store } = dependencies;
    const directory = new KeyDirectory(store.rowKeys);
    const setup = await setUpConnector(options, dialect, schema, directory);
    await requireFeed(options, dialect, store, setup);
    const engine = new ConnectorEngine(options, dependencies, setup, directory);
    engine.#run(await appliedCheckpoints(dialect));
    await engine.#holdFeed();
    engine.#watchFeed();
    engine.#applyLoop.begin();
    engine.#letterDesk.begin();
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
    await this.#feedWatch?.close();
    await this.#feedLoop.close();
    await this.#applyLoop.close();
    await this.#letterDesk.close(); // after the loops, for what they still had to tell it
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    this.#realms.close();
  }

  #run(applied: ReadonlyMap<string, number>): void {
    const { dialect, store, sync } = this.#dependencies;
    const options = this.#options;
    this.#realms = new RealmRegistry({
      store,
      schema: this.#setup.definitions,
      applied,
      onOpen: (realm) => {
        this.#warnOfReset(realm);
        const session = sync.open(realm.replica, {
          waiting: () => realm.pending.length,
          ...(realm.path === options.fixedRealmPath
            ? {}
            : { onFailed: (error: Error) => this.#leaveOut(realm.path, error) }),
        });
        this.#sessions.set(realm.path, session);
      },
      onPending: () => this.#applyLoop.wake(),
    });
    const { tableOfRealm } = options;
    const owed = new OwedChanges(store);
    const refused = new RefusedRows(store);
    const barrier = new FeedBarrier(() => dialect.openWriter());
    this.#applyLoop = new ApplyLoop({
      ...(tableOfRealm === undefined
        ? {}
        : {
            redirect: (path: string, statements: readonly ApplyStatement[]) =>
              redirectStatements(statements, path, tableOfRealm, this.#setup.catalog),
          }),
      realms: this.#realms,
      openWriter: () => dialect.openWriter(),
      mapping: () => this.#setup.mapping,
      errorPolicy: options.ignoreSqlErrors,
      isSecret: (className, property) => options.secretProperties.has(`${className}.${property}`),
      beforeApply: async (instructions) => {
        await this.#owedKeys.settle(); // a row without its key would not be found
        await this.#extendOrRetry(instructions);
      },
      owed,
      onMadeGood: (path, sequences) => this.#letterDesk.madeGood(path, sequences),
      onApplied: (transaction) => this.#dependencies.onTransaction?.({ direction: 'toSql', ...transaction }),
      logger: options.logger,
    });
    this.#consumer = new FeedConsumer({
      store,
      realms: this.#realms,
      mapping: () => this.#setup.mapping,
      dialect,
      realmPathOfRow: options.realmPathOfRow,
      fixedRealmPath: options.fixedRealmPath,
      directory: this.#directory,
      loadedSnapshots: loadedSnapshots(store),
      refused,
      onOwn: (checkpoint) => barrier.echoed(checkpoint),
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
      retryRow: (row) => retryRow(row, this.#setup.mapping, dialect, store, this.#consumer, refused),
      onDiscarded: (path, sequence) => owed.forgive(path, sequence),
      logger: options.logger,
    });
    this.#openRealms();
    settleNewFeed(store, this.#realms, applied);
    this.#feedLoop = new FeedLoop({
      openFeed: (signal) => openKnownFeed(dialect, store, signal),
      consume: (events) => this.#consumer.consume(events),
      runCleanup: async (statements) => {
        await this.#applyLoop.runCleanup(statements);
        await this.#owedKeys.settle();
      },
      isTransient: (error) => dialect.isTransient(error),
      onDisconnect: () => this.#consumer.reset(),
      logger: options.logger,
    });
    const loops = Promise.all([this.#feedLoop.done, this.#applyLoop.done]).then(() => {});
    this.done = Promise.race([sync.failed, loops]);
    this.done.catch(() => {}); // whoever runs the engine awaits it; until then it must not take the process down
  }

  /**
   * A client reset replaced the replica by the server's state. What that changed is queued for SQL, except erasures
   * (the server may have lost data): rows without object stay, and only a comparison tells them.
   */
  #warnOfReset({ path, replica }: SyncedRealm): void {
    const { store } = this.#dependencies;
    const name = `generation:${path}`;
    const known = Number(store.mark(name) ?? 0);
    if (replica.generation === known) return;
    this.#options.logger.warn(
      'The realm was reset to the state of the server. Run `isthmus load`, which compares tables and realm, to see that both agree',
      { path },
    );
    store.transaction(() => store.setMark(name, String(replica.generation)));
  }

  #openRealms(): void {
    const { store, sync } = this.#dependencies;
    const { fixedRealmPath, realmRegex } = this.#options;
    if (fixedRealmPath !== undefined) this.#realms.open(fixedRealmPath);
    const open = (path: string): void => {
      if (this.#closing || path === ADMIN_REALM_PATH || !realmRegex.test(path)) return;
      try {
        this.#realms.open(path);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        this.#leaveOut(path, error);
      }
    };
    for (const path of store.paths()) open(path);
    sync.onRealm(open);
  }

  /** One of many realms: what somebody has made of it must not stop the others. */
  #leaveOut(path: string, error: Error): void {
    this.#options.logger.error('A realm is not synced any more, the others are', {
      path,
      reason: error.message,
      remedy: 'mend the realm, the models or the rights, then start the connector again; nothing is lost',
    });
  }

  /** A row that no realm value can hold: the same policy as for realm values that no column can hold. */
  #onDataError(error: DataError, className: string): void {
    if (!putsAside(this.#options.ignoreSqlErrors, [className])) {
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
      await this.#extend(instructions);
    } catch (cause) {
      if (!(cause instanceof Error) || !this.#dependencies.dialect.isTransient(cause)) throw cause;
      throw new ApplyError(cause.message, { errorClass: 'transient', cause });
    }
  }

  /** Makes tables and columns for classes and properties that a realm transaction adds, when configured to. */
  async #extend(instructions: readonly MergedInstruction[]): Promise<void> {
    if (!this.#options.applyRealmSchemaChanges) return;
    const definitions = extendedDefinitions(this.#setup.definitions, instructions);
    if (definitions === undefined) return;
    const { dialect, schema } = this.#dependencies;
    this.#setup = await extendSetup(this.#options, dialect, schema, definitions, this.#directory);
    const { created, snapshot } = await dialect.prepareFeed(this.#setup.tables, { reset: false });
    await snapshot?.close();
    if (created) await refuseNewFeed(this.#options.adapterName, dialect);
    this.#consumer.forgetPlans();
  }
}
