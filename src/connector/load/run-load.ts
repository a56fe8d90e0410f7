/**
 * The loader: one consistent snapshot of all tables, tied to the start of the change feed, into the realms.
 *
 * A run that was interrupted goes on after the last row it committed. A run after a complete one compares and writes
 * only differences, and erases objects whose row is gone. What is loaded is in the replica store at once, and on the
 * server as soon as the sync sessions have uploaded it.
 */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { appliedCheckpoints } from '../apply/applied-checkpoints.ts';
import { OwedChanges } from '../apply/owed-changes.ts';
import { RefusedRows } from '../dead-letters/refused-rows.ts';
import type { SourceDialect, SqlWriter } from '../dialect.ts';
import { ConnectorStoppedError } from '../errors.ts';
import { knownFeed, NOTHING_KNOWN, rememberNewFeed, rememberTables, settleNewFeed } from '../feed-start.ts';
import { KeyDirectory } from '../keys/key-directory.ts';
import { assignKeys, hasRowKeys, type LoadKeysContext, loadKeys } from '../keys/load-keys.ts';
import { OwedKeys } from '../keys/owed-keys.ts';
import { Mapping } from '../mapping/class-mapping.ts';
import type { ConnectorOptions } from '../options.ts';
import type { RealmSession, RealmSync } from '../realm-sync.ts';
import { RealmRegistry } from '../realms.ts';
import { HeldChanges } from '../schema-watch/held-changes.ts';
import { type TableVersions, takeOver } from '../schema-watch/taking-over.ts';
import { tellTurn } from '../schema-watch/turn-text.ts';
import { type ConnectorSetup, setUpConnector } from '../setup.ts';
import { keepRefused, LeftOutRows } from './left-out-rows.ts';
import { chooseLoad, type LoadChoice, type LoadRequest } from './load-choice.ts';
import { loadFollowedLists } from './load-followed-lists.ts';
import { readRun, writeRun } from './load-marks.ts';
import type { LoadProgress, LoadReport } from './load-report.ts';
import type { LoadContext } from './load-table.ts';
import { loadTables } from './load-tables.ts';

export type { LoadProgress, LoadReport } from './load-report.ts';

export type LoadDependencies = {
  readonly dialect: SourceDialect;
  readonly schema: string;
  readonly store: ReplicaStore;
  /** Absent when loading offline. */
  readonly sync: RealmSync | undefined;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal: AbortSignal;
  /** Make the feed anew whatever has become of it, and compare: the repair after changes were lost. */
  readonly resume?: boolean;
} & LoadRequest;

export async function runLoad(
  options: ConnectorOptions,
  dependencies: LoadDependencies,
): Promise<LoadReport> {
  const { dialect, schema, store, sync, signal } = dependencies;
  const started = performance.now();
  const directory = new KeyDirectory(store.rowKeys);
  const setup = await setUpConnector(options, dialect, schema, directory, store);
  const found = (await dialect.catalogWatch?.tableVersions()) ?? new Map();
  const reset = options.resetFeed || dependencies.resume === true;
  const source = await dialect.checkSource?.(reset ? NOTHING_KNOWN : knownFeed(store));
  const leftOut = new LeftOutRows(options);
  const refused = new RefusedRows(store);
  const keys = keyContext(options, dependencies, setup.mapping, directory, leftOut);
  if (hasRowKeys(setup.mapping)) await assignMissingKeys(setup.mapping, dialect, keys);
  const feed = await dialect.prepareFeed(setup.tables, { reset, renewLost: true });
  if (feed.created) rememberNewFeed(store, feed.start, source);
  await noteTables(setup, found, options, dependencies);
  requireClasses(setup);
  const choice = chooseLoad(store, setup.mapping, feed.created, dependencies);
  if (choice.isPart) tellPart(choice, setup, options);
  const run = choice.isPart ? undefined : beginRun(store, feed.created);
  if (!feed.created)
    for (const { table } of choice.classes) await dialect.catalogWatch?.writersDone(table.table, signal);
  const snapshot = feed.snapshot ?? (await dialect.openSnapshot());
  const sessions: RealmSession[] = [];
  const applied = await appliedCheckpoints(dialect);
  const held = new HeldChanges({
    store,
    mapping: () => setup.mapping,
    isStopped: (className) => setup.stopped.has(className),
    isLeft: (className, property) => setup.left.get(className)?.has(property) ?? false,
    applied,
    logger: options.logger,
  });
  const realms = new RealmRegistry({
    store,
    schema: setup.definitions,
    applied,
    // The snapshot shows what we have written, so only what is still to be written casts its shadow.
    appliedCastShadow: false,
    onOpen: (realm) => {
      realm.shadows.attach((className, key) => held.shadowOf(realm.path, className, key));
      if (sync !== undefined)
        sessions.push(sync.open(realm.replica, { waiting: () => realm.pending.length }));
    },
    onPending: () => {},
  });
  const context: LoadContext = {
    store,
    directory,
    realms,
    dialect,
    realmPathOfRow: options.realmPathOfRow,
    fixedRealmPath: options.fixedRealmPath,
    batchRows: options.load.batchRows,
    onDataError: leftOut.leaveOut,
    refused,
    owed: new OwedChanges(store),
    signal,
  };
  try {
    for (const path of store.paths()) if (options.realmRegex.test(path)) realms.open(path);
    if (settleNewFeed(store, realms, applied))
      for (const [realmPath, sequence] of applied) held.echoed({ realmPath, sequence });
    await loadKeys(new Mapping(choice.classes), snapshot, keys);
    const tables = await loadTables(
      choice.classes,
      snapshot,
      feed.created,
      run,
      held,
      context,
      dependencies.onProgress,
    );
    await loadFollowedLists(setup.mapping, choice.classes, dialect, context, options);
    if (run !== undefined) writeRun(store, { id: run, state: 'complete' });
    rememberTables(store, setup.tables);
    await keepRefused(refused, dialect, options);
    const uploaded = await upload(sessions, options, dependencies);
    return { tables, rowsLeftOut: leftOut.count, uploaded, seconds: (performance.now() - started) / 1000 };
  } finally {
    await snapshot.close();
    await keys.owed.close();
    await Promise.all(sessions.map((session) => session.close()));
    realms.close();
  }
}

