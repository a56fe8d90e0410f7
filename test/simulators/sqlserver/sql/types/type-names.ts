/** Types as they are written in statements, messages and the catalog. */
import { SqlFailure, type SqlKind, type SqlType } from '../../contract.ts';
import type { TypeName } from '../ast.ts';
import { notSimulated } from '../failures.ts';

const SYNONYMS: Readonly<Record<string, string>> = {
  integer: 'int',
  dec: 'decimal',
  numeric: 'decimal',
  character: 'char',
  timestamp: 'rowversion',
};
const PLAIN: readonly SqlKind[] = [
  'bit',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'real',
  'money',
  'smallmoney',
  'date',
  'datetime',
  'smalldatetime',
  'uniqueidentifier',
  'xml',
  'sql_variant',
  'hierarchyid',
  'text',
  'ntext',
  'image',
  'rowversion',
];
const MAXIMAL_LENGTHS: Readonly<Record<string, number>> = {
  char: 8000,
  varchar: 8000,
  binary: 8000,
  varbinary: 8000,
  nchar: 4000,
  nvarchar: 4000,
};
/** Characters that CAST and CONVERT assume where no length is written. */
const LENGTH_IN_CAST = 30;
const MAXIMAL_PRECISION = 38;
const MAXIMAL_SCALE = 7;
const SYSNAME_LENGTH = 128;
const FLOAT_DIGITS_OF_REAL = 24;
const FLOAT_DIGITS = 53;

/**
 * The type that `name` means. `use` decides the length where none is written: 1 in columns and variables, 30 in CAST.
 * Throws 2715 for an unknown type, 131, 1001, 2716, 2750, 192 … for wrong parameters.
 */
export function resolveTypeName(name: TypeName, use: 'column' | 'cast'): SqlType {
  const written = name.name.toLowerCase();
  const kind = SYNONYMS[written] ?? written;
  if (name.schema !== undefined && name.schema.toLowerCase() !== 'sys') throw unknownType(name);
  if (kind === 'sysname') return { kind: 'nvarchar', length: SYSNAME_LENGTH };
  if (kind === 'geometry' || kind === 'geography') throw notSimulated(`The type ${kind}`, name.line);
  const plain = PLAIN.find((each) => each === kind);
  if (plain !== undefined) {
    if (name.parameters.length > 0)
      throw failure(
        2716,
        `Column, parameter, or variable #1: Cannot specify a column width on data type ${written}.`,
        name,
      );
    return { kind: plain } as SqlType;
  }
  switch (kind) {
    case 'float':
      return floatType(name);
    case 'decimal':
      return decimalType(name);
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return { kind, scale: scaleOf(name) };
    case 'char':
    case 'varchar':
    case 'nchar':
    case 'nvarchar':
    case 'binary':
    case 'varbinary':
      return { kind, length: lengthOf(name, kind, use) };
    default:
      throw unknownType(name);
  }
}

function failure(number: number, message: string, name: TypeName, severity = 15): SqlFailure {
  return new SqlFailure(number, message, { severity, line: name.line });
}

function unknownType(name: TypeName): SqlFailure {
  const shown = name.schema === undefined ? name.name : `${name.schema}.${name.name}`;
  return failure(2715, `Column, parameter, or variable #1: Cannot find data type ${shown}.`, name, 16);
}

function numbers(name: TypeName): readonly number[] {
  return name.parameters.map((parameter) => {
    if (parameter === 'max') throw failure(102, "Incorrect syntax near 'max'.", name);
    return parameter;
  });
}

function floatType(name: TypeName): SqlType {
  const [digits = FLOAT_DIGITS] = numbers(name);
  if (digits < 1 || digits > FLOAT_DIGITS)
    throw failure(
      2750,
      `Column or parameter #1: Specified column precision ${digits} is greater than the maximum precision of ${FLOAT_DIGITS}.`,
      name,
      16,
    );
  return { kind: digits <= FLOAT_DIGITS_OF_REAL ? 'real' : 'float' };
}

function decimalType(name: TypeName): SqlType {
  const [precision = 18, scale = 0] = numbers(name);
  if (precision < 1 || precision > MAXIMAL_PRECISION)
    throw failure(
      2750,
      `Column or parameter #1: Specified column precision ${precision} is greater than the maximum precision of ${MAXIMAL_PRECISION}.`,
      name,
      16,
    );
  if (scale < 0 || scale > precision)
    throw failure(192, 'The scale must be less than or equal to the precision.', name);
  return { kind: 'decimal', precision, scale };
}

function scaleOf(name: TypeName): number {
  const [scale = MAXIMAL_SCALE] = numbers(name);
  if (scale >= 0 && scale <= MAXIMAL_SCALE) return scale;
  throw failure(1002, `Line ${name.line}: Specified scale ${scale} is invalid.`, name);
}

function lengthOf(name: TypeName, kind: string, use: 'column' | 'cast'): number | 'max' {
  const [length] = name.parameters;
  if (length === undefined) return use === 'cast' ? LENGTH_IN_CAST : 1;
  if (length === 'max') {
    if (kind.includes('var')) return 'max';
    throw failure(102, "Incorrect syntax near 'max'.", name);
  }
  const maximum = MAXIMAL_LENGTHS[kind]!;
  if (length < 1)
    throw failure(1001, `Line ${name.line}: Length or precision specification ${length} is invalid.`, name);
  if (length <= maximum) return length;
  const message =
    use === 'cast' || kind.startsWith('n')
      ? `The size (${length}) given to the type '${kind}' exceeds the maximum allowed for any data type (${maximum}).`
      : `The size (${length}) given to the column '' exceeds the maximum allowed for any data type (${maximum}).`;
  throw failure(131, message, name);
}

/** The name of the type alone, as messages have it: decimal is called numeric there. */
export function messageName(type: SqlType): string {
  if (type.kind === 'decimal') return 'numeric';
  return type.kind === 'rowversion' ? 'timestamp' : type.kind;
}

/** The type with its parameters: `decimal(10,2)`, `nvarchar(max)`. */
export function typeText(type: SqlType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return `${type.kind}(${type.scale})`;
    case 'char':
    case 'varchar':
    case 'nchar':
    case 'nvarchar':
    case 'binary':
    case 'varbinary':
      return `${type.kind}(${type.length})`;
    case 'rowversion':
      return 'timestamp';
    default:
      return type.kind;
  }
}
