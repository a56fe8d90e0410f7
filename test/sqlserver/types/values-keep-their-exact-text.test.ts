import { describe, expect, test } from 'vitest';
import { stateCodecFor } from '../../../connectors/sqlserver/codec/state-codec.ts';
import { codecFor } from '../../../connectors/sqlserver/codec/value-codec.ts';
import { textReader } from '../../../connectors/sqlserver/column-text.ts';
import { columnTypeFor, naturalDefinition, zeroLiteral } from '../../../connectors/sqlserver/column-types.ts';
import type { SqlText } from '../../../src/connector/dialect.ts';
import { DataError, MappingError } from '../../../src/connector/errors.ts';
import type { MappingContext } from '../../../src/connector/mapping/build-mapping.ts';
import { convertedCodec } from '../../../src/connector/mapping/converted-codecs.ts';
import { decimalFromText } from '../../../src/schema/decimal128.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import { dateFromMilliseconds } from '../../../src/schema/value-conversion.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import { DEFINITIONS, propertyOf, stateToken } from '../../support/typed-properties.ts';
import { type Characters, column } from './columns.ts';

const UTF8: Characters = { collation: 'Latin1_General_100_CI_AS_SC_UTF8', codePage: 65_001 };
const JAPANESE: Characters = { collation: 'Japanese_CI_AS', codePage: 932 };
const GREEK: Characters = { collation: 'Greek_CI_AS', codePage: 1253 };

function codec(type: string, property: string, characters?: Characters) {
  return codecFor(column(type, characters), propertyOf(property));
}

function date(text: string, nanoseconds?: number): ScalarValue {
  const value = dateFromMilliseconds(Date.parse(text));
  return nanoseconds === undefined ? value : { ...value, nanoseconds };
}

const decimal = (text: string): ScalarValue => decimalFromText(text);
const int = (value: bigint): ScalarValue => ({ type: 'int', value });
const double = (value: number): ScalarValue => ({ type: 'double', value });
const float = (value: number): ScalarValue => ({ type: 'float', value: Math.fround(value) });
const string = (value: string): ScalarValue => ({ type: 'string', value });
const data = (hex: string): ScalarValue => ({ type: 'data', value: Buffer.from(hex, 'hex') });

