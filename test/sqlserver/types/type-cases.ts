/** Every type of SQL Server with generated values, and what a model may make of it. */
import fc from 'fast-check';
import * as texts from './generated-texts.ts';

/** `all` values have a place in such a property, or only `some`; the others are refused by a data error. */
type Reach = 'all' | 'some';
export type Alternative = { readonly property: string; readonly reach: Reach };

export type GeneratedCase = {
  readonly name: string;
  /** As written in DDL. */
  readonly type: string;
  readonly inputs: texts.Texts;
  /** Makes a value of the type of an input, `$` in SQL. */
  readonly value: string;
  readonly alternatives: readonly Alternative[];
  /** Makes comparable what has no equality. */
  readonly compared: string;
};

function of(
  name: string,
  type: string,
  inputs: texts.Texts,
  all: string,
  some = '',
  rest: { readonly value?: string; readonly compared?: string } = {},
): GeneratedCase {
  const listed = (text: string, reach: Reach): Alternative[] =>
    text.split(' ').flatMap((property) => (property === '' ? [] : [{ property, reach }]));
  return {
    name: `of_${name}`,
    type,
    inputs,
    value: rest.value ?? `CONVERT(${type}, $)`,
    alternatives: [...listed(all, 'all'), ...listed(some, 'some')],
    compared: rest.compared ?? '$',
  };
}

/** Trailing blanks and letters of another case count. */
const EXACTLY = { value: '$', compared: 'CONVERT(varbinary(max), CONVERT(nvarchar(max), $))' };
const HEXADECIMAL = { value: 'CONVERT(varbinary(max), $, 1)' };

export const NUMBERS: readonly GeneratedCase[] = [
  of('bit', 'bit', texts.bool, 'bool int string mixed'),
  of('tinyint', 'tinyint', texts.whole(0n, 255n), 'int string decimal128 double float mixed', 'bool'),
  of('smallint', 'smallint', texts.signed(16), 'int string decimal128 double float mixed', 'bool'),
  of('int', 'int', texts.signed(32), 'int string decimal128 double mixed Dog', 'bool float'),
  of('bigint', 'bigint', texts.signed(64), 'int string decimal128 mixed Dog', 'bool double float'),
  of('decimal_38_10', 'decimal(38,10)', texts.decimal(28, 10), 'string', 'decimal128 mixed'),
  of('decimal_34_10', 'decimal(34,10)', texts.decimal(24, 10), 'decimal128 string mixed'),
  of('decimal_38_38', 'decimal(38,38)', texts.decimal(0, 38), 'string'),
  of('decimal_10_2', 'decimal(10,2)', texts.decimal(8, 2), 'decimal128 string double mixed', 'int float'),
  of('numeric_38_0', 'numeric(38,0)', texts.decimal(38, 0), 'string', 'decimal128 int double'),
  of('money', 'money', texts.money, 'decimal128 string mixed', 'double'),
  of('smallmoney', 'smallmoney', texts.smallmoney, 'decimal128 string double mixed'),
  of('float', 'float', texts.double, 'double string mixed', 'decimal128 float int'),
  of('float_24', 'float(24)', texts.float, 'float double string decimal128', 'int'),
  of('real', 'real', texts.float, 'float double string decimal128 mixed', 'int'),
];

export const TEXTS: readonly GeneratedCase[] = [
  of('nvarchar_max', 'nvarchar(max)', texts.text, 'string', '', EXACTLY),
  of('nvarchar_20', 'nvarchar(20)', texts.ascii(20), 'string mixed', '', EXACTLY),
  of('nvarchar_4000', 'nvarchar(4000)', texts.text, 'string mixed', '', EXACTLY),
  of('nchar_10', 'nchar(10)', texts.ascii(10), 'string mixed', '', EXACTLY),
  of('ntext', 'ntext', texts.text, 'string', '', EXACTLY),
  of('varchar_40', 'varchar(40)', texts.latin1, 'string mixed', '', EXACTLY),
  of('varchar_max', 'varchar(max)', texts.latin1, 'string', '', EXACTLY),
  of('char_12', 'char(12)', texts.latin1, 'string mixed', '', EXACTLY),
  of('text', 'text', texts.latin1, 'string', '', EXACTLY),
  of(
    'greek',
    'varchar(10) COLLATE Greek_CI_AS',
    fc.string({ unit: fc.constantFrom(...'Ωαβγ0 '), maxLength: 10 }),
    'string mixed',
    '',
    EXACTLY,
  ),
  of('utf8', 'varchar(400) COLLATE Latin1_General_100_CI_AS_SC_UTF8', texts.text, 'string', '', EXACTLY),
  of('digits', 'varchar(40)', texts.signed(64), 'int string decimal128', 'double'),
  of('ids', 'char(36)', texts.uuid, 'uuid string Tag'),
  of('uniqueidentifier', 'uniqueidentifier', texts.uuid, 'uuid string mixed Tag'),
  of('varbinary_max', 'varbinary(max)', texts.bytes(0, 40), 'data string mixed', '', HEXADECIMAL),
  of('varbinary_12', 'varbinary(12)', texts.bytes(12, 12), 'data string objectId', '', HEXADECIMAL),
  of('binary_5', 'binary(5)', texts.bytes(0, 5), 'data string mixed', '', HEXADECIMAL),
  of('image', 'image', texts.bytes(0, 40), 'data string', '', {
    ...HEXADECIMAL,
    compared: 'CONVERT(varbinary(max), $)',
  }),
  of(
    'xml',
    'xml',
    texts.label.map((word) => `<${word} a="1">x &amp; y <b/> </${word}>`),
    'string mixed',
    '',
    { value: 'CONVERT(xml, $, 1)', compared: 'CONVERT(nvarchar(max), $)' },
  ),
  of('hierarchyid', 'hierarchyid', texts.path, 'string mixed'),
];

