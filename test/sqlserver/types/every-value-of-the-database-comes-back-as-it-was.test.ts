import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SqlText } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { testSeed } from '../../support/random.ts';
import { DEFINITIONS, propertyOf, stateToken } from '../../support/typed-properties.ts';
import { TypeBench, type TypeCase } from './type-bench.ts';
import {
  type Alternative,
  DATES,
  DOCUMENTS,
  type GeneratedCase,
  NUMBERS,
  TEXTS,
  VARIANTS,
} from './type-cases.ts';

const seed = testSeed();
const VALUES = 40;
const CASES: readonly GeneratedCase[] = [...NUMBERS, ...TEXTS, ...DATES, ...VARIANTS, ...DOCUMENTS];

const cases: readonly TypeCase[] = CASES.map(({ name, type, inputs, value }) => ({
  name,
  type,
  value,
  inputs: [null, ...fc.sample(inputs, { seed, numRuns: VALUES })],
}));

let bench: TypeBench;
let delivered: { snapshot: Map<string, SqlText[]>; feed: Map<string, SqlText[]> };

beforeAll(async () => {
  console.log(`seed ${seed}: repeat with ISTHMUS_TEST_SEED=${seed}`);
  bench = await TypeBench.open();
  await bench.makeTables(cases);
  delivered = await bench.deliver(cases);
}, 120_000);

afterAll(() => bench.close());

test.each(CASES.map(({ name }) => name))('%s: feed and snapshot agree', (name) => {
  expect(delivered.snapshot.get(name)).toHaveLength(VALUES + 1);
  expect(delivered.feed.get(name)).toEqual(delivered.snapshot.get(name));
});

/** An instant that a `datetimeoffset` shows with an offset. */
function hasNoOffset(text: SqlText | undefined): boolean {
  return /^\d{4}-.*T.*Z$/.test(text ?? '');
}

/** Every value either comes back as it was, text for text, or is refused by a data error that names the column. */
async function comesBack({ name, compared }: GeneratedCase, { property, reach }: Alternative): Promise<void> {
  const copy = await bench.table(`${name}_copy`);
  const codec = bench.codec(copy, propertyOf(property), DEFINITIONS);
  const rows: [number, SqlText][] = [];
  const tokens: string[] = [];
  const refused: string[] = [];
  delivered.snapshot.get(name)?.forEach((text, index) => {
    if (text === null) return;
    try {
      const value = codec.toRealm(text);
      const written = codec.toSql(value);
      // The document null is the one value that a realm does not tell from NULL.
      if (written === null) {
        expect(text).toBe('null');
        return;
      }
      rows.push([index + 1, written]);
      tokens.push(stateToken(value));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      expect(error.message).toMatch(/column c/);
      refused.push(text);
    }
  });
  if (reach === 'all') expect(refused).toEqual([]);
  else expect(rows.length).toBeGreaterThan(0);
  await bench.write(copy, rows);
  const { collection, type } = propertyOf(property);
  // Documents are written anew: equal as values, not as texts.
  const isDocument = collection !== 'single' || (type === 'mixed' && name.includes('json'));
  if (!isDocument) expect(await bench.differences(name, compared)).toEqual([]);
  const again = await bench.read(copy);
  expect(again.map((text) => stateToken(codec.toRealm(text ?? '')))).toEqual(tokens);
  // What the database shows is what was written, or rows would seem to differ that do not.
  const written = rows.map(([, text]) => text);
  const shown = again.map((text, index) => (hasNoOffset(written[index]) ? written[index] : text));
  if (name !== 'of_xml') expect(shown).toEqual(written);
}

describe.each(CASES)('$name', (generated) => {
  test.each(generated.alternatives)('as $property ($reach)', (alternative) =>
    comesBack(generated, alternative),
  );
});
