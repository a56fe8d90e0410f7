/** What a field reads as before it was ever written. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import { NULL, type ScalarValue } from '../../schema/value.ts';
import type { ObjectState, StateValue } from './object-state.ts';

/** The default of a single value or an element of the column's type. */
export function defaultScalar(column: ColumnDefinition): ScalarValue {
  if (column.nullable) return NULL;
  switch (column.type) {
    case 'int':
      return { type: 'int', value: 0n };
    case 'bool':
      return { type: 'bool', value: false };
    case 'string':
      return { type: 'string', value: '' };
    case 'data':
      return { type: 'data', value: new Uint8Array(0) };
    case 'date':
      return { type: 'date', seconds: 0n, nanoseconds: 0 };
    case 'float':
      return { type: 'float', value: 0 };
    case 'double':
      return { type: 'double', value: 0 };
    case 'decimal128':
      return { type: 'decimal128', coefficient: 0n, exponent: 0, negative: false };
    case 'objectId':
      return { type: 'objectId', value: '000000000000000000000000' };
    case 'uuid':
      return { type: 'uuid', value: '00000000-0000-0000-0000-000000000000' };
    case 'mixed':
    case 'link':
      return NULL;
  }
}

/** A fresh value that the caller may store and change. */
export function defaultValue(column: ColumnDefinition): StateValue {
  switch (column.collection) {
    case 'single':
      return defaultScalar(column);
    case 'list':
      return { type: 'list', items: [] };
    case 'dictionary':
      return { type: 'dictionary', entries: new Map() };
    case 'set':
      return { type: 'set', items: new Map() };
  }
}

/** The value of a field as a reader sees it. Do not change what it returns. */
export function readField(state: ObjectState, field: string, column: ColumnDefinition): StateValue {
  return state.fields.get(field) ?? defaultValue(column);
}
