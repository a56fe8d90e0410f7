/** Bytes that values take, as DATALENGTH counts them. */
import type { SqlType, SqlValue } from '../../contract.ts';
import { varcharBytes } from './code-page.ts';

const FIXED: Readonly<Record<string, number>> = {
  bit: 1,
  tinyint: 1,
  smallint: 2,
  int: 4,
  bigint: 8,
  real: 4,
  float: 8,
  money: 8,
  smallmoney: 4,
  date: 3,
  datetime: 8,
  smalldatetime: 4,
  uniqueidentifier: 16,
  rowversion: 8,
};
/** Bytes of a decimal up to these precisions. */
const DECIMAL_SIZES: readonly (readonly [number, number])[] = [
  [9, 5],
  [19, 9],
  [28, 13],
  [38, 17],
];

export function storedBytes(value: SqlValue, type: SqlType, collation: string): number {
  if (value instanceof Uint8Array) return value.length;
  switch (type.kind) {
    case 'char':
    case 'varchar':
    case 'text':
      return varcharBytes(value as string, collation);
    case 'nchar':
    case 'nvarchar':
    case 'ntext':
    case 'xml':
      return (value as string).length * 2;
    case 'decimal':
      return DECIMAL_SIZES.find(([precision]) => type.precision <= precision)![1];
    case 'time':
      return timeBytes(type.scale);
    case 'datetime2':
      return timeBytes(type.scale) + 3;
    case 'datetimeoffset':
      return timeBytes(type.scale) + 5;
    case 'sql_variant':
      return typeof value === 'object' && 'type' in value
        ? storedBytes(value.value, value.type, collation)
        : 0;
    default:
      return FIXED[type.kind] ?? 0;
  }
}

function timeBytes(scale: number): number {
  return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}
