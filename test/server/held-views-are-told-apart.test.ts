import { expect, test } from 'vitest';
import {
  formatHeldViews,
  type HeldView,
  heldAt,
  isToldByCursor,
  parseHeldViews,
  sameQueries,
  withHeld,
  withoutLost,
} from '../../src/server/sync/held-views.ts';

const held = (queries: string, at: number, view: string): HeldView => ({ queries, at, view });

test('a client is found by its subscriptions and its cursor', () => {
  const records = [held('a', 3, 'a/old'), held('b', 5, 'b'), held('a', 9, 'a/new')];
  const kept = parseHeldViews(formatHeldViews(records));
  expect(kept).toEqual(records);
  expect(heldAt(kept, 'a', 8)?.view).toBe('a/old');
  expect(heldAt(kept, 'a', 9)?.view).toBe('a/new');
  expect(heldAt(kept, 'b', 5)?.view).toBe('b');
  expect(heldAt(kept, 'b', 4)).toBeUndefined();
  expect(heldAt(kept, 'c', 100)).toBeUndefined();
});

test('the same subscriptions under other rights are told apart by the cursor alone', () => {
  const records = [held('a', 3, 'a/old'), held('b', 5, 'b')];
  expect(isToldByCursor(records, { queries: 'a', view: 'a/new' })).toBe(true);
  expect(isToldByCursor(records, { queries: 'a', view: 'a/old' })).toBe(false);
  expect(isToldByCursor(records, { queries: 'c', view: 'c' })).toBe(false);
});

test('what a client did not integrate is not taken for what it holds when it has got further', () => {
  const records = [held('a', 3, 'a/old'), held('a', 9, 'a/new')];
  const back = withoutLost(records, 'a', 8);
  expect(heldAt(back, 'a', 10)?.view).toBe('a/old');
  expect(heldAt(withoutLost(records, 'a', 9), 'a', 10)?.view).toBe('a/new');
  expect(withoutLost(records, 'c', 9)).toEqual([]);
});

test('subscriptions have one spelling, whatever the order of their classes', () => {
  const one = new Map([
    ['B', '(x)'],
    ['A', '(y)'],
  ]);
  const other = new Map([
    ['A', '(y)'],
    ['B', '(x)'],
  ]);
  expect(sameQueries(one)).toBe(sameQueries(other));
  expect(sameQueries(one)).not.toBe(sameQueries(new Map([['A', '(y)']])));
});

test('a client that never integrates anything does not make the record grow without end', () => {
  let records: readonly HeldView[] = [];
  for (let i = 0; i < 1_000; i += 1) records = withHeld(records, held(`q${i}`, i, 'v'));
  expect(records.length).toBeLessThanOrEqual(64);
  expect(heldAt(records, 'q999', 999)).toBeDefined();
});

test('no record, or garbage in it, is no record', () => {
  expect(parseHeldViews(undefined)).toEqual([]);
  expect(parseHeldViews('{"a":1}')).toEqual([]);
  expect(parseHeldViews('[{"queries":1},null,5]')).toEqual([]);
});
