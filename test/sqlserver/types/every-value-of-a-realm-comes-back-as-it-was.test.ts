import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SqlText } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import {
  anyScalar,
  dictionaryOf,
  link,
  listOf,
  mixed,
  orNull,
  place,
  SCALARS,
  setOf,
  site,
} from '../../support/generated-states.ts';
import { testSeed } from '../../support/random.ts';
import { DEFINITIONS, propertyOf, stateToken } from '../../support/typed-properties.ts';
import { TypeBench } from './type-bench.ts';

const seed = testSeed();
const VALUES = 40;

type Case = {
  readonly property: string;
  readonly type: string | undefined;
  readonly values: fc.Arbitrary<StateValue>;
  /** Some values of the property have no place in such a column. */
  readonly partly?: boolean;
};
/** Without a type the column is the one that the models make. */
const CASES: Case[] = [];
for (const [type, scalars] of Object.entries(SCALARS)) {
  const partly = type === 'date' || type === 'float' || type === 'double';
  if (type !== 'decimal128') CASES.push({ property: type, type: undefined, values: scalars, partly });
  CASES.push({ property: `${type}[]`, type: undefined, values: listOf(orNull(scalars)) });
  CASES.push({ property: `${type}<>`, type: 'varchar(max)', values: setOf(scalars) });
  CASES.push({ property: `${type}{}`, type: undefined, values: dictionaryOf(orNull(scalars)) });
}
CASES.push(
  { property: 'mixed', type: undefined, values: mixed.filter((value) => value.type !== 'null') },
  {
    property: 'mixed',
    type: 'sql_variant',
    values: anyScalar.filter((value) => value.type !== 'null'),
    partly: true,
  },
  { property: 'mixed[]', type: undefined, values: listOf(mixed) },
  { property: 'mixed<>', type: 'varchar(max)', values: setOf(anyScalar) },
  { property: 'mixed{}', type: undefined, values: dictionaryOf(mixed) },
  { property: 'Place', type: 'nvarchar(max)', values: place },
  { property: 'Place[]', type: undefined, values: listOf(place) },
  { property: 'Place{}', type: undefined, values: dictionaryOf(orNull(place)) },
  { property: 'Site', type: 'text', values: site },
  { property: 'Dog', type: 'bigint', values: link('Dog', SCALARS.int) },
  { property: 'Tag', type: 'uniqueidentifier', values: link('Tag', SCALARS.uuid) },
  { property: 'Tag[]', type: undefined, values: listOf(link('Tag', SCALARS.uuid)) },
);

/** Such as a decimal column with ten decimals holds. */
const fixed: fc.Arbitrary<StateValue> = fc
  .record({
    coefficient: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    exponent: fc.integer({ min: -10, max: 9 }),
    negative: fc.boolean(),
  })
  .map((parts) => ({ type: 'decimal128', ...parts, negative: parts.negative && parts.coefficient > 0n }));
CASES.push({ property: 'decimal128', type: undefined, values: fixed });

let bench: TypeBench;

beforeAll(async () => {
  console.log(`seed ${seed}: repeat with ISTHMUS_TEST_SEED=${seed}`);
  bench = await TypeBench.open();
  await bench.makeTables(
    CASES.map(({ property, type }, index) => ({
      name: `of_${index}`,
      type: type ?? bench.dialect.columnTypeFor(propertyOf(property)),
    })),
  );
}, 120_000);

afterAll(() => bench.close());

test.each(CASES.map((generated, index) => ({ ...generated, index, on: generated.type ?? 'its own column' })))(
  '$property on $on',
  async ({ property, values, index, partly }) => {
    const table = await bench.table(`of_${index}`);
    const codec = bench.codec(table, propertyOf(property), DEFINITIONS);
    const rows: [number, SqlText][] = [];
    const written: string[] = [];
    fc.sample(values, { seed, numRuns: VALUES }).forEach((value, id) => {
      try {
        rows.push([id, codec.toSql(value)]);
        written.push(stateToken(value));
      } catch (error) {
        if (partly !== true || !(error instanceof DataError)) throw error;
      }
    });
    expect(rows.length).toBeGreaterThan(0);
    await bench.write(table, rows);
    const texts = await bench.read(table);
    expect(texts).toEqual(rows.map(([, text]) => text));
    const read = texts.map((text) => stateToken(codec.toRealm(text ?? '')));
    expect(read).toEqual(written);
  },
);