test.each<[type: string, property: string, text: string, value: ScalarValue]>([
  ['bit', 'bool', '1', { type: 'bool', value: true }],
  ['tinyint', 'int', '255', int(255n)],
  ['bigint', 'int', '-9223372036854775808', int(-(1n << 63n))],
  ['bigint', 'decimal128', '9223372036854775807', decimal('9223372036854775807')],
  ['int', 'bool', '0', { type: 'bool', value: false }],
  [
    'decimal(38,10)',
    'string',
    '9999999999999999999999999999.9999999999',
    string('9999999999999999999999999999.9999999999'),
  ],
  [
    'decimal(34,10)',
    'decimal128',
    '-123456789012345678901234.5678901234',
    decimal('-123456789012345678901234.5678901234'),
  ],
  ['decimal(10,2)', 'decimal128', '0.50', decimal('0.5')],
  ['decimal(10,2)', 'double', '12.10', double(12.1)],
  ['decimal(38,0)', 'int', '42', int(42n)],
  ['decimal(38,38)', 'string', `-0.${'9'.repeat(38)}`, string(`-0.${'9'.repeat(38)}`)],
  ['money', 'decimal128', '922337203685477.5807', decimal('922337203685477.5807')],
  ['money', 'string', '-922337203685477.5808', string('-922337203685477.5808')],
  ['smallmoney', 'decimal128', '-214748.3648', decimal('-214748.3648')],
  ['float(53)', 'double', '1.7976931348623157e+308', double(Number.MAX_VALUE)],
  ['float', 'double', '0.1', double(0.1)],
  ['float', 'double', '-0', double(-0)],
  ['float(24)', 'float', '0.1', float(0.1)],
  // A little less than its shortest text, 3.4028235e+38, which the server refuses.
  ['real', 'float', '3.4028234663852886e+38', float(3.4028234663852886e38)],
  ['real', 'string', '1e-8', string('1e-8')],
  ['nvarchar(2)', 'string', '😀', string('😀')],
  ['nvarchar(max)', 'string', 'a\0b', string('a\0b')],
  ['varchar(5)', 'string', '€uro ', string('€uro ')],
  ['char(5)', 'string', 'ab', string('ab')],
  ['nvarchar(20)', 'int', '-12', int(-12n)],
  ['varbinary(max)', 'data', '0x00FF', data('00ff')],
  [
    'binary(12)',
    'objectId',
    '0x0102030405060708090A0B0C',
    { type: 'objectId', value: '0102030405060708090a0b0c' },
  ],
  [
    'char(24)',
    'objectId',
    '0102030405060708090a0b0c',
    { type: 'objectId', value: '0102030405060708090a0b0c' },
  ],
  [
    'uniqueidentifier',
    'uuid',
    '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    { type: 'uuid', value: '6f9619ff-8b86-d011-b42d-00c04fc964ff' },
  ],
  ['rowversion', 'int', '0x00000000000007D1', int(2001n)],
  ['timestamp', 'data', '0x00000000000007D1', data('00000000000007d1')],
  ['date', 'date', '0001-01-01', date('0001-01-01T00:00:00Z')],
  ['datetime2(7)', 'date', '9999-12-31 23:59:59.9999999', date('9999-12-31T23:59:59Z', 999_999_900)],
  ['datetime2(0)', 'date', '1969-12-31 23:59:59', date('1969-12-31T23:59:59Z')],
  [
    'datetime2',
    'date',
    '1969-12-31 23:59:59.5000000',
    { type: 'date', seconds: 0n, nanoseconds: -500_000_000 },
  ],
  ['datetime', 'date', '1753-01-01 00:00:00.003', date('1753-01-01T00:00:00Z', 0)],
  ['smalldatetime', 'date', '2079-06-06 23:59:00', date('2079-06-06T23:59:00Z')],
  ['time(7)', 'string', '23:59:59.9999999', string('23:59:59.9999999')],
  [
    'datetimeoffset(7)',
    'string',
    '2024-02-29 12:00:00.1234567 +02:00',
    string('2024-02-29 12:00:00.1234567 +02:00'),
  ],
  ['hierarchyid', 'string', '/1/2.5/', string('/1/2.5/')],
  ['xml', 'string', '<a b="1">x</a>', string('<a b="1">x</a>')],
  ['sql_variant', 'mixed', 'int:5', int(5n)],
  ['sql_variant', 'mixed', 'decimal:12.5', decimal('12.5')],
  ['sql_variant', 'mixed', 'float:1e+100', double(1e100)],
  ['sql_variant', 'mixed', 'string:a:b', string('a:b')],
  ['sql_variant', 'mixed', 'date:2024-02-29 12:00:00.0000000', date('2024-02-29T12:00:00Z')],
  ['sql_variant', 'string', 'time:12:00:00.0000000', string('time:12:00:00.0000000')],
])('%s as %s: %s', (type, property, text, value) => {
  if (type === 'datetime') {
    // It counts three hundredths of a second and shows milliseconds.
    expect(codec(type, property).toRealm(text)).toEqual({
      type: 'date',
      seconds: -6_847_804_799n,
      nanoseconds: -997_000_000,
    });
  } else expect(stateToken(codec(type, property).toRealm(text))).toBe(stateToken(value));
  const again = codec(type, property).toSql(codec(type, property).toRealm(text));
  expect(again).toBe(text);
});

