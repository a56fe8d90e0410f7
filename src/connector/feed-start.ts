/** Checks at the start that the change feed is the one that the replicas were filled from. */
import type { ReplicaStore } from '../store/replica/contract.ts';
import { POSITION_MARK } from './capture/feed-consumer.ts';
import type { SourceDialect } from './dialect.ts';
import { ConnectorStoppedError } from './errors.ts';
import { readRun } from './load/load-marks.ts';
import type { ConnectorOptions } from './options.ts';
import type { ConnectorSetup } from './setup.ts';

/** Set when this replica store's own feed was made, before it delivered anything. */
const KNOWN_MARK = 'feed:known';

/** The database has the adapter's feed, but the replicas know nothing of it: their directory is not the one it had. */
function refuseUnknownFeed({ adapterName, localPath }: ConnectorOptions): never {
  throw new ConnectorStoppedError(
    `the change feed of adapter ${adapterName} was read before, but not into the replicas in ${localPath}`,
    {
      remedy:
        'set localPath to the directory that the adapter had; if it is lost, run `isthmus load`, which compares tables and realms',
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
  const { created, snapshot } = await dialect.prepareFeed(setup.tables, { reset: options.resetFeed });
  await snapshot?.close();
  if (!created) {
    if (!hadFeed) refuseUnknownFeed(options);
    return;
  }
  if (!hadFeed || options.resetFeed) {
    store.transaction(() => {
      store.setMark(POSITION_MARK, undefined);
      store.setMark(KNOWN_MARK, 'yes');
    });
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
    { remedy: 'run `isthmus load`, which makes a new feed and compares tables and realms' },
  );
}
