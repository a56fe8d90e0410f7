import { Decimal128, ObjectId, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decimalFromBson,
  decimalFromText,
  decimalToBson,
  decimalToText,
} from '../../src/schema/decimal128.ts';
import { sameValue } from '../../src/schema/equality.ts';
import type { ScalarValue, ValueType } from '../../src/schema/value.ts';
import { fromJs, keyFromJs, toJs } from '../../src/schema/value-conversion.ts';
import { ValueError } from '../../src/schema/value-error.ts';

describe('decimal128', () => {
  test.each([
    ['0', 0n, 0, false],
    ['0.00', 0n, -2, false],
    ['-0', 0n, 0, true],
    ['1', 1n, 0, false],
    ['123.45', 12345n, -2, false],
    ['+.5', 5n, -1, false],
    ['7.', 7n, 0, false],
    ['-0.001', 1n, -3, true],
    ['1E10', 1n, 10, false],
    ['1.00', 100n, -2, false],
    ['1E-6176', 1n, -6176, false],
    [`9.${'9'.repeat(33)}E+6144`, 10n ** 34n - 1n, 6111, false],
    ['1E6144', 10n ** 33n, 6111, false],
    ['10E-6177', 1n, -6176, false],
    [`1${'0'.repeat(40)}`, 10n ** 33n, 7, false],
    ['Infinity', 0n, 9184, false],
    ['-Infinity', 0n, 9184, true],
    ['NaN', 0n, 9696, false],
  ])('%s', (text, coefficient, exponent, negative) => {
    expect(decimalFromText(text)).toEqual({ type: 'decimal128', coefficient, exponent, negative });
  });

  test.each(['', 'abc', '1.2.3', '1e', '--1', `${'1'.repeat(35)}`, '1E6145', '1E-6177', '0x10'])(
    "'%s' is refused instead of rounded",
    (text) => {
      expect(() => decimalFromText(text)).toThrow(ValueError);
    },
  );

  const decimals = fc.record({
    type: fc.constant('decimal128' as const),
    coefficient: fc.bigInt({ min: 0n, max: 10n ** 34n - 1n }),
    exponent: fc.integer({ min: -6176, max: 6111 }),
    negative: fc.boolean(),
  });

  test('text and bson agree with the reference library, and both come back exactly', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        expect(decimalFromText(decimalToText(value))).toEqual(value);
        const bson = decimalToBson(value);
        expect(decimalFromBson(bson)).toEqual(value);
        expect(decimalFromText(bson.toString())).toEqual(value);
        expect(decimalToText(value)).toBe(bson.toString());
      }),
    );
  });

  test('the same number in another scale is the same value', () => {
    const same = (a: string, b: string) => sameValue(decimalFromText(a), decimalFromText(b));
    expect(same('1.0', '1.00')).toBe(true);
    expect(same('0', '-0.000')).toBe(true);
    expect(same('1E10', '10000000000')).toBe(true);
    expect(same('NaN', 'NaN')).toBe(true);
    expect(same('1', '-1')).toBe(false);
    expect(same('1', '1E1')).toBe(false);
    expect(same('Infinity', '-Infinity')).toBe(false);
  });
});

describe('JavaScript values', () => {
  const oid = '64b7f0c2a1b2c3d4e5f60718';
  const uuid = '3b241101-e2bb-4255-8caf-4136c566a962';
  test.each<[ValueType, unknown, ScalarValue]>([
    ['int', 5, { type: 'int', value: 5n }],
    ['int', 2n ** 60n, { type: 'int', value: 2n ** 60n }],
    ['bool', true, { type: 'bool', value: true }],
    ['string', 'é', { type: 'string', value: 'é' }],
    ['float', 1.5, { type: 'float', value: 1.5 }],
    ['double', -0.1, { type: 'double', value: -0.1 }],
    ['date', new Date(1500), { type: 'date', seconds: 1n, nanoseconds: 500_000_000 }],
    ['date', new Date(-1500), { type: 'date', seconds: -1n, nanoseconds: -500_000_000 }],
    ['date', new Date(-1000), { type: 'date', seconds: -1n, nanoseconds: 0 }],
    ['objectId', new ObjectId(oid), { type: 'objectId', value: oid }],
    ['uuid', new UUID(uuid), { type: 'uuid', value: uuid }],
    ['decimal128', Decimal128.fromString('1.50'), decimalFromText('1.50')],
    ['mixed', 5, { type: 'double', value: 5 }],
    ['mixed', 5n, { type: 'int', value: 5n }],
    ['mixed', new UUID(uuid), { type: 'uuid', value: uuid }],
    ['mixed', null, { type: 'null' }],
  ])('%s %s', (type, value, tagged) => {
    const column = { type, nullable: true };
    expect(fromJs(value, column)).toEqual(tagged);
    expect(fromJs(toJs(tagged), column)).toEqual(
      type === 'mixed' && tagged.type === 'int' ? { type: 'double', value: 5 } : tagged,
    );
  });

  test('bytes come and go as copies', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const value = fromJs(bytes, { type: 'data', nullable: false });
    bytes[0] = 9;
    expect(value).toEqual({ type: 'data', value: Uint8Array.of(1, 2, 3) });
    expect(fromJs(Uint8Array.of(4).buffer, { type: 'mixed', nullable: true })).toMatchObject({
      type: 'data',
    });
    expect(toJs(value)).toEqual(Buffer.from([1, 2, 3]));
  });

  test.each<[ValueType, unknown]>([
    ['int', 1.5],
    ['int', 2 ** 53],
    ['int', 2n ** 63n],
    ['int', '5'],
    ['bool', 1],
    ['string', 5],
    ['date', new Date(Number.NaN)],
    ['objectId', 'xyz'],
    ['uuid', new ObjectId()],
    ['decimal128', 'one'],
    ['mixed', Symbol('s')],
    ['mixed', () => 1],
    ['link', {}],
    ['int', null],
  ])('%s refuses %s', (type, value) => {
    expect(() => fromJs(value, { type, nullable: false })).toThrow(ValueError);
  });

  test('keys are of the type that the class says', () => {
    const int = { field: '_id', type: 'int', nullable: false } as const;
    expect(keyFromJs(5, int)).toEqual({ type: 'int', value: 5n });
    expect(() => keyFromJs('5', int)).toThrow(ValueError);
    expect(() => keyFromJs(null, int)).toThrow(ValueError);
    expect(keyFromJs(null, { ...int, nullable: true })).toEqual({ type: 'null' });
  });
});

test('values are the same by content and type', () => {
  const nan: ScalarValue = { type: 'double', value: Number.NaN };
  expect(sameValue(nan, { ...nan })).toBe(true);
  expect(sameValue({ type: 'double', value: 0 }, { type: 'double', value: -0 })).toBe(true);
  expect(sameValue({ type: 'double', value: 1 }, { type: 'float', value: 1 })).toBe(false);
  expect(
    sameValue({ type: 'data', value: Uint8Array.of(1) }, { type: 'data', value: Uint8Array.of(1) }),
  ).toBe(true);
  const link = { type: 'link', table: 'A', key: { type: 'int', value: 1n } } as const;
  expect(sameValue(link, { ...link, key: { ...link.key } })).toBe(true);
  expect(sameValue(link, { ...link, table: 'B' })).toBe(false);
});
