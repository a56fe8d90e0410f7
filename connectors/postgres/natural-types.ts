/** The scalar types of a realm that hold every value of a type of the database. */
import type { ValueType } from '../../src/schema/value.ts';

const SCALAR_TYPES: Readonly<Record<string, ValueType>> = {
  int2: 'int',
  int4: 'int',
  int8: 'int',
  oid: 'int',
  xid: 'int',
  cid: 'int',
  bool: 'bool',
  float4: 'float',
  float8: 'double',
  numeric: 'decimal128',
  money: 'decimal128',
  timestamp: 'date',
  timestamptz: 'date',
  date: 'date',
  bytea: 'data',
  uuid: 'uuid',
};

/** `string` for types that Realm does not know. */
export function naturalScalar(baseType: string): ValueType {
  return SCALAR_TYPES[baseType] ?? 'string';
}