const ODBC = (type: string): { readonly value: string } => ({ value: `CONVERT(${type}, $, 121)` });

export const DATES: readonly GeneratedCase[] = [
  of('date', 'date', texts.day(1, 9999), 'date string mixed'),
  of('time', 'time', texts.time(7), 'string mixed'),
  of('time_3', 'time(3)', texts.time(3), 'string'),
  of('time_0', 'time(0)', texts.time(0), 'string'),
  of(
    'smalldatetime',
    'smalldatetime',
    texts.instant(0, 1900, 2078),
    'date string mixed',
    '',
    ODBC('smalldatetime'),
  ),
  of('datetime', 'datetime', texts.instant(3, 1753, 9998), 'date string mixed', '', ODBC('datetime')),
  of('datetime2', 'datetime2', texts.instant(7), 'date string mixed'),
  of('datetime2_3', 'datetime2(3)', texts.instant(3), 'date string'),
  of('datetime2_0', 'datetime2(0)', texts.instant(0), 'date string'),
  of('datetimeoffset', 'datetimeoffset', texts.offsetInstant(7), 'date string mixed'),
  of('datetimeoffset_2', 'datetimeoffset(2)', texts.offsetInstant(2), 'date string'),
];

/** `$` is the value after its kind. */
const variant = (type: string): { readonly value: string; readonly compared: string } => ({
  value: `CONVERT(sql_variant, CONVERT(${type}, $))`,
  compared: 'CONVERT(nvarchar(4000), $)',
});

export const VARIANTS: readonly GeneratedCase[] = [
  of('variant_bit', 'sql_variant', texts.bool, 'mixed string', '', variant('bit')),
  of('variant_int', 'sql_variant', texts.signed(32), 'mixed string', '', variant('int')),
  of('variant_bigint', 'sql_variant', texts.signed(64), 'mixed string', '', variant('bigint')),
  of('variant_decimal', 'sql_variant', texts.decimal(10, 4), 'mixed string', '', {
    ...variant('decimal(20,4)'),
    compared: 'CONVERT(decimal(38,4), $)',
  }),
  of('variant_money', 'sql_variant', texts.smallmoney, 'mixed string', '', {
    ...variant('money'),
    compared: 'CONVERT(decimal(38,4), $)',
  }),
  of('variant_float', 'sql_variant', texts.double, 'mixed string', '', {
    ...variant('float'),
    compared: 'CONVERT(float, $)',
  }),
  of('variant_real', 'sql_variant', texts.float, 'mixed string', '', {
    ...variant('real'),
    compared: 'CONVERT(real, $)',
  }),
  of('variant_text', 'sql_variant', texts.ascii(40), 'mixed string', '', variant('nvarchar(40)')),
  of('variant_uuid', 'sql_variant', texts.uuid, 'mixed string', '', variant('uniqueidentifier')),
  of('variant_date', 'sql_variant', texts.instant(7), 'mixed string', '', {
    ...variant('datetime2(7)'),
    compared: 'CONVERT(datetime2(7), $)',
  }),
  of('variant_offset', 'sql_variant', texts.offsetInstant(7), 'mixed string', '', {
    ...variant('datetimeoffset(7)'),
    compared: 'CONVERT(datetimeoffset(7), $)',
  }),
  of('variant_data', 'sql_variant', texts.bytes(0, 20), 'mixed string', '', {
    value: 'CONVERT(sql_variant, CONVERT(varbinary(20), $, 1))',
    compared: 'CONVERT(varbinary(20), $)',
  }),
];

export const DOCUMENTS: readonly GeneratedCase[] = [
  of('json', 'nvarchar(max)', texts.json, 'string', 'mixed mixed[] mixed{} string[] bool<>', EXACTLY),
  of(
    'latin_json',
    'varchar(max)',
    texts.json.filter((text) => /^[\x20-\x7e]*$/.test(text)),
    'string',
    'mixed mixed[] mixed{}',
    EXACTLY,
  ),
  of(
    'int_list',
    'nvarchar(4000)',
    fc
      .array(fc.option(texts.signed(64)))
      .map((items) => `[${items.map((item) => item ?? 'null').join(', ')}]`),
    'string int[] decimal128[]',
    'int[]! Dog[] int<>',
    EXACTLY,
  ),
];
