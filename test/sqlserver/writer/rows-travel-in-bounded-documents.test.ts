import { expect, test } from 'vitest';
import {
  chunksOf,
  MAX_CHARACTERS_PER_STATEMENT,
  MAX_ROWS_PER_STATEMENT,
} from '../../../connectors/sqlserver/writer/row-source.ts';

function sizes(rows: readonly (readonly (string | null)[])[]): number[] {
  return [...chunksOf(rows)].map((chunk) => chunk.length);
}

test('many rows are several statements', () => {
  expect(sizes(Array.from({ length: 2 * MAX_ROWS_PER_STATEMENT + 1 }, () => ['a', null]))).toEqual([
    MAX_ROWS_PER_STATEMENT,
    MAX_ROWS_PER_STATEMENT,
    1,
  ]);
});

test('so are long ones, and a row that is longer by itself is one', () => {
  const third = 'x'.repeat(MAX_CHARACTERS_PER_STATEMENT / 3);
  const over = 'x'.repeat(MAX_CHARACTERS_PER_STATEMENT + 1);
  expect(sizes([[third], [third], [third], [over], ['a'], ['b']])).toEqual([2, 1, 1, 2]);
});

test('no row is left out, and none is sent twice', () => {
  const rows = Array.from({ length: 50 }, (_, place) => [
    'y'.repeat((place * 7919) % 900_000),
    String(place),
  ]);
  expect([...chunksOf(rows)].flat()).toEqual(rows);
  expect(sizes([])).toEqual([]);
});
