/** Arguments and results between Extended JSON and what functions take and give (spec/app-services-http.md §7.1). */
import { Binary, Double, EJSON, Int32, Long } from 'bson';

/** Deeper results are taken for ones that hold themselves. */
const DEEPEST = 200;
const SMALLEST_LONG = -(2n ** 63n);
const LARGEST_LONG = 2n ** 63n - 1n;

/**
 * Arguments in canonical or relaxed form as native values: numbers of every type are numbers, and a bigint where a
 * number would not be exact. Throws when it is no Extended JSON.
 */
export function argumentsFrom(sent: readonly unknown[]): readonly unknown[] {
  // The types would be lost in relaxed reading before they can be looked at.
  const read: unknown = EJSON.deserialize({ args: sent }, { relaxed: false });
  const args = isRecord(read) ? read.args : undefined;
  return Array.isArray(args) ? args.map(nativeOf) : [];
}

/** A result in canonical form; what has no value is null. Throws when something cannot be told in Extended JSON. */
export function resultText(result: unknown): string {
  return EJSON.stringify(toldOf(result, 0), { relaxed: false });
}

function nativeOf(value: unknown): unknown {
  if (value instanceof Int32 || value instanceof Double) return value.valueOf();
  if (value instanceof Long) {
    const exact = value.toBigInt();
    const number = Number(exact);
    return Number.isSafeInteger(number) ? number : exact;
  }
  if (Array.isArray(value)) return value.map(nativeOf);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, nativeOf(item)]));
}

function toldOf(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new TypeError(`the result is nested more than ${DEEPEST} levels deep`);
  switch (typeof value) {
    case 'undefined':
    case 'function':
    case 'symbol':
      return null;
    case 'bigint':
      if (value >= SMALLEST_LONG && value <= LARGEST_LONG) return value;
      throw new RangeError('the result holds an integer of more than 64 bits');
    case 'object':
      break;
    default:
      return value;
  }
  if (value instanceof Uint8Array) return new Binary(value);
  if (Array.isArray(value)) return value.map((item) => toldOf(item, depth + 1));
  if (value instanceof Set) return [...value].map((item) => toldOf(item, depth + 1));
  if (value instanceof Map) return toldFields([...value], depth);
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw new RangeError('the result holds an invalid date');
  }
  // Also objects of classes, whose own fields are told; those of bson and of the language know their form.
  if (!isRecord(value) || '_bsontype' in value || value instanceof Date || value instanceof RegExp)
    return value;
  return toldFields(Object.entries(value), depth);
}

function toldFields(fields: readonly (readonly [unknown, unknown])[], depth: number): unknown {
  return Object.fromEntries(
    fields
      .filter(([, item]) => item !== undefined && typeof item !== 'function')
      .map(([name, item]) => [String(name), toldOf(item, depth + 1)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype;
}
