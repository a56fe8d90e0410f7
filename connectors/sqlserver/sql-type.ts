/**
 * What a column of SQL Server is made of, told from {@link ColumnInfo}: `type` is the system type at the bottom (of alias
 * types, too) with length, precision and scale as declared, `nvarchar(50)`, `varchar(max)`, `decimal(10,2)`,
 * `datetime2(3)`, and `baseType` its bare name. For characters the catalog also gives
 * `storage.structure` of kind `characters` with the column's collation and its code page
 * (`COLLATIONPROPERTY(collation_name, 'CodePage')`).
 */
import type { ColumnInfo } from '../../src/connector/dialect.ts';

/** Names under which one type is known, and the one that the codecs use. */
const SAME_TYPES: Readonly<Record<string, string>> = {
  numeric: 'decimal',
  dec: 'decimal',
  integer: 'int',
  timestamp: 'rowversion',
  sysname: 'nvarchar',
  'double precision': 'float',
  'character varying': 'varchar',
  character: 'char',
};

/** Digits of the longest decimal. */
export const MAX_PRECISION = 38;

/** What a declaration without numbers means. */
const DEFAULT_DECIMAL = { precision: 18, scale: 0 } as const;
const DEFAULT_FRACTION = 7;
/** Bits of the mantissa up to which a `float(n)` is a `real`. */
const REAL_BITS = 24;
const ALIAS_LENGTHS: Readonly<Record<string, number>> = { sysname: 128 };

export type SqlType = {
  /** In lower case, one name for each type: `decimal`, `rowversion`, `real` for `float(24)`. */
  readonly name: string;
  /** Of characters and binaries, as declared; undefined where the declaration does not say. */
  readonly length: number | 'max' | undefined;
  readonly precision: number;
  /** Of decimals; of times the digits of the second. */
  readonly scale: number;
  readonly collation: string | undefined;
  readonly codePage: number | undefined;
};

const DECLARATION = /^\s*([a-z][a-z0-9_ ]*?)\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?\s*$/i;

const known = new WeakMap<TypedColumn, SqlType>();

export type TypedColumn = Pick<ColumnInfo, 'type' | 'baseType' | 'storage'>;

export function sqlTypeOf(column: TypedColumn): SqlType {
  let type = known.get(column);
  if (type === undefined) {
    type = parsed(column);
    known.set(column, type);
  }
  return type;
}

function parsed({ type, baseType, storage }: TypedColumn): SqlType {
  const [, declared = '', first, second] = DECLARATION.exec(type) ?? [];
  const bare = baseType.toLowerCase();
  // The numbers count only when they are those of the type that the column is treated as.
  const numbers = commonName(declared.toLowerCase()) === commonName(bare) ? [first, second] : [];
  const name = commonName(bare);
  const structure = storage?.structure?.kind === 'characters' ? storage.structure : undefined;
  const characters = { collation: structure?.collation, codePage: structure?.codePage };
  const size = numbers[0] === undefined ? undefined : Number(numbers[0]);
  switch (name) {
    case 'decimal':
      return {
        name,
        length: undefined,
        precision: size ?? DEFAULT_DECIMAL.precision,
        scale: Number(numbers[1] ?? DEFAULT_DECIMAL.scale),
        ...characters,
      };
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return { name, length: undefined, precision: 0, scale: size ?? DEFAULT_FRACTION, ...characters };
    case 'float':
      return {
        name: size !== undefined && size <= REAL_BITS ? 'real' : 'float',
        length: undefined,
        precision: 0,
        scale: 0,
        ...characters,
      };
    default: {
      const length = numbers[0]?.toLowerCase() === 'max' ? 'max' : (size ?? ALIAS_LENGTHS[bare]);
      return { name, length, precision: 0, scale: 0, ...characters };
    }
  }
}

function commonName(name: string): string {
  return SAME_TYPES[name] ?? name;
}
