/** Order and equality of values of one type. */
import type { DateAndTime, SqlType, SqlValue } from '../../contract.ts';
import { notSimulated } from '../failures.ts';
import { collation } from './collation.ts';
import { convertDatum } from './convert.ts';
import { isBinary, isText } from './families.ts';
import { commonType } from './precedence.ts';

export type Comparer = (left: SqlValue, right: SqlValue) => number;

/** Compares values of `type`; strings by the collation. */
export function comparer(type: SqlType, collationName: string): Comparer {
  if (isText(type)) {
    const { compare } = collation(collationName);
    return (left, right) => compare(left as string, right as string);
  }
  if (isBinary(type) || type.kind === 'rowversion' || type.kind === 'hierarchyid')
    return (left, right) => compareBytes(left as Uint8Array, right as Uint8Array);
  switch (type.kind) {
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'datetimeoffset':
      return (left, right) => compareDates(left as DateAndTime, right as DateAndTime);
    case 'uniqueidentifier':
      return (left, right) => compareGuids(left as string, right as string);
    case 'sql_variant':
      return (left, right) => compareVariants(left, right, collationName);
    case 'xml':
    case 'image':
      throw notSimulated(`Comparing values of the type ${type.kind}`);
    default:
      return compareNumbers;
  }
}

/** Equal values have equal keys, by the rules of {@link comparer}. */
export function hashKey(type: SqlType, collationName: string): (value: SqlValue) => string {
  if (isText(type)) {
    const { key } = collation(collationName);
    return (value) => key(value as string);
  }
  return (value) => {
    if (value instanceof Uint8Array) return Buffer.from(withoutZeros(value)).toString('latin1');
    if (typeof value === 'number') return String(value === 0 ? 0 : value);
    if (typeof value !== 'object') return String(value);
    if ('days' in value) return `${value.days}:${value.ticks}`;
    return `${value.type.kind}:${hashKey(value.type, collationName)(value.value)}`;
  };
}

function compareNumbers(left: SqlValue, right: SqlValue): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

/** Shorter values count as if they went on with zeros. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(withoutZeros(left), withoutZeros(right));
}

function compareDates(left: DateAndTime, right: DateAndTime): number {
  if (left.days !== right.days) return left.days - right.days;
  return left.ticks < right.ticks ? -1 : left.ticks > right.ticks ? 1 : 0;
}

/** The groups of a uniqueidentifier from the most to the least significant, as positions in its text. */
const GUID_GROUPS: readonly (readonly number[])[] = [
  [24, 26, 28, 30, 32, 34],
  [19, 21],
  [16, 14],
  [11, 9],
  [6, 4, 2, 0],
];

/** The last group counts most. Within the first three groups the bytes lie in reverse. */
function compareGuids(left: string, right: string): number {
  for (const positions of GUID_GROUPS)
    for (const at of positions) {
      const [a, b] = [left.slice(at, at + 2), right.slice(at, at + 2)];
      if (a !== b) return a < b ? -1 : 1;
    }
  return 0;
}

function compareVariants(left: SqlValue, right: SqlValue, collationName: string): number {
  if (typeof left !== 'object' || !('type' in left) || typeof right !== 'object' || !('type' in right))
    return 0;
  const type = commonType(left.type, right.type);
  const context = { collation: collationName, dateFormat: 'mdy' } as const;
  const [a, b] = [left, right].map((each) => convertDatum(each.value, each.type, type, context));
  return comparer(type, collationName)(a!, b!);
}
