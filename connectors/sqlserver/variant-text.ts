/**
 * `sql_variant` as text: the kind of the value, a colon, and the value. The kinds are those that a realm tells apart, so
 * that the same number has one text whichever of the integer types holds it; a value that is written gets the widest type
 * of its kind.
 *
 * | kind | base types | written as |
 * |---|---|---|
 * | `bit` | bit | bit |
 * | `int` | tinyint, smallint, int, bigint | bigint |
 * | `real`, `float` | real / float | real / float |
 * | `decimal` | decimal, numeric, money, smallmoney | decimal(38, as many decimals as the text has) |
 * | `date` | date, smalldatetime, datetime, datetime2 | datetime2(7) |
 * | `datetimeoffset`, `time` | datetimeoffset / time | datetimeoffset(7) / time(7) |
 * | `uuid` | uniqueidentifier | uniqueidentifier |
 * | `data` | binary, varbinary | varbinary(8000) |
 * | `string` | char, varchar, nchar, nvarchar | nvarchar(4000) |
 */
import { doubleFromText, doubleToText, floatFromText } from '../../src/connector/codec/float-text.ts';
import { realText } from './real-text.ts';
import { MAX_PRECISION } from './sql-type.ts';

/** How values of these base types are read; whatever is not among them has no text. */
const KINDS: readonly { readonly kind: string; readonly types: readonly string[]; readonly read: string }[] =
  [
    { kind: 'bit', types: ['bit'], read: 'CONVERT(nvarchar(64), $)' },
    { kind: 'int', types: ['tinyint', 'smallint', 'int', 'bigint'], read: 'CONVERT(nvarchar(64), $)' },
    { kind: 'real', types: ['real'], read: 'CONVERT(nvarchar(64), CONVERT(real, $), 3)' },
    { kind: 'float', types: ['float'], read: 'CONVERT(nvarchar(64), CONVERT(float(53), $), 3)' },
    { kind: 'decimal', types: ['decimal', 'numeric'], read: 'CONVERT(nvarchar(64), $)' },
    {
      kind: 'decimal',
      types: ['money', 'smallmoney'],
      read: 'CONVERT(nvarchar(64), CONVERT(money, $), 2)',
    },
    {
      kind: 'date',
      types: ['date', 'smalldatetime', 'datetime', 'datetime2'],
      read: 'CONVERT(nvarchar(64), CONVERT(datetime2(7), $), 121)',
    },
    {
      kind: 'datetimeoffset',
      types: ['datetimeoffset'],
      read: 'CONVERT(nvarchar(64), CONVERT(datetimeoffset(7), $), 121)',
    },
    { kind: 'time', types: ['time'], read: 'CONVERT(nvarchar(64), CONVERT(time(7), $), 121)' },
    {
      kind: 'uuid',
      types: ['uniqueidentifier'],
      read: 'LOWER(CONVERT(nvarchar(64), CONVERT(uniqueidentifier, $)))',
    },
    {
      kind: 'data',
      types: ['binary', 'varbinary'],
      read: 'CONVERT(nvarchar(max), CONVERT(varbinary(8000), $), 1)',
    },
    { kind: 'string', types: ['char', 'varchar', 'nchar', 'nvarchar'], read: 'CONVERT(nvarchar(max), $)' },
  ];

/** The text of an expression of type `sql_variant`. */
export function readVariant(value: string): string {
  const cases = KINDS.flatMap(({ kind, types, read }) =>
    types.map((type) => `WHEN N'${type}' THEN N'${kind}:' + ${read.replace('$', value)}`),
  );
  return `CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(${value}, 'BaseType')) ${cases.join(' ')} END`;
}

const WRITTEN: Readonly<Record<string, string>> = {
  bit: 'CONVERT(bit, $)',
  int: 'CONVERT(bigint, $)',
  real: 'CONVERT(real, $)',
  float: 'CONVERT(float(53), $)',
  date: 'CONVERT(datetime2(7), $, 121)',
  datetimeoffset: 'CONVERT(datetimeoffset(7), $)',
  time: 'CONVERT(time(7), $)',
  uuid: 'CONVERT(uniqueidentifier, $)',
  data: 'CONVERT(varbinary(8000), $, 1)',
  string: 'CONVERT(nvarchar(4000), $)',
};

/** The `sql_variant` that SQL with such a text means. */
export function writeVariant(textSql: string): string {
  const rest = `STUFF(${textSql}, 1, CHARINDEX(N':', ${textSql}), N'')`;
  const cases = Object.entries(WRITTEN).map(
    ([kind, written]) => `WHEN N'${kind}' THEN CONVERT(sql_variant, ${written.replace('$', rest)})`,
  );
  const kind = `LEFT(${textSql}, CHARINDEX(N':', ${textSql}) - 1)`;
  return `CASE ${kind} ${cases.join(' ')} WHEN N'decimal' THEN ${writeDecimal(rest)} END`;
}

/** A type cannot come from the data, so there is a branch for each number of decimals. */
function writeDecimal(text: string): string {
  const cases: string[] = [];
  for (let scale = 0; scale <= MAX_PRECISION; scale += 1) {
    const place = scale === 0 ? 0 : scale + 1;
    cases.push(
      `WHEN ${place} THEN CONVERT(sql_variant, CONVERT(decimal(${MAX_PRECISION},${scale}), ${text}))`,
    );
  }
  return `CASE CHARINDEX(N'.', REVERSE(${text})) ${cases.join(' ')} END`;
}

/** Kind and value of a text; undefined for what is no such text. */
export function splitVariant(text: string): { readonly kind: string; readonly value: string } | undefined {
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { kind: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** The one text of a value, from that which the server made. */
export function canonicalVariant(text: string): string {
  const { kind, value } = splitVariant(text) ?? { kind: '', value: text };
  switch (kind) {
    case 'real':
      return `real:${realText(floatFromText(value))}`;
    case 'float':
      return `float:${doubleToText(doubleFromText(value))}`;
    case 'decimal': // its scale is that of its type, of which no realm knows
      return value.includes('.') ? `decimal:${value.replace(/\.?0+$/, '')}` : text;
    default:
      return text;
  }
}
