/** Checks at the start that the change feed is the one that the replicas were filled from, and remembers it. */
import type { ReplicaStore } from '../store/replica/contract.ts';
import { COMMITTED_MARK, PARTIAL_MARK, POSITION_MARK } from './capture/feed-consumer.ts';
import type { ChangeFeed, FeedKnown, Position, SourceDialect, TableInfo } from './dialect.ts';
import { tableId } from './dialect.ts';
import { ConnectorStoppedError } from './errors.ts';
import { readRun } from './load/load-marks.ts';
import type { ConnectorOptions } from './options.ts';
import type { RealmRegistry } from './realms.ts';
import type { ConnectorSetup } from './setup.ts';

/** Set when this replica store's own feed was made, before it delivered anything. */
const KNOWN_MARK = 'feed:known';
/** {@link ChangeFeed.source} of the feed that the positions came from. */
const SOURCE_MARK = 'feed:source';
/** Ids of the tables that the feed was made for, as JSON. */
const TABLES_MARK = 'feed:tables';
/** Set from when a feed was made anew until the replicas have been told: see {@link settleNewFeed}. */
const RENEWED_MARK = 'feed:renewed';

/** The database has the adapter's feed, but the replicas know nothing of it: their directory is not the one it had. */
function refuseUnknownFeed({ adapterName, localPath }: ConnectorOptions): never {
  throw new ConnectorStoppedError(
    `the change feed of adapter ${adapterName} was read before, but not into the replicas in ${localPath}`,
    {
      remedy:
        'set localPath to the directory that the adapter had; if it is lost, run `isthmus load --resume`, which makes the feed anew and compares tables and realms',
    },
  );
}

/** The feed must be the one from which the replicas were filled, or changes would be missing silently. */
export async function requireFeed(
  options: ConnectorOptions,
  dialect: SourceDialect,
  store: ReplicaStore,
  setup: ConnectorSetup,
): Promise<void> {
  const hadFeed =
    [POSITION_MARK, KNOWN_MARK].some((name) => store.mark(name) !== undefined) ||
    readRun(store) !== undefined;
  const reset = options.resetFeed;
  const source = await dialect.checkSource?.(reset ? NOTHING_KNOWN : knownFeed(store));
  const { created, snapshot, start } = await dialect.prepareFeed(setup.tables, {
    reset,
    // Where tables are watched, the one that was left out for a while is compared, and the others go on.
    ...(reset || dialect.catalogWatch !== undefined ? {} : { followed: followedTables(store) }),
  });
  await snapshot?.close();
  if (!created) {
    if (!hadFeed) refuseUnknownFeed(options);
    rememberTables(store, setup.tables);
    return;
  }
  if (!hadFeed || reset) {
    rememberNewFeed(store, start, source);
    rememberTables(store, setup.tables);
    if (!hadFeed)
      options.logger.warn(
        'Nothing was loaded before: only changes from now on are synced. `isthmus load` brings what is there',
      );
    return;
  }
  await refuseNewFeed(options.adapterName, dialect);
}

/** The feed turned out to be a new one: what the old one still had to deliver is lost. */
export async function refuseNewFeed(adapterName: string, dialect: SourceDialect): Promise<never> {
  await dialect.dropFeed(); // so that the next start finds it missing too
  throw new ConnectorStoppedError(
    `the change feed of adapter ${adapterName} is gone from the database: changes since then are unknown`,
    { remedy: 'run `isthmus load --resume`, which makes a new feed and compares tables and realms' },
  );
}

/** What a feed that is made anew is compared with. */
export const NOTHING_KNOWN: FeedKnown = { position: undefined, committed: undefined, source: undefined };

export function knownFeed(store: ReplicaStore): FeedKnown {
  return {
    position: store.mark(POSITION_MARK) as Position | undefined,
    committed: store.mark(COMMITTED_MARK) as Position | undefined,
    source: store.mark(SOURCE_MARK),
  };
}

/** Opens the feed where the replicas stand, and remembers from which database it comes. */
export async function openKnownFeed(
  dialect: SourceDialect,
  store: ReplicaStore,
  signal: AbortSignal,
): Promise<ChangeFeed> {
  const known = knownFeed(store);
  const feed = await dialect.openFeed(known.position, signal, known);
  if (feed.source === undefined || feed.source === known.source) return feed;
  // With the source its positions, which mean nothing in another line of the database's history.
  store.transaction(() => {
    store.setMark(SOURCE_MARK, feed.source);
    if (feed.after !== known.position) store.setMark(POSITION_MARK, feed.after);
  });
  return feed;
}

/** A feed that begins anew: nothing of what the old one delivered says anything about it. */
export function rememberNewFeed(
  store: ReplicaStore,
  start: Position | undefined,
  source: string | undefined,
): void {
  store.transaction(() => {
    store.setMark(POSITION_MARK, start);
    store.setMark(SOURCE_MARK, source);
    for (const name of [COMMITTED_MARK, PARTIAL_MARK]) store.setMark(name, undefined);
    store.setMark(KNOWN_MARK, 'yes');
    store.setMark(RENEWED_MARK, 'yes');
  });
}

export function rememberTables(store: ReplicaStore, tables: readonly TableInfo[]): void {
  const text = JSON.stringify(tables.map(({ table }) => tableId(table)));
  if (store.mark(TABLES_MARK) === text) return;
  store.transaction(() => store.setMark(TABLES_MARK, text));
}

/** Only what {@link rememberTables} wrote. */
function followedTables(store: ReplicaStore): readonly string[] {
  const ids: unknown = JSON.parse(store.mark(TABLES_MARK) ?? '[]');
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/**
 * A new feed does not show what we wrote before it began. Those transactions are let go, or they would wait for their
 * echo for ever, and newer changes of the same columns in the database would lose to them. Call before anything is applied.
 * True when there was a new one.
 */
export function settleNewFeed(
  store: ReplicaStore,
  realms: RealmRegistry,
  applied: ReadonlyMap<string, number>,
): boolean {
  if (store.mark(RENEWED_MARK) === undefined) return false;
  store.transaction(() => {
    for (const realm of realms.all()) realm.echoed(applied.get(realm.path) ?? 0);
    store.setMark(RENEWED_MARK, undefined);
  });
  return true;
}
