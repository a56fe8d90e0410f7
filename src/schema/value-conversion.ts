/**
 * Between tagged values and the values that a program in JavaScript holds: numbers, bigints, `Date`, bytes, and the
 * `ObjectId`, `UUID` and `Decimal128` of bson, as in the Realm SDK.
 */
import { ObjectId, UUID } from 'bson';
import { decimalFromBson, decimalFromText, decimalToBson } from './decimal128.ts';
import type { ColumnDefinition, PrimaryKeyDefinition } from './definition.ts';
import { type DateValue, NULL, type PrimaryKey, type ScalarValue, type ValueType } from './value.ts';
import { ValueError } from './value-error.ts';

const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;
const OBJECT_ID = /^[0-9a-f]{24}$/i;
const UUID_TEXT = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The value as JavaScript has it. Integers beyond 2^53 stay bigint; instants lose what is below a millisecond; bytes
 * come as a `Buffer` on the same memory; a link stays the tagged value.
 */
export function toJs(value: ScalarValue): unknown {
  switch (value.type) {
    case 'null':
      return null;
    case 'int':
      return intToJs(value.value);
    case 'date':
      return dateToJs(value);
    case 'data':
      return Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength);
    case 'decimal128':
      return decimalToBson(value);
    case 'objectId':
      return ObjectId.createFromHexString(value.value);
    case 'uuid':
      return new UUID(value.value);
    case 'link':
      return value;
    default:
      return value.value;
  }
}

/** The inverse of {@link toJs} for a property (or an element of a collection) of this column. */
export function fromJs(value: unknown, column: Pick<ColumnDefinition, 'type' | 'nullable'>): ScalarValue {
  if (value === null || value === undefined) {
    if (!column.nullable) throw new ValueError(`null is not allowed for a required ${column.type}`);
    return NULL;
  }
  return scalarFromJs(value, column.type);
}

/** A value that is not null, of a certain type. Throws `ValueError` when it is of another. */
export function scalarFromJs(value: unknown, type: ValueType): ScalarValue {
  const converted = convert(value, type);
  if (converted === undefined) throw new ValueError(`${describe(value)} is no ${type}`);
  return converted;
}

/** The key of an object from the value of its key property. */
export function keyFromJs(value: unknown, key: PrimaryKeyDefinition): PrimaryKey {
  if (key.type === 'globalKey')
    throw new ValueError('a class without primary key has no keys to be found by');
  const converted = fromJs(value, { type: key.type, nullable: key.nullable });
  switch (converted.type) {
    case 'null':
    case 'int':
    case 'string':
    case 'objectId':
    case 'uuid':
      return converted;
    default:
      throw new ValueError(`${describe(value)} is no key of type ${key.type}`);
  }
}

/** The value of the key property of an object with this key; `undefined` for classes without one. */
export function keyToJs(key: PrimaryKey): unknown {
  return key.type === 'globalKey' ? undefined : toJs(key);
}

/** The tagged form of a `Date`. Both parts have the sign of the instant. */
export function dateFromMilliseconds(milliseconds: number): DateValue {
  const seconds = Math.trunc(milliseconds / 1000);
  // Adding 0 turns the -0 of a negative instant without fraction into 0.
  return { type: 'date', seconds: BigInt(seconds), nanoseconds: (milliseconds % 1000) * 1_000_000 + 0 };
}

function dateToJs({ seconds, nanoseconds }: DateValue): Date {
  return new Date(Number(seconds) * 1000 + Math.trunc(nanoseconds / 1_000_000));
}

