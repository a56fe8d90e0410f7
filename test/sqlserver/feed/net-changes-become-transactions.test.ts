import { expect, it } from 'vitest';
import { type Backlog, cutOf } from '../../../connectors/sqlserver/feed/poll-cut.ts';
import { PollInterval } from '../../../connectors/sqlserver/feed/poll-interval.ts';
import {
  eventsOf,
  type FollowedLayout,
  feedChanges,
  type NetChange,
  type NetTransaction,
  placeOf,
  regroup,
} from '../../../connectors/sqlserver/feed/regroup.ts';
import { UNCHANGED } from '../../../src/connector/dialect.ts';
import { Random, testSeed } from '../../support/random.ts';
import { applyTo, dangling, LAYOUTS, NetHistory, type State } from './net-history.ts';

const RUNS = 150;

/** Everything delivered by one transaction, done to a copy of `state`. */
function after(state: State, transaction: NetTransaction): State {
  const next = new Map(state);
  for (const change of transaction.changes) for (const told of feedChanges(change)) applyTo(next, told);
  return next;
}

function history(random: Random): NetHistory {
  const made = new NetHistory(random);
  const commits = 5 + random.below(25);
  for (let i = 0; i < commits; i += 1) made.commit();
  return made;
}

it('delivers every net change once, in commit order, and ends with the rows as they are', () => {
  const seed = testSeed();
  for (let run = 0; run < RUNS; run += 1) {
    const made = history(new Random(seed + run));
    const since = BigInt(new Random(seed + run + 1).below(Number(made.version)));
    const changes = made.netSince(since).flat();
    const transactions = regroup(changes, made.version);
    let state = made.at(since);
    let last = since;
    for (const transaction of transactions) {
      expect(transaction.version > last, `seed ${seed + run}`).toBe(true);
      last = transaction.version;
      state = after(state, transaction);
    }
    expect(transactions.flatMap((transaction) => transaction.changes)).toHaveLength(changes.length);
    expect(last <= made.version).toBe(true);
    expect(state, `seed ${seed + run}`).toEqual(made.state);
  }
});

it('never lets a delivered row refer to a row that is still to come', () => {
  const seed = testSeed();
  for (let run = 0; run < RUNS; run += 1) {
    const made = history(new Random(seed + run));
    const since = BigInt(new Random(seed + run + 1).below(Number(made.version)));
    let state = made.at(since);
    for (const transaction of regroup(made.netSince(since).flat(), made.version)) {
      state = after(state, transaction);
      const delivered = transaction.changes
        .filter(({ row }) => row !== undefined)
        .map(({ layout, key }) => `${LAYOUTS.indexOf(layout)}/${key[0]}`);
      const lost = new Set(dangling(state));
      expect(
        delivered.filter((name) => lost.has(name)),
        `seed ${seed + run}`,
      ).toEqual([]);
    }
  }
});

it('can be resumed after any transaction, however the poll was cut and whatever was committed since', () => {
  const seed = testSeed();
  for (let run = 0; run < RUNS; run += 1) {
    const random = new Random(seed + run);
    const made = history(random);
    let state: State = new Map();
    let position = 0n;
    while (position < made.version) {
      const upTo = position + 1n + BigInt(random.below(Number(made.version - position)));
      const polled = made.netSince(position).flat();
      for (const transaction of regroup(polled, upTo)) {
        state = after(state, transaction);
        position = transaction.version;
        if (random.chance(0.2)) break; // a crash: the rest is lost, and the position is where it stood
      }
      if (!polled.some((change) => placeOf(change) > position && placeOf(change) <= upTo)) position = upTo;
      if (made.version < 60n && random.chance(0.3)) made.commit();
    }
    expect(state, `seed ${seed + run}`).toEqual(made.state);
  }
});

const [layout] = LAYOUTS;
if (layout === undefined) throw new Error('no layout');
const change = (
  operation: string,
  key: string,
  version: bigint,
  more: Partial<NetChange> = {},
): NetChange => ({
  layout,
  operation,
  version,
  creation: undefined,
  key: [key],
  row: operation === 'D' ? undefined : [key, 'value', null],
  ...more,
});

