/** Kinds of types by what they have in common. */
import type { SqlKind, SqlType } from '../../contract.ts';

const INTEGERS: ReadonlySet<SqlKind> = new Set<SqlKind>(['tinyint', 'smallint', 'int', 'bigint']);
const MONEYS: ReadonlySet<SqlKind> = new Set<SqlKind>(['money', 'smallmoney']);
const DATES: ReadonlySet<SqlKind> = new Set<SqlKind>([
  'date',
  'time',
  'datetime',
  'smalldatetime',
  'datetime2',
  'datetimeoffset',
]);

export type CharacterType = Extract<SqlType, { readonly length: number | 'max' }> & {
  readonly kind: 'char' | 'varchar' | 'nchar' | 'nvarchar';
};
export type BinaryType = Extract<SqlType, { readonly length: number | 'max' }> & {
  readonly kind: 'binary' | 'varbinary';
};

export function isInteger(type: SqlType): boolean {
  return INTEGERS.has(type.kind);
}

export function isMoney(type: SqlType): boolean {
  return MONEYS.has(type.kind);
}

export function isApproximate(type: SqlType): boolean {
  return type.kind === 'float' || type.kind === 'real';
}

/** Numbers of all kinds, bit among them. */
export function isNumeric(type: SqlType): boolean {
  return (
    type.kind === 'bit' || type.kind === 'decimal' || isInteger(type) || isMoney(type) || isApproximate(type)
  );
}

export function isDateOrTime(type: SqlType): boolean {
  return DATES.has(type.kind);
}

/** datetime and smalldatetime, which mix with numbers; the newer types do not. */
export function isOldDateTime(type: SqlType): boolean {
  return type.kind === 'datetime' || type.kind === 'smalldatetime';
}

export function isCharacter(type: SqlType): type is CharacterType {
  return type.kind === 'char' || type.kind === 'varchar' || type.kind === 'nchar' || type.kind === 'nvarchar';
}

export function isBinary(type: SqlType): type is BinaryType {
  return type.kind === 'binary' || type.kind === 'varbinary';
}

/** text, ntext and image. */
export function isLargeObject(type: SqlType): boolean {
  return type.kind === 'text' || type.kind === 'ntext' || type.kind === 'image';
}

/** Everything whose values are strings with a collation. */
export function isText(type: SqlType): boolean {
  return isCharacter(type) || type.kind === 'text' || type.kind === 'ntext';
}

/** Text in UTF-16, not in a code page. */
export function isUnicode(type: SqlType): boolean {
  return type.kind === 'nchar' || type.kind === 'nvarchar' || type.kind === 'ntext' || type.kind === 'xml';
}
