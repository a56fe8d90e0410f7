/** Types as the catalog has them: ids, lengths in bytes, precision and scale. */
import type { SqlKind, SqlType } from '../../contract.ts';

type Facts = {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly precision: number;
  readonly scale: number;
};

const facts: Readonly<Record<SqlKind, Facts>> = {
  image: { id: 34, name: 'image', bytes: 16, precision: 0, scale: 0 },
  text: { id: 35, name: 'text', bytes: 16, precision: 0, scale: 0 },
  uniqueidentifier: { id: 36, name: 'uniqueidentifier', bytes: 16, precision: 0, scale: 0 },
  date: { id: 40, name: 'date', bytes: 3, precision: 10, scale: 0 },
  time: { id: 41, name: 'time', bytes: 5, precision: 16, scale: 7 },
  datetime2: { id: 42, name: 'datetime2', bytes: 8, precision: 27, scale: 7 },
  datetimeoffset: { id: 43, name: 'datetimeoffset', bytes: 10, precision: 34, scale: 7 },
  tinyint: { id: 48, name: 'tinyint', bytes: 1, precision: 3, scale: 0 },
  smallint: { id: 52, name: 'smallint', bytes: 2, precision: 5, scale: 0 },
  int: { id: 56, name: 'int', bytes: 4, precision: 10, scale: 0 },
  smalldatetime: { id: 58, name: 'smalldatetime', bytes: 4, precision: 16, scale: 0 },
  real: { id: 59, name: 'real', bytes: 4, precision: 24, scale: 0 },
  money: { id: 60, name: 'money', bytes: 8, precision: 19, scale: 4 },
  datetime: { id: 61, name: 'datetime', bytes: 8, precision: 23, scale: 3 },
  float: { id: 62, name: 'float', bytes: 8, precision: 53, scale: 0 },
  sql_variant: { id: 98, name: 'sql_variant', bytes: 8016, precision: 0, scale: 0 },
  ntext: { id: 99, name: 'ntext', bytes: 16, precision: 0, scale: 0 },
  bit: { id: 104, name: 'bit', bytes: 1, precision: 1, scale: 0 },
  decimal: { id: 106, name: 'decimal', bytes: 17, precision: 38, scale: 38 },
  smallmoney: { id: 122, name: 'smallmoney', bytes: 4, precision: 10, scale: 4 },
  bigint: { id: 127, name: 'bigint', bytes: 8, precision: 19, scale: 0 },
  varbinary: { id: 165, name: 'varbinary', bytes: 8000, precision: 0, scale: 0 },
  varchar: { id: 167, name: 'varchar', bytes: 8000, precision: 0, scale: 0 },
  binary: { id: 173, name: 'binary', bytes: 8000, precision: 0, scale: 0 },
  char: { id: 175, name: 'char', bytes: 8000, precision: 0, scale: 0 },
  rowversion: { id: 189, name: 'timestamp', bytes: 8, precision: 0, scale: 0 },
  nvarchar: { id: 231, name: 'nvarchar', bytes: 8000, precision: 0, scale: 0 },
  nchar: { id: 239, name: 'nchar', bytes: 8000, precision: 0, scale: 0 },
  xml: { id: 241, name: 'xml', bytes: -1, precision: 0, scale: 0 },
  hierarchyid: { id: 240, name: 'hierarchyid', bytes: 892, precision: 0, scale: 0 },
};

/** Rows of sys.types: also the names that share a type. */
export const systemTypes: readonly (Facts & { readonly systemId: number; readonly userId: number })[] = [
  ...Object.values(facts).map((one) => ({
    ...one,
    systemId: one.id,
    userId: one.name === 'hierarchyid' ? 128 : one.id,
  })),
  { id: 108, name: 'numeric', bytes: 17, precision: 38, scale: 38, systemId: 108, userId: 108 },
  { id: 231, name: 'sysname', bytes: 256, precision: 0, scale: 0, systemId: 231, userId: 256 },
  { id: 240, name: 'geometry', bytes: -1, precision: 0, scale: 0, systemId: 240, userId: 129 },
  { id: 240, name: 'geography', bytes: -1, precision: 0, scale: 0, systemId: 240, userId: 130 },
];

export function systemTypeId(type: SqlType): number {
  return facts[type.kind].id;
}

export function userTypeId(type: SqlType): number {
  return type.kind === 'hierarchyid' ? 128 : facts[type.kind].id;
}

export function systemTypeName(type: SqlType): string {
  return facts[type.kind].name;
}

export function typeNameOf(id: number): string | undefined {
  return systemTypes.find((one) => one.userId === id)?.name;
}

export function typeIdOf(name: string): number | undefined {
  return systemTypes.find((one) => one.name === name)?.userId;
}

/** Length in bytes, -1 for max. */
export function maxLength(type: SqlType): number {
  if ('length' in type) {
    if (type.length === 'max') return -1;
    return type.kind === 'nchar' || type.kind === 'nvarchar' ? type.length * 2 : type.length;
  }
  if (type.kind === 'decimal')
    return type.precision <= 9 ? 5 : type.precision <= 19 ? 9 : type.precision <= 28 ? 13 : 17;
  if ('scale' in type) {
    const time = type.scale <= 2 ? 3 : type.scale <= 4 ? 4 : 5;
    return { time, datetime2: time + 3, datetimeoffset: time + 5 }[type.kind];
  }
  return facts[type.kind].bytes;
}

export function precisionOf(type: SqlType): number {
  if (type.kind === 'decimal') return type.precision;
  if (type.kind === 'time') return type.scale === 0 ? 8 : 9 + type.scale;
  if (type.kind === 'datetime2') return type.scale === 0 ? 19 : 20 + type.scale;
  if (type.kind === 'datetimeoffset') return type.scale === 0 ? 26 : 27 + type.scale;
  return facts[type.kind].precision;
}

export function scaleOf(type: SqlType): number {
  return 'scale' in type ? type.scale : facts[type.kind].scale;
}