function intToJs(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function convert(value: unknown, type: ValueType): ScalarValue | undefined {
  switch (type) {
    case 'int':
      return intFromJs(value);
    case 'bool':
      return typeof value === 'boolean' ? { type, value } : undefined;
    case 'string':
      return typeof value === 'string' ? { type, value } : undefined;
    case 'data':
      return dataFromJs(value);
    case 'date':
      return dateFromJs(value);
    case 'float':
      return typeof value === 'number' ? { type, value: Math.fround(value) } : undefined;
    case 'double':
      return typeof value === 'number' ? { type, value } : undefined;
    case 'decimal128':
      return decimalFromJs(value);
    case 'objectId':
      return objectIdFromJs(value);
    case 'uuid':
      return uuidFromJs(value);
    case 'mixed':
      return mixedFromJs(value);
    case 'link':
      return isLink(value) ? value : undefined;
  }
}

function intFromJs(value: unknown): ScalarValue | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { type: 'int', value: BigInt(value) } : undefined;
  }
  if (typeof value !== 'bigint') return undefined;
  return value >= MIN_INT64 && value <= MAX_INT64 ? { type: 'int', value } : undefined;
}

function dataFromJs(value: unknown): ScalarValue | undefined {
  if (value instanceof ArrayBuffer) return { type: 'data', value: new Uint8Array(value.slice(0)) };
  if (!ArrayBuffer.isView(value)) return undefined;
  // A copy: what the caller does with the bytes afterwards must not change the value.
  const copy = new Uint8Array(value.byteLength);
  copy.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return { type: 'data', value: copy };
}

function dateFromJs(value: unknown): DateValue | undefined {
  const milliseconds =
    value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : dateFromMilliseconds(milliseconds);
}

function decimalFromJs(value: unknown): ScalarValue | undefined {
  if (isDecimal128(value)) return decimalFromBson(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return decimalFromText(String(value));
  }
  return undefined;
}

function objectIdFromJs(value: unknown): ScalarValue | undefined {
  const text = typeof value === 'string' ? value : isObjectId(value) ? value.toHexString() : '';
  return OBJECT_ID.test(text) ? { type: 'objectId', value: text.toLowerCase() } : undefined;
}

function uuidFromJs(value: unknown): ScalarValue | undefined {
  const text = typeof value === 'string' ? value : isUuid(value) ? value.toHexString(true) : '';
  return UUID_TEXT.test(text) ? { type: 'uuid', value: text.toLowerCase() } : undefined;
}

/** What a program says in a place of any type: a number is a double there, only a bigint is an int. */
function mixedFromJs(value: unknown): ScalarValue | undefined {
  switch (typeof value) {
    case 'number':
      return { type: 'double', value };
    case 'bigint':
      return intFromJs(value);
    case 'boolean':
      return { type: 'bool', value };
    case 'string':
      return { type: 'string', value };
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value instanceof Date) return dateFromJs(value);
  if (isObjectId(value)) return objectIdFromJs(value);
  if (isUuid(value)) return uuidFromJs(value);
  if (isDecimal128(value)) return decimalFromBson(value);
  if (isLink(value)) return value;
  return dataFromJs(value);
}

// A program may have its own copy of bson, so that classes are told by their mark and not by identity.

function hasMark(value: unknown, mark: string): value is object {
  return typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === mark;
}

function isObjectId(value: unknown): value is ObjectId {
  return hasMark(value, 'ObjectId') && 'toHexString' in value && typeof value.toHexString === 'function';
}

function isUuid(value: unknown): value is UUID {
  return hasMark(value, 'Binary') && 'toHexString' in value && typeof value.toHexString === 'function';
}

function isDecimal128(value: unknown): value is Parameters<typeof decimalFromBson>[0] {
  return hasMark(value, 'Decimal128') && 'bytes' in value && value.bytes instanceof Uint8Array;
}

function isLink(value: unknown): value is Extract<ScalarValue, { type: 'link' }> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'link' &&
    'table' in value &&
    typeof value.table === 'string' &&
    'key' in value
  );
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 60))}`;
  if (typeof value === 'object' && value !== null)
    return `a value of class ${value.constructor?.name ?? 'Object'}`;
  return `${typeof value} ${String(value)}`;
}