test.each<[type: string, property: string, value: ScalarValue, text: SqlText]>([
  ['decimal(10,2)', 'decimal128', decimal('1E+3'), '1000.00'],
  ['decimal(10,2)', 'decimal128', decimal('-0'), '0.00'],
  ['decimal(10,2)', 'double', double(1e-2), '0.01'],
  ['money', 'double', double(1234.5), '1234.5000'],
  ['money', 'string', string('+7'), '7.0000'],
  ['bigint', 'double', double(1e15), '1000000000000000'],
  ['bit', 'int', int(1n), '1'],
  ['float', 'decimal128', decimal('0.10'), '0.1'],
  ['char(5)', 'string', string('ab   '), 'ab'],
  ['nchar(2)', 'string', string('a      '), 'a'],
  [
    'uniqueidentifier',
    'string',
    string('6F9619FF-8B86-D011-B42D-00C04FC964FF'),
    '6f9619ff-8b86-d011-b42d-00c04fc964ff',
  ],
  ['varbinary(4)', 'string', string('0xdeadBEEF'), '0xDEADBEEF'],
  ['datetime', 'date', date('2024-02-29T12:00:00.124Z'), '2024-02-29 12:00:00.123'],
  ['datetime', 'date', date('2024-02-29T12:00:00.995Z'), '2024-02-29 12:00:00.997'],
  ['datetime', 'date', date('2024-02-29T23:59:59.999Z'), '2024-03-01 00:00:00.000'],
  ['smalldatetime', 'date', date('2024-02-29T12:00:29.998Z'), '2024-02-29 12:00:00'],
  ['smalldatetime', 'date', date('2024-02-29T12:00:29.999Z'), '2024-02-29 12:01:00'],
  ['datetime2(3)', 'date', date('2024-02-29T12:00:00Z', 1_500_000), '2024-02-29 12:00:00.002'],
  ['datetime2(7)', 'date', { type: 'date', seconds: 0n, nanoseconds: -50 }, '1970-01-01 00:00:00.0000000'],
  ['date', 'date', date('1969-12-31T23:59:59.999Z'), '1969-12-31'],
  ['datetimeoffset(3)', 'date', date('2024-02-29T12:00:00.5Z'), '2024-02-29T12:00:00.500Z'],
  ['datetimeoffset(2)', 'string', string('2024-02-29T12:00:00+05:30'), '2024-02-29 12:00:00.00 +05:30'],
  ['datetime2(1)', 'string', string('2024-02-29'), '2024-02-29 00:00:00.0'],
  ['time(0)', 'string', string('07:30'), '07:30:00'],
  ['sql_variant', 'mixed', { type: 'bool', value: true }, 'bit:1'],
  ['sql_variant', 'mixed', float(0.1), 'real:0.1'],
  ['sql_variant', 'mixed', decimal('12.50'), 'decimal:12.5'],
  ['sql_variant', 'mixed', { type: 'null' }, null],
  ['int', 'mixed', double(5), '5'],
  ['nvarchar(10)', 'mixed', string('five'), 'five'],
  ['nvarchar(max)', 'mixed', string('five'), '"five"'],
])('%s takes %s %o as %s', (type, property, value, text) => {
  expect(codec(type, property).toSql(value)).toBe(text);
});

