import { describe, expect, it } from 'vitest';
import { mergeLists } from '../../src/connector/lists/list-merge.ts';
import { Random, testSeed } from '../support/random.ts';

const merge = (base: string, mine: string, theirs: string): string =>
  mergeLists([...base], [...mine], [...theirs]).join('');

describe('what two sides made of one list', () => {
  it('is what one side made when the other did nothing', () => {
    expect(merge('abc', 'cab', 'abc')).toBe('cab');
    expect(merge('abc', 'abc', 'xb')).toBe('xb');
  });

  it('counts once when both did the same', () => {
    expect(merge('ab', 'axb', 'axb')).toBe('axb');
    expect(merge('ab', 'axyb', 'axb')).toBe('axyb');
    expect(merge('abc', 'ac', 'ac')).toBe('ac');
  });

  it('has the insertions, removals and moves of both', () => {
    expect(merge('abcd', 'xabcd', 'abcdy')).toBe('xabcdy');
    expect(merge('abcd', 'bcd', 'abc')).toBe('bc');
    expect(merge('abcd', 'dabc', 'bcd')).toBe('dbc');
    expect(merge('ab', 'axb', 'ayb')).toBe('axyb');
  });

  it('has an item that both moved once, and as often as one of them has it otherwise', () => {
    expect([...merge('abcd', 'bacd', 'bcda')].toSorted().join('')).toBe('abcd');
    expect(merge('aa', 'aaa', 'aa')).toBe('aaa');
  });

  const seed = testSeed();
  it(`settles when each side takes over what the other made of it (seed ${seed})`, () => {
    const random = new Random(seed);
    const list = (): string[] =>
      Array.from({ length: random.below(9) }, () => String.fromCharCode(97 + random.below(6)));
    for (let run = 0; run < 3_000; run += 1) {
      const isUnique = run % 2 === 0;
      const [base = [], realm = [], database = []] = [list(), list(), list()].map((items) =>
        isUnique ? [...new Set(items)] : items,
      );
      // The database's change goes into the realm, which then is what the database is to become.
      const merged = mergeLists(base, realm, database);
      expect(mergeLists(database, merged, database)).toEqual(merged);
      // The realm's change goes into the database first, and comes back.
      const written = mergeLists(base, realm, database);
      expect(mergeLists(realm, realm, written)).toEqual(written);
      for (const item of merged) expect([...realm, ...database]).toContain(item);
      if (!isUnique) continue;
      expect(new Set(merged).size).toBe(merged.length);
      // What one side added, or both kept, is there; what one side removed is not.
      const wanted = [...new Set([...realm, ...database])].filter(
        (item) => !base.includes(item) || (realm.includes(item) && database.includes(item)),
      );
      expect(merged.toSorted()).toEqual(wanted.toSorted());
    }
  });
});