it('keeps transactions apart that no row ties together', () => {
  const changes = [change('U', '1', 5n), change('I', '2', 7n, { creation: 7n }), change('D', '3', 6n)];
  expect(regroup(changes, 9n).map(({ version }) => version)).toEqual([5n, 6n, 7n]);
});

it('makes one transaction of what lies between the insertion of a row and its last change', () => {
  const [parents, children] = LAYOUTS as readonly [FollowedLayout, FollowedLayout];
  const parent = change('I', 'p', 30n, { layout: parents, creation: 10n });
  const child = change('I', 'c', 20n, { layout: children, creation: 20n });
  const later = change('U', 'x', 31n);
  expect(regroup([child, later, parent], 40n)).toEqual([
    { version: 30n, changes: [child, parent] },
    { version: 31n, changes: [later] },
  ]);
});

it('takes a deletion whose row is there for a change of the row', () => {
  expect(feedChanges(change('D', '4', 3n, { row: ['4', 'there', null] }))).toEqual([
    { kind: 'update', table: layout.table, row: ['4', 'there', null], old: undefined },
  ]);
  expect(feedChanges(change('D', 'a', 3n, { row: ['A', 'there', null] }))).toEqual([
    { kind: 'delete', table: layout.table, old: ['a', UNCHANGED, UNCHANGED] },
    { kind: 'update', table: layout.table, row: ['A', 'there', null], old: undefined },
  ]);
});

it('makes room before it fills: what is gone comes first, children before parents', () => {
  const [parents, children] = LAYOUTS as readonly [FollowedLayout, FollowedLayout];
  const changes = [
    change('I', '1', 8n, { layout: parents }),
    change('D', '2', 8n, { layout: parents }),
    change('U', '3', 8n, { layout: children }),
    change('D', '4', 8n, { layout: children }),
  ];
  const [transaction] = regroup(changes, 8n);
  expect(transaction?.changes.map(({ key }) => key[0])).toEqual(['4', '2', '1', '3']);
});

it('tells our own checkpoints right after the beginning, and names no place to go on within', () => {
  const own = { kind: 'own', checkpoint: { realmPath: '/shop', sequence: 7 } } as const;
  const at = new Date(0);
  expect([...eventsOf({ version: 5n, changes: [change('D', '1', 5n)] }, [own], at)]).toEqual([
    { kind: 'begin', transaction: '5', position: undefined },
    own,
    { kind: 'change', change: { kind: 'delete', table: layout.table, old: ['1', UNCHANGED, UNCHANGED] } },
    { kind: 'commit', position: '5', committedAt: at },
  ]);
});

it('cuts a poll so that no table delivers more than the limit, and never within a version', () => {
  const seed = testSeed();
  for (let run = 0; run < 500; run += 1) {
    const random = new Random(seed + run);
    const limit = 1 + random.below(5);
    const tables = Array.from({ length: 1 + random.below(4) }, () =>
      Array.from({ length: 1 + random.below(15) }, () => BigInt(11 + random.below(20))).sort((a, b) =>
        a < b ? -1 : 1,
      ),
    );
    const backlogs = tables.map((places): Backlog => {
      const counted = places.slice(0, limit + 1);
      return { counted: counted.length, first: counted[0]!, last: counted.at(-1)! };
    });
    const { upTo, isHuge } = cutOf(backlogs, limit, 40n);
    const held = tables.map((places) => places.filter((place) => place <= upTo));
    const where = `seed ${seed + run}`;
    expect(
      held.some((places) => places.length > 0),
      where,
    ).toBe(true);
    if (isHuge) {
      expect(new Set(held.flat()), where).toEqual(new Set([upTo]));
      expect(
        held.some((places) => places.length > limit),
        where,
      ).toBe(true);
    } else {
      expect(Math.max(...held.map((places) => places.length)) <= limit, where).toBe(true);
    }
    if (tables.every((places) => places.length <= limit)) expect(upTo, where).toBe(40n);
  }
});

it('asks at once while changes come and ever more seldom while none do', () => {
  const interval = new PollInterval(1_000);
  const waits: number[] = [interval.milliseconds];
  for (let i = 0; i < 7; i += 1) {
    interval.idle();
    waits.push(interval.milliseconds);
  }
  interval.busy();
  expect([...waits, interval.milliseconds]).toEqual([0, 50, 100, 200, 400, 800, 1_000, 1_000, 0]);
});
