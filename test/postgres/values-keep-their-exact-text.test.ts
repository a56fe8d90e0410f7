import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecFor } from '../../connectors/postgres/codec/value-codec.ts';
import { Session } from '../../connectors/postgres/session.ts';
import { castType } from '../../connectors/postgres/sql-text.ts';
import type { ColumnInfo, ValueCodec } from '../../src/connector/dialect.ts';
import { DataError, MappingError } from '../../src/connector/errors.ts';
import type { ScalarValue, ValueType } from '../../src/schema/value.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { contextFor } from './session-context.ts';

const seed = Number(process.env.ISTHMUS_SEED ?? Date.now() % 2 ** 31);
const RUNS = { seed, numRuns: 300 };

let server: TestPostgres;
let session: Session;

beforeAll(async () => {
  console.log(`seed ${seed}: repeat with ISTHMUS_SEED=${seed}`);
  server = await startTestPostgres();
  session = await Session.open(contextFor(server, await server.createDatabase()));
});

afterAll(async () => {
  await session.close();
  await server.stop();
});

const BASE: Readonly<Record<string, string>> = {
  bigint: 'int8',
  numeric: 'numeric',
  real: 'float4',
  'double precision': 'float8',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  'character(24)': 'bpchar',
  'character(5)': 'bpchar',
  boolean: 'bool',
};

function column(type: string): ColumnInfo {
  return {
    name: 'c',
    type,
    baseType: BASE[type] ?? type,
    nullable: true,
    hasDefault: false,
    readOnly: false,
  };
}

function codec(type: string, property: ValueType): ValueCodec {
  return codecFor(column(type), { type: property, nullable: true, collection: 'single' });
}

/** What the server makes of the texts in a column of that type. */
async function stored(type: string, texts: readonly (string | null)[]): Promise<(string | null)[]> {
  await session.query('DROP TABLE IF EXISTS values_under_test');
  await session.query(`CREATE TABLE values_under_test (n int, c ${type})`);
  await session.query(
    `INSERT INTO values_under_test SELECT n, t::${castType(column(type))} FROM unnest($1::text[]) WITH ORDINALITY u (t, n)`,
    [texts],
  );
  const rows = await session.query('SELECT c FROM values_under_test ORDER BY n');
  return rows.map(([text]) => text ?? null);
}

async function returnsEqual(
  type: string,
  property: ValueType,
  values: readonly ScalarValue[],
): Promise<void> {
  const { toSql, toRealm } = codec(type, property);
  const texts = await stored(type, values.map(toSql));
  expect(texts.map((text) => toRealm(text ?? ''))).toEqual(values);
}

const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const instant = fc
  .tuple(fc.bigInt({ min: -210_866_803_200n * 1_000_000n, max: 9_224_318_015_999_999_999n }))
  .map(
    ([microseconds]): ScalarValue => ({
      type: 'date',
      seconds: microseconds / 1_000_000n,
      nanoseconds: Number(microseconds % 1_000_000n) * 1000,
    }),
  );
const decimal = fc
  .record({
    coefficient: fc.bigInt({ min: 1n, max: 10n ** 34n - 1n }),
    exponent: fc.integer({ min: -40, max: 0 }),
    negative: fc.boolean(),
  })
  .map((parts): ScalarValue => ({ type: 'decimal128', ...parts }));

function many(arbitrary: fc.Arbitrary<ScalarValue>): ScalarValue[] {
  return fc.sample(arbitrary, RUNS);
}

describe('what is written is read back equal', () => {
  test('int on bigint', () =>
    returnsEqual('bigint', 'int', many(int64.map((value) => ({ type: 'int', value })))));
  test('int on numeric', () =>
    returnsEqual('numeric', 'int', many(int64.map((value) => ({ type: 'int', value })))));
  test('bool', () =>
    returnsEqual(
      'boolean',
      'bool',
      [true, false].map((value) => ({ type: 'bool', value })),
    ));
  test('double', () =>
    returnsEqual(
      'double precision',
      'double',
      many(fc.double().map((value) => ({ type: 'double', value }))),
    ));
  test('float on real', () =>
    returnsEqual('real', 'float', many(fc.float().map((value) => ({ type: 'float', value })))));
  test('float on double precision', () =>
    returnsEqual('double precision', 'float', many(fc.float().map((value) => ({ type: 'float', value })))));
  test('decimal128', () => returnsEqual('numeric', 'decimal128', many(decimal)));
  test('instants to the microsecond', () => returnsEqual('timestamp with time zone', 'date', many(instant)));
  test('instants without a zone are UTC', () =>
    returnsEqual('timestamp without time zone', 'date', many(instant)));
  test('string on text', () =>
    returnsEqual('text', 'string', many(text.map((value) => ({ type: 'string', value })))));
  test('data', () =>
    returnsEqual(
      'bytea',
      'data',
      many(fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ type: 'data', value: Buffer.from(bytes) }))),
    ));
  test('uuid', () => returnsEqual('uuid', 'uuid', many(fc.uuid().map((value) => ({ type: 'uuid', value })))));
  test('objectId on char(24), text and bytea', async () => {
    const ids = many(
      fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => ({
        type: 'objectId',
        value: Buffer.from(bytes).toString('hex'),
      })),
    );
    for (const type of ['character(24)', 'text', 'bytea']) await returnsEqual(type, 'objectId', ids);
  });
  test('mixed values keep their type in jsonb', () =>
    returnsEqual(
      'jsonb',
      'mixed',
      many(
        fc.oneof(
          int64.map((value): ScalarValue => ({ type: 'int', value })),
          fc.double().map((value): ScalarValue => ({ type: 'double', value })),
          text.map((value): ScalarValue => ({ type: 'string', value })),
          instant,
          decimal,
          fc.uint8Array().map((bytes): ScalarValue => ({ type: 'data', value: Buffer.from(bytes) })),
        ),
      ),
    ));
});