function keyContext(
  options: ConnectorOptions,
  { dialect, store, signal }: LoadDependencies,
  mapping: Mapping,
  directory: KeyDirectory,
  leftOut: LeftOutRows,
): LoadKeysContext {
  const { ignoreSqlErrors: errorPolicy, logger } = options;
  const openWriter = (): Promise<SqlWriter> => dialect.openWriter();
  return {
    store,
    directory,
    owed: new OwedKeys({
      store,
      directory,
      mapping: () => mapping,
      openWriter,
      dialect,
      errorPolicy,
      logger,
    }),
    onDataError: (error) => leftOut.leaveOut(error),
    signal,
  };
}

async function assignMissingKeys(
  mapping: Mapping,
  dialect: SourceDialect,
  keys: LoadKeysContext,
): Promise<void> {
  const snapshot = await dialect.openSnapshot();
  try {
    await assignKeys(mapping, snapshot, keys);
  } finally {
    await snapshot.close();
    await keys.owed.close();
  }
}

/** What was changed while nothing ran is taken over, and what it stops is told. */
async function noteTables(
  setup: ConnectorSetup,
  found: TableVersions,
  { fixedRealmPath, logger }: ConnectorOptions,
  { dialect, store }: LoadDependencies,
): Promise<void> {
  const now: TableVersions = (await dialect.catalogWatch?.tableVersions()) ?? new Map();
  const finding = {
    fitting: setup,
    found,
    now,
    made: new Set<string>(),
    allColumns: fixedRealmPath === undefined,
    classes: new Set(setup.definitions.keys()),
  };
  for (const turn of store.transaction(() => takeOver(store, finding, new Date()))) tellTurn(turn, logger);
}

/** Throws when the tables of all classes are stopped, so that nothing can be loaded. */
function requireClasses({ mapping, stopped }: ConnectorSetup): void {
  const [misfit] = stopped.values();
  if (mapping.order.length > 0 || misfit === undefined) return;
  throw new ConnectorStoppedError(`no table fits the models: ${misfit.reason}`, { remedy: misfit.remedy });
}

function tellPart({ classes }: LoadChoice, { mapping }: ConnectorSetup, { logger }: ConnectorOptions): void {
  logger.info('Loading a part of the tables; the others were loaded before and are left alone', {
    classes: classes.map(({ className }) => className),
    others: mapping.order.length - classes.length,
    compareAll: 'isthmus load --compare',
  });
}

/** The number of this run: that of an interrupted one, unless the feed it began with is gone. */
function beginRun(store: ReplicaStore, feedCreated: boolean): number {
  const before = readRun(store);
  if (before?.state === 'running' && !feedCreated) return before.id;
  const id = (before?.id ?? 0) + 1;
  writeRun(store, { id, state: 'running' });
  return id;
}

/** Waits for the sessions as long as configured; what is not uploaded by then stays in the replica. */
async function upload(
  sessions: readonly RealmSession[],
  options: ConnectorOptions,
  { onProgress, signal, sync }: LoadDependencies,
): Promise<boolean> {
  if (sync === undefined) return false;
  onProgress?.({ kind: 'uploading' });
  const limit = AbortSignal.timeout(options.load.uploadMaxWaitMilliseconds);
  const wait = AbortSignal.any([signal, limit]);
  try {
    await Promise.race([Promise.all(sessions.map((session) => session.uploadCompletion(wait))), sync.failed]);
    return true;
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error;
    options.logger.warn('The upload goes on when the adapter starts', {
      loaderUploadMaxWaitTime: options.load.uploadMaxWaitMilliseconds / 1000,
    });
    return false;
  }
}
