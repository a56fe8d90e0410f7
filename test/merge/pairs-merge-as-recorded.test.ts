import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { transform } from '../../src/merge/transform.ts';
import { TransformError } from '../../src/merge/transform-error.ts';
import { formatList, parseList } from './notation.ts';

const FAILURES = new Set(['ERROR', 'ASSERT']);

const side = (instructions: Instruction[], timestamp: number, fileIdent: number) => [
  { changeset: { strings: [], instructions }, timestamp, fileIdent },
];

function mergeText(leftTime: number, rightTime: number, left: string, right: string): string {
  try {
    const result = transform(side(parseList(left), leftTime, 2), side(parseList(right), rightTime, 3));
    return [result.local, result.incoming]
      .map((changesets) => formatList(changesets[0]!.changeset.instructions))
      .join(' | ');
  } catch (error) {
    if (error instanceof TransformError) return 'ERROR | ';
    throw error;
  }
}

test('every recorded pair of instructions merges to the recorded result', () => {
  const text = gunzipSync(readFileSync('test/vectors/merges/pairs.tsv.gz')).toString('utf8');
  const rows = text.trimEnd().split('\n').slice(1);
  expect(rows).toHaveLength(15_488);
  const wrong: string[] = [];
  for (const row of rows) {
    const [leftTime, rightTime, left = '', right = '', leftAfter = '', rightAfter = ''] = row.split('\t');
    const actual = mergeText(Number(leftTime), Number(rightTime), left, right);
    const expected = FAILURES.has(leftAfter) ? 'ERROR | ' : `${leftAfter} | ${rightAfter}`;
    if (actual !== expected) wrong.push(`${row}: got ${actual}`);
  }
  expect(wrong).toEqual([]);
});

/** Spec/merge-rules.md §10: time and text of the local and the incoming instruction, then both afterwards. */
test.each([
  [1, 'I 1 10 3', 2, 'I 1 20 3', 'I 1 10 4 | I 2 20 4'],
  [2, 'I 1 10 3', 1, 'I 1 20 3', 'I 2 10 4 | I 1 20 4'],
  [1, 'ET X', 2, 'AC T l @X', 'EC T l; ET X | (nothing)'],
  [1, 'M 1 3 4', 2, 'U 1.x 5 0', 'M 3 3 4 | U 1.x 5 0'],
  [2, 'M 0 2 3', 1, 'M 0 1 3', 'M 1 2 3 | (nothing)'],
  [1, 'M 0 2 3', 2, 'M 2 0 3', 'M 1 2 3 | M 1 0 3'],
  [1, 'M 0 2 3', 2, 'E 0 3', '(nothing) | E 2 3'],
  [2, 'A - 3', 1, 'U - 5 0', 'A - 3 | U - 8 0'],
  [2, 'A - 3', 1, 'U - $s 0', '(nothing) | U - $s 0'],
  [1, 'E 1 3', 2, 'U 1.x 9 0', 'E 1 3 | (nothing)'],
  [2, 'C - list', 1, 'U - list 0', 'C - list | U - list 0'],
  [2, 'U k obj 0', 1, 'U k null 0', '(nothing) | U k null 0'],
  [1, 'SI - 5', 2, 'SE - 5', '(nothing) | SE - 5'],
  [2, 'EO 1', 1, 'EO 1', 'EO 1 | (nothing)'],
  [1, 'CO 1', 2, 'CO 1', 'CO 1 | CO 1'],
  [1, 'EC T f', 2, 'I 0 7 3', 'EC T f | I 0 7 3'],
])('at %i %s meets at %i %s', (leftTime, left, rightTime, right, expected) => {
  expect(mergeText(leftTime, rightTime, left, right)).toBe(expected);
});

test('equal timestamps are decided by the file ident', () => {
  expect(mergeText(1, 1, 'U - 5 0', 'U - 6 0')).toBe('(nothing) | U - 6 0');
  expect(mergeText(1, 1, 'I 1 10 3', 'I 1 20 3')).toBe('I 1 10 4 | I 2 20 4');
});

test('what a merge error names is enough to find both instructions', () => {
  const left = side(parseList('I 0 7 3'), 1, 2);
  const right = side(parseList('I 0 7 4'), 2, 3);
  expect(() => transform(left, right)).toThrow(
    'cannot merge ArrayInsert T[i1].f[0] with ArrayInsert T[i1].f[0]',
  );
});
