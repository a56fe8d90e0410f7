import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SqlText } from '../../../src/connector/dialect.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import { valueToken } from '../../../src/store/state/value-token.ts';
import { testSeed } from '../../support/random.ts';
import { DEFINITIONS, propertyOf, stateToken } from '../../support/typed-properties.ts';
import { TypeBench, type TypeCase } from './type-bench.ts';
import { SETUP } from './type-cases.ts';

const seed = testSeed();
const VALUES = 120;

type Scalars = fc.Arbitrary<ScalarValue>;

const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const words = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '').toWellFormed());
const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value));
const objectId = fc
  .uint8Array({ minLength: 12, maxLength: 12 })
  .map((value) => Buffer.from(value).toString('hex'));
/** To the microsecond, which is what columns hold, from 4714 BC to 294276. */
const instant = fc
  .bigInt({ min: -210_866_803_200n * 1_000_000n, max: 9_224_318_015_999_999_999n })
  .map((micro) => ({ seconds: micro / 1_000_000n, nanoseconds: Number(micro % 1_000_000n) * 1000 }));
const decimal = fc.record({
  coefficient: fc.bigInt({ min: 1n, max: 10n ** 34n - 1n }),
  exponent: fc.oneof(fc.integer({ min: -40, max: 10 }), fc.integer({ min: -6000, max: 6000 })),
  negative: fc.boolean(),
});

const SCALARS: Readonly<Record<Exclude<ValueType, 'mixed' | 'link'>, Scalars>> = {
  int: int64.map((value) => ({ type: 'int', value })),
  bool: fc.boolean().map((value) => ({ type: 'bool', value })),
  string: words.map((value) => ({ type: 'string', value })),
  data: bytes.map((value) => ({ type: 'data', value })),
  date: instant.map((parts) => ({ type: 'date', ...parts })),
  float: fc.float().map((value) => ({ type: 'float', value })),
  double: fc.double().map((value) => ({ type: 'double', value })),
  decimal128: decimal.map((parts) => ({ type: 'decimal128', ...parts })),
  objectId: objectId.map((value) => ({ type: 'objectId', value })),
  uuid: fc.uuid().map((value) => ({ type: 'uuid', value })),
};
const link = (table: string, key: Scalars): Scalars =>
  key.map((value) => ({ type: 'link', table, key: value as never }));
const anyScalar: Scalars = fc.oneof(
  ...Object.values(SCALARS),
  link('Dog', SCALARS.int),
  link('Tag', SCALARS.uuid),
  fc.constant<ScalarValue>({ type: 'null' }),
);
/** Names that mean something in documents are among them. */
const name = fc.oneof(words, fc.constantFrom('$date', '$uuid', '$dictionary', '$link', '__proto__', ''));
const entriesOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T>> =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => new Map(pairs));
const { mixed } = fc.letrec<{ mixed: StateValue }>((tie) => ({
  mixed: fc.oneof(
    { depthSize: 'small' },
    anyScalar,
    fc.array(tie('mixed'), { maxLength: 4 }).map((items): StateValue => ({ type: 'list', items })),
    entriesOf(tie('mixed')).map((entries): StateValue => ({ type: 'dictionary', entries })),
  ),
}));
const orNull = (value: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> =>
  fc.option(value, { nil: { type: 'null' } as StateValue, freq: 5 });
const place: fc.Arbitrary<StateValue> = fc
  .record({ street: orNull(SCALARS.string), No: orNull(smallInt()), since: orNull(SCALARS.date) })
  .map((fields) => ({ type: 'object', fields: new Map(Object.entries(fields)) }));
const site: fc.Arbitrary<StateValue> = fc
  .record({ label: orNull(SCALARS.string), at: orNull(place), codes: listOf(orNull(smallInt())) })
  .map((fields) => ({ type: 'object', fields: new Map(Object.entries(fields)) }));

function smallInt(): Scalars {
  return fc.integer().map((value) => ({ type: 'int', value: BigInt(value) }));
}

function listOf(item: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> {
  return fc.array(item, { maxLength: 6 }).map((items) => ({ type: 'list', items }));
}

function setOf(item: Scalars): fc.Arbitrary<StateValue> {
  return fc
    .array(item, { maxLength: 6 })
    .map((items) => ({ type: 'set', items: new Map(items.map((value) => [valueToken(value), value])) }));
}

function dictionaryOf(item: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> {
  return entriesOf(item).map((entries) => ({ type: 'dictionary', entries }));
}

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
