/** Equality and order of values as queries see them. */
import { keyToken, type ScalarValue, sameKey } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { compareNumbers, type NumericValue } from './numbers.ts';

export function isNumeric(value: StateValue): value is NumericValue {
  return (
    value.type === 'int' || value.type === 'double' || value.type === 'float' || value.type === 'decimal128'
  );
}

/** Null equals null; values of types that cannot be compared are different; NaN equals nothing. */
export function equalValues(a: StateValue, b: StateValue): boolean {
  if (a.type === 'null' || b.type === 'null') return a.type === b.type;
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0;
  switch (a.type) {
    case 'string':
    case 'bool':
    case 'objectId':
    case 'uuid':
      return b.type === a.type && a.value === b.value;
    case 'data':
      return (
        b.type === 'data' &&
        a.value.byteLength === b.value.byteLength &&
        Buffer.compare(a.value, b.value) === 0
      );
    case 'date':
      return b.type === 'date' && a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
    case 'link':
      return b.type === 'link' && a.table === b.table && sameKey(a.key, b.key);
    default:
      return a === b;
  }
}

/** −1, 0 or 1, or NaN where neither precedes the other: null, NaN, links, containers, different types. */
export function orderValues(a: StateValue, b: StateValue): number {
  if (isNumeric(a)) return isNumeric(b) ? compareNumbers(a, b) : Number.NaN;
  switch (a.type) {
    case 'string':
      return b.type === 'string' ? compareText(a.value, b.value) : Number.NaN;
    case 'bool':
      return b.type === 'bool' ? Number(a.value) - Number(b.value) : Number.NaN;
    case 'objectId':
    case 'uuid':
      return b.type === a.type ? (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) : Number.NaN;
    case 'data':
      return b.type === 'data' ? Buffer.compare(a.value, b.value) : Number.NaN;
    case 'date':
      if (b.type !== 'date') return Number.NaN;
      if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
      return Math.sign(a.nanoseconds - b.nanoseconds);
    default:
      return Number.NaN;
  }
}

const FIRST_SURROGATE = 0xd800;
const FIRST_AFTER_SURROGATES = 0xe000;

/** The order of the UTF-8 bytes, which is the order of code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all that need a single unit.
    if (x >= FIRST_SURROGATE && y >= FIRST_SURROGATE) {
      const highX = x < FIRST_AFTER_SURROGATES;
      if (highX !== y < FIRST_AFTER_SURROGATES) return highX ? 1 : -1;
    }
    return x < y ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

const RANK: Readonly<Record<StateValue['type'], number>> = {
  null: 0,
  bool: 1,
  int: 2,
  float: 2,
  double: 2,
  decimal128: 2,
  string: 3,
  data: 4,
  date: 5,
  objectId: 6,
  uuid: 7,
  link: 8,
  object: 9,
  list: 10,
  set: 11,
  dictionary: 12,
};

/** A total order, for sorting: null first, then by kind of type, NaN before all other numbers. */
export function sortOrder(a: StateValue, b: StateValue): number {
  const ranks = RANK[a.type] - RANK[b.type];
  if (ranks !== 0) return ranks;
  if (a.type === 'link' && b.type === 'link')
    return compareText(a.table, b.table) || compareText(keyToken(a.key), keyToken(b.key));
  const order = orderValues(a, b);
  if (!Number.isNaN(order)) return order;
  return Number(isNaNValue(b)) - Number(isNaNValue(a));
}

export function isNaNValue(value: StateValue): boolean {
  return isNumeric(value) && Number.isNaN(compareNumbers(value, value));
}

export function isScalar(value: StateValue): value is ScalarValue {
  return RANK[value.type] <= RANK.link;
}