describe('what does not fit is refused before it is sent', () => {
  test.each<[type: string, property: string, value: ScalarValue, message: RegExp]>([
    ['tinyint', 'int', int(-1n), /c \(tinyint\): tinyint holds the whole numbers from 0 to 255 only/],
    ['smallint', 'int', int(32_768n), /from -32768 to 32767/],
    ['int', 'double', double(1.5), /1.5 is no whole number/],
    ['decimal(5,2)', 'decimal128', decimal('1.005'), /decimal\(5,2\) has 2 decimals/],
    ['decimal(5,2)', 'decimal128', decimal('1000'), /holds 3 digits before the point only/],
    ['decimal(5,2)', 'decimal128', decimal('NaN'), /holds no NaN/],
    ['decimal(5,2)', 'double', double(Number.POSITIVE_INFINITY), /holds no Infinity/],
    ['decimal(38,10)', 'decimal128', decimal('1E+6000'), /holds 28 digits before the point/],
    ['money', 'decimal128', decimal('922337203685477.5808'), /to 922337203685477.5807 only/],
    ['money', 'decimal128', decimal('0.00001'), /money has 4 decimals/],
    ['smallmoney', 'decimal128', decimal('214748.3648'), /to 214748.3647 only/],
    ['float', 'double', double(Number.NaN), /holds no NaN/],
    ['float', 'double', double(5e-324), /no number nearer to zero/],
    ['float', 'decimal128', decimal('0.1000000000000000055'), /the nearest is 0.1/],
    ['real', 'double', double(0.1 + 0.2), /the nearest is 0.3/],
    ['nvarchar(3)', 'string', string('😀😀'), /has 4 characters \(UTF-16 units\), nvarchar\(3\) holds 3/],
    ['varchar(3)', 'string', string('abcd'), /has 4 bytes, varchar\(3\) holds 3/],
    [
      'varchar(10)',
      'string',
      string('Ω'),
      /collation SQL_Latin1_General_CP1_CI_AS \(code page 1252\) has not the character "Ω" \(U\+03A9\)/,
    ],
    ['varchar(10)', 'string', string('Ā'), /has not the character "Ā"/],
    ['text', 'string', string('😀'), /U\+1F600/],
    ['nvarchar(max)', 'string', string('\ud800'), /half a surrogate pair/],
    ['char(5)', 'uuid', { type: 'uuid', value: '6f9619ff-8b86-d011-b42d-00c04fc964ff' }, /36 bytes/],
    ['binary(2)', 'data', data('ff'), /has 1 bytes, a binary\(2\) has 2/],
    ['varbinary(2)', 'data', data('ffffff'), /has 3 bytes/],
    ['varbinary(2)', 'string', string('ff'), /hexadecimal form/],
    ['datetime', 'date', date('1752-12-31T23:59:59Z'), /1753 to 9999/],
    ['smalldatetime', 'date', date('2079-06-06T23:59:30Z'), /1900-01-01 to 2079-06-06/],
    ['datetime2(0)', 'date', date('9999-12-31T23:59:59.5Z'), /years 1 to 9999/],
    ['datetime2(7)', 'date', { type: 'date', seconds: -62_135_596_801n, nanoseconds: 0 }, /years 1 to 9999/],
    ['datetime2(7)', 'string', string('2023-02-29'), /no such day/],
    ['datetime2(3)', 'string', string('2024-02-29 12:00:00.1234'), /the nearest is 2024-02-29 12:00:00.123/],
    ['datetime2(3)', 'string', string('2024-02-29 12:00:00 +02:00'), /has no offset/],
    ['datetimeoffset', 'string', string('2024-02-29 12:00:00 +15:00'), /no offset between/],
    ['datetimeoffset', 'string', string('0001-01-01 00:00:00 +01:00'), /years 1 to 9999/],
    ['time(3)', 'string', string('24:00'), /no time of day/],
    ['hierarchyid', 'string', string('1/2'), /no path/],
    ['sql_variant', 'mixed', { type: 'objectId', value: '0'.repeat(24) }, /holds no objectId/],
    ['sql_variant', 'mixed', string('x'.repeat(4001)), /holds 4000/],
    ['sql_variant', 'string', string('5'), /begin with the kind/],
    ['uniqueidentifier', 'string', string('x'), /8-4-4-4-12/],
  ])('%s refuses %s %o', (type, property, value, message) => {
    const failure = (() => {
      try {
        return codec(type, property).toSql(value);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(DataError);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toMatch(/does not fit column c/);
  });

  test.each<[type: string, property: string, text: string, message: RegExp]>([
    ['decimal(38,0)', 'decimal128', '1'.repeat(38), /column c holds "1{38}", no decimal128/],
    ['decimal(38,0)', 'int', '9'.repeat(20), /beyond 64 bits/],
    ['decimal(10,2)', 'int', '0.50', /no whole number/],
    ['decimal(20,2)', 'double', '123456789012345678.25', /a double cannot hold it exactly/],
    ['nvarchar(10)', 'string', '\udc00', /half a surrogate pair/],
    ['nvarchar(10)', 'int', 'ten', /no whole number/],
    ['int', 'bool', '2', /neither 0 nor 1/],
  ])('%s to %s: %s', (type, property, text, message) => {
    expect(() => codec(type, property).toRealm(text)).toThrow(message);
  });
});

describe('a collation says what a varchar holds', () => {
  test.each<[Characters, string, string, boolean]>([
    [UTF8, 'varchar(4)', '😀', true],
    [UTF8, 'varchar(3)', '😀', false],
    [JAPANESE, 'varchar(4)', '日本', true],
    [JAPANESE, 'varchar(3)', '日本', false],
    [JAPANESE, 'varchar(4)', 'ｱｲ', true],
    [JAPANESE, 'varchar(9)', 'é', false],
    [GREEK, 'varchar(1)', 'Ω', true],
    [GREEK, 'varchar(1)', 'ß', false],
    [{ collation: 'SQL_Latin1_General_CP437_BIN', codePage: 437 }, 'varchar(1)', '█', true],
    [{ collation: 'SQL_Latin1_General_CP850_BIN', codePage: 850 }, 'varchar(1)', '€', false],
  ])('%o: %s %s', (characters, type, text, fits) => {
    const write = (): SqlText => codec(type, 'string', characters).toSql(string(text));
    if (fits) expect(write()).toBe(text);
    else expect(write).toThrow(DataError);
  });

  test('a document escapes what its column’s collation has not', () => {
    const states = stateCodecFor(column('varchar(max)'), propertyOf('string[]'), DEFINITIONS);
    const value: StateValue = { type: 'list', items: [string('Ω€😀é')] };
    expect(states.toSql(value)).toBe('["\\u03a9€\\ud83d\\ude00é"]');
    expect(states.toRealm(states.toSql(value) ?? '')).toEqual(value);
  });
});

test.each<[type: string, given: unknown, text: SqlText]>([
  ['float', '1.0000000000000000e-001', '0.1'],
  ['float', '3.0000000000000004e-001', '0.30000000000000004'],
  ['real', '1.00000001490116119e-001', '0.1'],
  ['uniqueidentifier', '6F9619FF-8B86-D011-B42D-00C04FC964FF', '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  ['nchar(5)', 'ab   ', 'ab'],
  ['nvarchar(5)', 'ab   ', 'ab   '],
  ['varbinary(3)', Buffer.from([0, 171]), '0x00AB'],
  ['varbinary(3)', Buffer.alloc(0), '0x'],
  ['sql_variant', 'decimal:12.5000', 'decimal:12.5'],
  ['sql_variant', 'decimal:100', 'decimal:100'],
  ['sql_variant', 'decimal:10.00', 'decimal:10'],
  ['sql_variant', 'float:1.0000000000000000e-001', 'float:0.1'],
  ['int', null, null],
])('what the driver gives for a %s has one text', (type, given, text) => {
  expect(textReader(column(type))(given)).toBe(text);
});

test.each([
  ['geometry', 'string', /column c is of type geometry, which no property of a realm can hold/],
  ['geography', 'mixed', /geography/],
  ['bigint', 'date', /cannot hold a property of type date/],
  ['uniqueidentifier', 'string[]', /list of string/],
  ['sql_variant', 'int', /int/],
])('a %s is no %s', (type, property, message) => {
  const property_ = propertyOf(property);
  const make = (): unknown =>
    property_.collection === 'single'
      ? codecFor(column(type), property_)
      : stateCodecFor(column(type), property_, DEFINITIONS);
  expect(make).toThrow(MappingError);
  expect(make).toThrow(message);
});

test('every property type has a column that holds it, and a value for rows that are there already', () => {
  const types: readonly ValueType[] = [
    'int',
    'bool',
    'string',
    'float',
    'double',
    'decimal128',
    'date',
    'data',
    'objectId',
    'uuid',
  ];
  for (const type of types) {
    const made = columnTypeFor({ type, nullable: false, collection: 'single' });
    expect(() => codec(made, type)).not.toThrow();
    expect(zeroLiteral(made)).toBeDefined();
  }
});

test.each([
  ['decimal(10,2)', 'decimal128'],
  ['numeric(10,2)', 'decimal128'],
  ['money', 'decimal128'],
  ['bit', 'bool'],
  ['float', 'double'],
  ['real', 'float'],
  ['datetimeoffset(7)', 'date'],
  ['time(7)', 'string'],
  ['uniqueidentifier', 'uuid'],
  ['timestamp', 'data'],
  ['sql_variant', 'mixed'],
  ['nvarchar(max)', 'string'],
])('a %s is a %s by default', (type, property) => {
  expect(naturalDefinition(column(type))).toEqual(propertyOf(property));
});

test('conversions see decimals with all their digits, as the reference shows it', () => {
  const money = codecOfReference('decimal(5,2)');
  expect(money.toRealm('123.40')).toEqual(string('123.40'));
  expect(money.toSql(string('123.40'))).toBe('123.40');
  const exact = codecOfReference('decimal(34,4)');
  expect(exact.toRealm('123456789012345678901234567890.1234')).toEqual(
    string('123456789012345678901234567890.1234'),
  );
  expect(() => money.toSql(string('1234.5'))).toThrow(/holds 3 digits before the point/);
});

/** `toString` on the way to the realm and `parseFloat` on the way back. */
function codecOfReference(type: string) {
  const change = { ...column(type), name: 'Change' };
  return convertedCodec(
    'Money',
    'Change',
    propertyOf('string'),
    { table: { schema: 'dbo', name: 'Money' }, columns: [change], primaryKey: [], foreignKeys: [] },
    change,
    {
      definitions: DEFINITIONS,
      catalog: new Map(),
      schema: 'dbo',
      options: {
        valueToRealm: (_table: string, _column: string, value: unknown) => String(value),
        optionNames: {
          valueToRealm: 'convertSQLServerValueToRealm',
          valueToSql: 'convertRealmValueToSQLServer',
        },
        valueToSql: (_class: string, _property: string, value: unknown) => Number.parseFloat(String(value)),
      },
      dialect: { codec: codecFor, stateCodec: stateCodecFor, naturalDefinition },
    } as unknown as MappingContext,
  );
}
