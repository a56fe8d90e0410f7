import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PacedTicks } from '../../src/server/sync/paced-ticks.ts';

let now = 0;

beforeEach(() => {
  now = 1_000;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pass(milliseconds: number): void {
  now += milliseconds;
  vi.advanceTimersByTime(milliseconds);
}

test('a lone change is told at once, a burst in one tick after a pause that follows the cost', () => {
  const ticks = new PacedTicks(() => now);
  let told = 0;
  ticks.onTick(() => {
    told += 1;
    now += 40;
  });
  ticks.advance();
  expect(told).toBe(0);
  pass(0);
  expect(told).toBe(1);
  for (let i = 0; i < 50; i += 1) {
    ticks.advance();
    pass(0.7);
  }
  expect(told).toBe(1);
  pass(10);
  expect(told).toBe(2);
  ticks.close();
});

test('nobody listens, or it is closed: no timer is left', () => {
  const ticks = new PacedTicks(() => now);
  ticks.advance();
  expect(vi.getTimerCount()).toBe(0);
  const stop = ticks.onTick(() => {});
  ticks.advance();
  ticks.close();
  ticks.advance();
  expect(vi.getTimerCount()).toBe(0);
  stop();
});
