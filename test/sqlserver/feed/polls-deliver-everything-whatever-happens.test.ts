import { expect, it } from 'vitest';
import { SqlServerFeedError, SqlServerFeedLostError } from '../../../connectors/sqlserver/errors.ts';
import { ChangePoller } from '../../../connectors/sqlserver/feed/change-poller.ts';
import { positionOf, versionOf } from '../../../connectors/sqlserver/feed/version.ts';
import type { FeedEvent, Position } from '../../../src/connector/dialect.ts';
import { silentLogger } from '../../../src/log.ts';
import { Random, testSeed } from '../../support/random.ts';
import { type FakeDatabase, FakeTrackingSession, TABLES } from './fake-tracking-session.ts';
import { applyTo, dangling, LAYOUTS, NetHistory, type State } from './net-history.ts';

/** A replica that takes what a feed delivers, transaction by transaction. */
class Consumer {
  state: State = new Map();
  position: Position = positionOf(0n);
  echoed = 0;
  tablesChanged = 0;
  transactions = 0;
  #open: State | undefined;

  take(events: readonly FeedEvent[], check: (place: number, key: string, value: string) => void): void {
    for (const event of events) {
      switch (event.kind) {
        case 'begin':
          this.#open = new Map(this.state);
          break;
        case 'own':
          this.echoed = Math.max(this.echoed, event.checkpoint.sequence);
          break;
        case 'change': {
          const { change } = event;
          if (change.kind === 'truncate' || this.#open === undefined) throw new Error('not in a transaction');
          const place = TABLES.findIndex(({ layout }) => layout.table === change.table);
          const table = LAYOUTS[place]!.table;
          applyTo(this.#open, { ...change, table });
          if (change.kind !== 'delete') check(place, String(change.row[0]), String(change.row[1]));
          break;
        }
        case 'commit':
          expect(versionOf(event.position) >= versionOf(this.position)).toBe(true);
          this.state = this.#open ?? this.state;
          this.#open = undefined;
          this.position = event.position;
          this.transactions += 1;
          break;
        case 'idle':
          expect(this.#open).toBeUndefined();
          this.position = event.position;
          break;
        case 'tablesChanged':
          this.tablesChanged += 1;
          break;
      }
    }
  }

  /** The connection was lost. */
  reset(): void {
    this.#open = undefined;
  }
}

function poller(
  database: FakeDatabase,
  random: Random,
  after: Position,
  mostChanges: number,
  signal: AbortSignal,
) {
  const session = new FakeTrackingSession(database, random);
  const options = {
    session,
    adapter: 'shop',
    database: 'Chinook',
    source: '',
    line: 'line',
    after,
    recorded: 0n,
    tables: () => TABLES,
    onRecorded: () => {},
    pollIntervalMilliseconds: 1,
    mostChanges,
    logger: silentLogger,
  };
  return { feed: new ChangePoller(options, signal), session };
}

function fakeDatabase(random: Random, more: Partial<FakeDatabase> = {}): FakeDatabase {
  const history = new NetHistory(random);
  return {
    history,
    own: new Map(),
    faults: 0,
    meanwhile: () => {},
    minValid: 0n,
    begin: [0n, 0n, 0n],
    ...more,
  };
}

/** Follows until everything of the history is delivered; opens anew after each failure. */
async function follow(
  database: FakeDatabase,
  random: Random,
  consumer: Consumer,
  mostChanges: number,
  isDone: () => boolean,
): Promise<void> {
  for (;;) {
    const abort = new AbortController();
    const { feed } = poller(database, random, consumer.position, mostChanges, abort.signal);
    try {
      for await (const events of feed.events) {
        consumer.take(events, (place, key, value) => {
          // What is delivered after an echo is never older than the transaction that it is the echo of.
          const from = [...database.own].find(([, sequence]) => sequence === consumer.echoed)?.[0] ?? 0n;
          const values: (string | undefined)[] = [];
          for (let version = from; version <= database.history.version; version += 1n)
            values.push(database.history.at(version).get(`${place}/${key}`)?.value);
          expect(values).toContain(value);
        });
        if (isDone()) return;
      }
    } catch (error) {
      if (!(error instanceof SqlServerFeedError)) throw error;
      expect(error.errorClass).toBe('transient');
      consumer.reset();
    } finally {
      abort.abort();
      await feed.close();
    }
  }
}

it('ends with the rows as they are, through bounded polls, failures and commits in between', async () => {
  const seed = testSeed();
  for (let run = 0; run < 40; run += 1) {
    const random = new Random(seed + run);
    const writes = new Random(seed + run + 1_000_000);
    let left = 40;
    const database: FakeDatabase = fakeDatabase(writes, {
      faults: random.pick([0, 0.02, 0.05]),
      meanwhile: () => {
        if (left === 0 || !random.chance(0.3)) return;
        left -= 1;
        database.history.commit(random.chance(0.1) ? 30 : 3);
        if (random.chance(0.4)) database.own.set(database.history.version, 40 - left);
      },
    });
    const consumer = new Consumer();
    const where = `ISTHMUS_TEST_SEED=${seed + run}`;
    await follow(database, random, consumer, 1 + random.below(8), () => {
      return left === 0 && versionOf(consumer.position) === database.history.version;
    });
    expect(consumer.state, where).toEqual(database.history.state);
    expect(dangling(consumer.state), where).toEqual([]);
    expect(consumer.echoed, where).toBe([...database.own.values()].at(-1) ?? 0);
  }
});

it('reads a version that is too large to be held in one transaction, as it is read', async () => {
  const random = new Random(7);
  const database = fakeDatabase(random);
  database.history.commit(60);
  database.history.commit(2);
  const consumer = new Consumer();
  await follow(database, random, consumer, 3, () => versionOf(consumer.position) === 2n);
  expect(consumer.state).toEqual(database.history.state);
  expect(consumer.transactions).toBe(2);
});

it('asks a quiet database one question at a time, without a transaction', async () => {
  const database = fakeDatabase(new Random(1));
  database.history.commit();
  const abort = new AbortController();
  const { feed, session } = poller(database, new Random(1), positionOf(1n), 10, abort.signal);
  const reading = (async () => {
    for await (const _ of feed.events);
  })();
  await new Promise((resolve) => setTimeout(resolve, 60));
  abort.abort();
  await reading;
  expect(session.transactions).toBe(1); // the first, for the checkpoints
});

it('does not read on before what it read was taken', async () => {
  const database = fakeDatabase(new Random(1));
  database.history.commit();
  const { feed, session } = poller(database, new Random(1), positionOf(0n), 10, new AbortController().signal);
  const events = feed.events[Symbol.asyncIterator]();
  expect((await events.next()).value?.[0]?.kind).toBe('tablesChanged');
  expect((await events.next()).value?.[0]?.kind).toBe('begin');
  const { transactions } = session;
  database.history.commit();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(session.transactions).toBe(transactions);
  await events.return?.();
  await feed.close();
});

it('has the tables looked at when the tracking of one begins anew, also when no version tells', async () => {
  const database = fakeDatabase(new Random(3));
  database.history.commit();
  const consumer = new Consumer();
  let truncated = false;
  await follow(database, new Random(3), consumer, 10, () => {
    if (versionOf(consumer.position) === 1n && !truncated) {
      truncated = true;
      database.begin[1] = 1n; // of a client that is exactly up to date
    }
    return consumer.tablesChanged > 1;
  });
  expect(truncated).toBe(true);
});

it('passes nothing over while a table cannot be read, and goes on when it can', async () => {
  const database = fakeDatabase(new Random(4));
  for (let i = 0; i < 5; i += 1) database.history.commit();
  database.begin[2] = undefined;
  const consumer = new Consumer();
  await follow(database, new Random(4), consumer, 10, () => {
    expect(consumer.tablesChanged > 3 || consumer.position === '0').toBe(true);
    if (consumer.tablesChanged === 4) database.begin[2] = 0n;
    return versionOf(consumer.position) === 5n;
  });
  expect(consumer.state).toEqual(database.history.state);
});

it('refuses to go on when something was cleaned up that was still to be read', async () => {
  const random = new Random(5);
  let statements = 0;
  const database: FakeDatabase = fakeDatabase(random, {
    meanwhile: () => {
      statements += 1;
      // After the poll has looked, and before its snapshot begins.
      if (statements === 2) database.minValid = 3n;
    },
  });
  for (let i = 0; i < 5; i += 1) database.history.commit();
  await expect(follow(database, random, new Consumer(), 10, () => false)).rejects.toThrow(
    SqlServerFeedLostError,
  );
});
