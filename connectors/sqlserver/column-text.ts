/**
 * How a column is read as text and how a text becomes a value of a column. Every value has exactly one text, the same
 * whether the database shows it or a codec writes it. The driver would make numbers and dates of JavaScript of decimals,
 * money and times, which lose digits (spec/sql-server.md §1.3), so the server itself makes the texts; only binaries travel
 * as bytes, which are half as long.
 *
 * | type | text |
 * |---|---|
 * | `bit` | `1`, `0` |
 * | integers | plain digits |
 * | `decimal(p,s)`, `money`, `smallmoney` | plain digits with exactly s (4) decimals |
 * | `float`, `real` | the shortest digits that tell it from its neighbours |
 * | characters | as they are; of `char(n)` and `nchar(n)` without the padding |
 * | binaries, `rowversion` | `0x` and hexadecimal digits in upper case |
 * | `date`, `time(n)`, `datetime2(n)` | `2024-02-29 12:00:00.1234567`, with exactly n digits after the second |
 * | `datetime`, `smalldatetime` | `2024-02-29 12:00:00.003`, `2024-02-29 12:00:00` |
 * | `datetimeoffset(n)` | `2024-02-29 12:00:00.1234567 +02:00` |
 * | `uniqueidentifier` | small letters |
 * | `xml`, `json`, `hierarchyid` | as the server shows them |
 * | `sql_variant` | the kind of value, a colon, and its text: `int:5` ({@link ./variant-text.ts}) |
 *
 * A codec may also write a `datetimeoffset` that ends in ` Z`: an instant that says nothing of an offset, see
 * {@link assignmentExpression}.
 */
import { doubleFromText, doubleToText, floatFromText } from '../../src/connector/codec/float-text.ts';
import type { ColumnInfo, SqlText } from '../../src/connector/dialect.ts';
import { MappingError } from '../../src/connector/errors.ts';
import { realText } from './real-text.ts';
import { quoteIdentifier } from './sql-text.ts';
import { type SqlType, sqlTypeOf } from './sql-type.ts';
import { canonicalVariant, readVariant, writeVariant } from './variant-text.ts';

/** Longer than any text of a number or a time. */
const SHORT = 'varchar(64)';
/**
 * The longest that are not `max`: joins and index seeks want such, and a conversion to the column's own length would cut
 * silently what the assignment refuses.
 */
const LONGEST_BYTES = 8000;
const LONGEST_CHARACTERS = 4000;

/** The value of a column as the driver is to be given it; `alias` is that of its table in the statement. */
export function readExpression(column: ColumnInfo, alias: string): string {
  const value = `${alias}.${quoteIdentifier(column.name)}`;
  const type = sqlTypeOf(column);
  switch (type.name) {
    case 'bit':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
      return `CONVERT(${SHORT}, ${value})`;
    case 'money':
    case 'smallmoney':
      return `CONVERT(${SHORT}, ${value}, 2)`; // all four decimals, no commas
    case 'float':
    case 'real':
      return `CONVERT(${SHORT}, ${value}, 3)`; // 17 digits: no two numbers have the same
    case 'date':
    case 'time':
    case 'smalldatetime':
    case 'datetime':
    case 'datetime2':
    case 'datetimeoffset':
      return `CONVERT(${SHORT}, ${value}, ${timeStyle(type)})`;
    case 'uniqueidentifier':
      return `CONVERT(char(36), ${value})`;
    case 'char':
    case 'varchar':
      // The driver would have to know the code page.
      return type.length === 'max' || type.length === undefined || type.length > LONGEST_CHARACTERS
        ? `CONVERT(nvarchar(max), ${value})`
        : `CONVERT(nvarchar(${LONGEST_CHARACTERS}), ${value})`;
    case 'nchar':
    case 'nvarchar':
    case 'binary':
    case 'varbinary':
    case 'rowversion':
      return value;
    case 'text':
    case 'ntext':
    case 'xml':
    case 'json':
      return `CONVERT(nvarchar(max), ${value})`;
    case 'image':
      return `CONVERT(varbinary(max), ${value})`;
    case 'hierarchyid':
      return `CONVERT(nvarchar(${LONGEST_CHARACTERS}), ${value})`;
    case 'sql_variant':
      return readVariant(value);
    default:
      throw unsupported(column);
  }
}

/**
 * A value of the column's type from SQL that yields its text (an `nvarchar(max)` column of `OPENJSON`, a parameter), for
 * assignments and for comparisons with the column. NULL stays NULL. What does not fit fails when it is assigned, never
 * before: nothing is cut or rounded that a codec wrote.
 */