describe('every type of the reference table becomes its realm type', () => {
  test.each([
    ['text', `'a'`, 'string', { type: 'string', value: 'a' }],
    ['varchar', `'a '`, 'string', { type: 'string', value: 'a ' }],
    ['character(5)', `'ab'`, 'string', { type: 'string', value: 'ab' }],
    ['tsvector', `'a fat cat'::tsvector`, 'string', { type: 'string', value: `'a' 'cat' 'fat'` }],
    ['json', `'{"a": 1}'::json`, 'string', { type: 'string', value: '{"a": 1}' }],
    ['bytea', `'\\x00ff'::bytea`, 'string', { type: 'string', value: '\\x00ff' }],
    ['numeric', '0.10::numeric', 'float', { type: 'float', value: Math.fround(0.1) }],
    ['numeric', '0.10::numeric', 'double', { type: 'double', value: 0.1 }],
    [
      'numeric',
      '0.10::numeric',
      'decimal128',
      { type: 'decimal128', coefficient: 10n, exponent: -2, negative: false },
    ],
    ['int2', '7::smallint', 'int', { type: 'int', value: 7n }],
    ['date', `'2024-02-29'::date`, 'date', { type: 'date', seconds: 1709164800n, nanoseconds: 0 }],
    [
      'timestamp',
      `'1969-12-31 23:59:59.25'::timestamp`,
      'date',
      { type: 'date', seconds: 0n, nanoseconds: -750_000_000 },
    ],
    [
      'timestamptz',
      `'0044-03-15 00:00:00+00 BC'::timestamptz`,
      'date',
      { type: 'date', seconds: -63_517_824_000n, nanoseconds: 0 },
    ],
    ['interval', `'1 day 02:03:04'::interval`, 'string', { type: 'string', value: '1 day 02:03:04' }],
  ] as const)('%s %s as %s', async (type, literal, property, value) => {
    const [row] = await session.query(`SELECT (${literal})${type === 'character(5)' ? '::char(5)' : ''}`);
    expect(codec(type, property).toRealm(row?.[0] ?? '')).toEqual(value);
  });
});

describe('what does not fit is refused with column and value, never bent', () => {
  test.each([
    ['timestamptz', 'date', 'infinity', /c holds "infinity"/],
    ['numeric', 'decimal128', '1234567890123456789012345678901234.5', /34 digits/],
    ['numeric', 'int', '9223372036854775808', /64 bits/],
    ['numeric', 'int', '1.5', /no whole number/],
    ['numeric', 'double', `1${'0'.repeat(400)}`, /largest double/],
    ['text', 'uuid', 'nonsense', /8-4-4-4-12/],
  ] as const)('%s to %s: %s', (type, property, value, message) => {
    expect(() => codec(type, property).toRealm(value)).toThrow(DataError);
    expect(() => codec(type, property).toRealm(value)).toThrow(message);
  });

  test('NUL, half a surrogate pair and the year 4715 BC do not go to the database', () => {
    expect(() => codec('text', 'string').toSql({ type: 'string', value: 'a\0b' })).toThrow(/NUL/);
    expect(() => codec('text', 'string').toSql({ type: 'string', value: '\ud800' })).toThrow(/surrogate/);
    const ancient: ScalarValue = { type: 'date', seconds: -210_866_803_201n, nanoseconds: 0 };
    expect(() => codec('timestamptz', 'date').toSql(ancient)).toThrow(DataError);
  });

  test('types without a way to each other are refused before any value', () => {
    expect(() => codec('timestamptz', 'int')).toThrow(MappingError);
    expect(() => codec('timestamptz', 'int')).toThrow(/column c of type timestamptz/);
  });

  test('no text whatsoever makes a codec fail otherwise than by a data error', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9. :eE+-]{0,40}$/));
    const types: readonly [string, ValueType][] = [
      ['int8', 'int'],
      ['numeric', 'decimal128'],
      ['timestamptz', 'date'],
      ['float8', 'double'],
      ['bytea', 'data'],
      ['jsonb', 'mixed'],
      ['uuid', 'uuid'],
      ['bool', 'bool'],
    ];
    fc.assert(
      fc.property(texts, fc.constantFrom(...types), (value, [type, property]) => {
        try {
          codec(type, property).toRealm(value);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { seed, numRuns: 3000 },
    );
  });
});
