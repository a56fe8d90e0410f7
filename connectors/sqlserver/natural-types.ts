/** The scalar types of a realm that hold every value of a type of the database. */
import type { ValueType } from '../../src/schema/value.ts';

const SCALAR_TYPES: Readonly<Record<string, ValueType>> = {
  bit: 'bool',
  tinyint: 'int',
  smallint: 'int',
  int: 'int',
  bigint: 'int',
  decimal: 'decimal128',
  money: 'decimal128',
  smallmoney: 'decimal128',
  float: 'double',
  real: 'float',
  date: 'date',
  smalldatetime: 'date',
  datetime: 'date',
  datetime2: 'date',
  datetimeoffset: 'date',
  binary: 'data',
  varbinary: 'data',
  image: 'data',
  rowversion: 'data',
  uniqueidentifier: 'uuid',
  sql_variant: 'mixed',
};

/** `string` for types that Realm does not know; `name` is that of `SqlType`. */
export function naturalScalar(name: string): ValueType {
  return SCALAR_TYPES[name] ?? 'string';
}