export function writeExpression(column: ColumnInfo, textSql: string): string {
  const type = sqlTypeOf(column);
  switch (type.name) {
    case 'bit':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'money':
    case 'smallmoney':
    case 'uniqueidentifier':
    case 'json':
      return `CONVERT(${type.name}, ${textSql})`;
    case 'decimal':
      return `CONVERT(decimal(${type.precision},${type.scale}), ${textSql})`;
    case 'float':
      return `CONVERT(float(53), ${textSql})`;
    case 'real':
      return `CONVERT(real, ${textSql})`;
    case 'date':
    case 'smalldatetime':
    case 'datetime':
      return `CONVERT(${type.name}, ${textSql}, ${timeStyle(type)})`;
    case 'datetime2':
      return `CONVERT(datetime2(${type.scale}), ${textSql}, ${timeStyle(type)})`;
    case 'time':
    case 'datetimeoffset':
      return `CONVERT(${type.name}(${type.scale}), ${textSql})`;
    case 'char':
    case 'varchar':
      return isMax(type)
        ? `CONVERT(varchar(max), ${inCollation(textSql, type)})`
        : `CONVERT(varchar(${LONGEST_BYTES}), ${inCollation(textSql, type)})`;
    case 'text':
      return `CONVERT(varchar(max), ${inCollation(textSql, type)})`;
    case 'nchar':
    case 'nvarchar':
      return isMax(type) ? textSql : `CONVERT(nvarchar(${LONGEST_CHARACTERS}), ${textSql})`;
    case 'ntext':
      return textSql;
    case 'binary':
    case 'varbinary':
      return isMax(type)
        ? `CONVERT(varbinary(max), ${textSql}, 1)`
        : `CONVERT(varbinary(${LONGEST_BYTES}), ${textSql}, 1)`;
    case 'image':
      return `CONVERT(varbinary(max), ${textSql}, 1)`;
    case 'rowversion':
      return `CONVERT(binary(8), ${textSql}, 1)`; // in comparisons only: nobody writes one
    case 'xml':
      return `CONVERT(xml, ${textSql}, 1)`; // with the blanks between elements
    case 'hierarchyid':
      return `CONVERT(hierarchyid, CONVERT(nvarchar(${LONGEST_CHARACTERS}), ${textSql}))`;
    case 'sql_variant':
      return writeVariant(textSql);
    default:
      throw unsupported(column);
  }
}

/**
 * What an UPDATE assigns to a column of the row `target` (an alias): {@link writeExpression}, except that a
 * `datetimeoffset` keeps the offset it has when it is given the instant that it already shows, by a property that knows
 * no offsets.
 */
export function assignmentExpression(column: ColumnInfo, target: string, textSql: string): string {
  const written = writeExpression(column, textSql);
  if (sqlTypeOf(column).name !== 'datetimeoffset') return written;
  const present = `${target}.${quoteIdentifier(column.name)}`;
  return `CASE WHEN ${textSql} LIKE N'%Z' AND ${present} = ${written} THEN ${present} ELSE ${written} END`;
}

/** Whether columns of the type have texts at all: those of geometry and geography, say, have none. */
export function isKnown({ name }: SqlType): boolean {
  return KNOWN.has(name);
}

const KNOWN: ReadonlySet<string> = new Set(
  (
    'bit tinyint smallint int bigint decimal money smallmoney float real date time smalldatetime datetime datetime2 ' +
    'datetimeoffset uniqueidentifier char varchar nchar nvarchar text ntext binary varbinary image rowversion xml json ' +
    'hierarchyid sql_variant'
  ).split(' '),
);

export type TextReader = (value: unknown) => SqlText;

/**
 * The canonical text of what the driver returns for {@link readExpression}; made once per column of a result. Throws
 * `TypeError` on values that no such expression yields.
 */
export function textReader(column: ColumnInfo): TextReader {
  const canonical = canonicalForm(sqlTypeOf(column));
  return (value) => {
    if (value === null || value === undefined) return null;
    if (typeof value === 'string') return canonical(value);
    if (Buffer.isBuffer(value)) return `0x${value.toString('hex').toUpperCase()}`;
    throw new TypeError(`the driver gave a ${typeof value} for column ${column.name} of type ${column.type}`);
  };
}

function canonicalForm({ name }: SqlType): (text: string) => string {
  switch (name) {
    case 'float':
      return (text) => doubleToText(doubleFromText(text));
    case 'real':
      return (text) => realText(floatFromText(text));
    case 'char':
    case 'nchar':
      return withoutPadding;
    case 'uniqueidentifier':
      return (text) => text.toLowerCase();
    case 'sql_variant':
      return canonicalVariant;
    default:
      return (text) => text;
  }
}

/** The server pads with blanks, and takes a text with and without them for the same. */
export function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

function timeStyle({ name }: SqlType): number {
  if (name === 'date') return 23;
  return name === 'smalldatetime' ? 120 : 121;
}

/** From the code page of the expression's collation, which is the database's own, characters might be lost. */
function inCollation(textSql: string, { collation }: SqlType): string {
  return collation === undefined ? textSql : `${textSql} COLLATE ${collation}`;
}

function isMax({ length }: SqlType): boolean {
  return length === 'max';
}

/** Throws `MappingError` where a model wants a column that no property can be. */
export function unsupported(column: ColumnInfo): MappingError {
  return new MappingError(
    `the column ${column.name} is of type ${column.type}, which no property of a realm can hold`,
    {
      remedy:
        'leave the property out of the model or name it in realmIgnoreProperties; a computed column such as geo.STAsText() can show the value as text',
    },
  );
}
