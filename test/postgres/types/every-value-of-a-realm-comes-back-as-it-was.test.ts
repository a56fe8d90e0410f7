import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SqlText } from '../../../src/connector/dialect.ts';
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
import { TypeBench, type TypeCase } from './type-bench.ts';
import { SETUP } from './type-cases.ts';

const seed = testSeed();
const VALUES = 120;

type Case = {
  readonly property: string;
  readonly type: string | undefined;
  readonly values: fc.Arbitrary<StateValue>;
};
/** Without a type the column is the one that the models make. */
const CASES: Case[] = [];
for (const [type, scalars] of Object.entries(SCALARS)) {
  CASES.push({ property: type, type: undefined, values: scalars });
  CASES.push({ property: `${type}[]`, type: undefined, values: listOf(orNull(scalars)) });
  CASES.push({ property: `${type}<>`, type: undefined, values: setOf(scalars) });
  CASES.push({ property: `${type}{}`, type: undefined, values: dictionaryOf(orNull(scalars)) });
  CASES.push({ property: `${type}[]`, type: 'jsonb', values: listOf(orNull(scalars)) });
  CASES.push({ property: `${type}<>`, type: 'text', values: setOf(scalars) });
}
CASES.push(
  { property: 'mixed', type: undefined, values: mixed.filter((value) => value.type !== 'null') },
  { property: 'mixed', type: 'json', values: mixed.filter((value) => value.type !== 'null') },
  { property: 'mixed[]', type: undefined, values: listOf(mixed) },
  { property: 'mixed<>', type: undefined, values: setOf(anyScalar) },
  { property: 'mixed{}', type: undefined, values: dictionaryOf(mixed) },
  { property: 'Place', type: 'jsonb', values: place },
  { property: 'Place', type: 'place', values: place },
  { property: 'Place[]', type: 'jsonb', values: listOf(place) },
  { property: 'Place[]', type: 'place[]', values: listOf(place) },
  { property: 'Place{}', type: 'jsonb', values: dictionaryOf(orNull(place)) },
  { property: 'Site', type: 'jsonb', values: site },
  { property: 'Site', type: 'site', values: site },
  { property: 'Site', type: 'text', values: site },
  { property: 'string{}', type: 'hstore', values: dictionaryOf(orNull(SCALARS.string)) },
  { property: 'int{}', type: 'hstore', values: dictionaryOf(orNull(SCALARS.int)) },
  { property: 'Dog', type: 'bigint', values: link('Dog', SCALARS.int) },
  { property: 'Dog[]', type: 'bigint[]', values: listOf(link('Dog', SCALARS.int)) },
  { property: 'Tag[]', type: 'jsonb', values: listOf(link('Tag', SCALARS.uuid)) },
);

let bench: TypeBench;
const tables: TypeCase[] = [];

beforeAll(async () => {
  console.log(`seed ${seed}: repeat with ISTHMUS_TEST_SEED=${seed}`);
  bench = await TypeBench.open(SETUP);
  CASES.forEach(({ property, type }, index) => {
    tables.push({
      name: `of_${index}`,
      type: type ?? bench.dialect.columnTypeFor(propertyOf(property)),
      inputs: [],
    });
  });
  await bench.makeTables(tables);
}, 120_000);

afterAll(() => bench.close());

test.each(CASES.map((generated, index) => ({ ...generated, index, on: generated.type ?? 'its own column' })))(
  '$property on $on',
  async ({ property, values, index }) => {
    const table = await bench.table(`of_${index}`);
    const codec = bench.codec(table, propertyOf(property), DEFINITIONS);
    const written = fc.sample(values, { seed, numRuns: VALUES });
    await bench.write(
      table,
      written.map((value, id): [number, SqlText] => [id, codec.toSql(value)]),
    );
    const read = (await bench.read(table)).map((text) => stateToken(codec.toRealm(text ?? '')));
    expect(read).toEqual(written.map(stateToken));
  },
);
