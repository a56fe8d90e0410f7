/**
 * Realm values as every part of Isthmus passes them around: a tagged union that keeps what a JavaScript value
 * would lose (64-bit integers, nanoseconds, decimal128, float against double). The tags are the type names of the
 * Realm JS schema notation.
 */

export type NullValue = { readonly type: 'null' };
/** Signed 64-bit integer. */
export type IntValue = { readonly type: 'int'; readonly value: bigint };
export type BoolValue = { readonly type: 'bool'; readonly value: boolean };
export type StringValue = { readonly type: 'string'; readonly value: string };
export type DataValue = { readonly type: 'data'; readonly value: Uint8Array };
/** Instant relative to 1970-01-01T00:00:00Z. Both parts have the same sign; |nanoseconds| < 1e9. */
export type DateValue = { readonly type: 'date'; readonly seconds: bigint; readonly nanoseconds: number };
/** IEEE binary32 held in a JavaScript number. */
export type FloatValue = { readonly type: 'float'; readonly value: number };
export type DoubleValue = { readonly type: 'double'; readonly value: number };
/**
 * IEEE decimal128 split as on the wire (changeset-format.md §5.1), never normalised: (−1)^negative × coefficient ×
 * 10^exponent. Infinity has exponent 9184 and NaN exponent 9696.
 */
export type DecimalValue = {
  readonly type: 'decimal128';
  readonly coefficient: bigint;
  readonly exponent: number;
  readonly negative: boolean;
};
/** 24 lower-case hexadecimal digits. */
export type ObjectIdValue = { readonly type: 'objectId'; readonly value: string };
/** 36 lower-case characters in the canonical 8-4-4-4-12 form. */
export type UuidValue = { readonly type: 'uuid'; readonly value: string };
/** A reference to an object of a top-level class; the target need not exist. */
export type LinkValue = { readonly type: 'link'; readonly table: string; readonly key: PrimaryKey };

/** A value that is no container. */
export type ScalarValue =
  | NullValue
  | IntValue
  | BoolValue
  | StringValue
  | DataValue
  | DateValue
  | FloatValue
  | DoubleValue
  | DecimalValue
  | ObjectIdValue
  | UuidValue
  | LinkValue;

/** Key of an object without primary key: `hi` is the file ident of its creator, `lo` a sequence number. */
export type GlobalKey = { readonly type: 'globalKey'; readonly hi: bigint; readonly lo: bigint };

/** The identity of an object inside its class. Equality includes the type (merge-rules.md §9.4). */
export type PrimaryKey = NullValue | IntValue | StringValue | ObjectIdValue | UuidValue | GlobalKey;

/** Types that a property (or an element of a collection property) can be declared as. */
export type ValueType = (typeof VALUE_TYPES)[number];

export const VALUE_TYPES = [
  'int',
  'bool',
  'string',
  'data',
  'date',
  'float',
  'double',
  'decimal128',
  'objectId',
  'uuid',
  'mixed',
  'link',
] as const;

export type PrimaryKeyType = 'int' | 'string' | 'objectId' | 'uuid' | 'globalKey';

export const NULL: NullValue = Object.freeze({ type: 'null' });

/**
 * A string that is equal for two keys exactly when the keys are equal; usable as a `Map` key and in storage.
 * The first character tells the type: n null, i int, s string, o objectId, u uuid, g globalKey.
 */
export function keyToken(key: PrimaryKey): string {
  switch (key.type) {
    case 'null':
      return 'n';
    case 'int':
      return `i${key.value}`;
    case 'string':
      return `s${key.value}`;
    case 'objectId':
      return `o${key.value}`;
    case 'uuid':
      return `u${key.value}`;
    case 'globalKey':
      return `g${key.hi}-${key.lo}`;
  }
}

/** The inverse of {@link keyToken}. Throws `RangeError` on text that it did not make. */
export function keyFromToken(token: string): PrimaryKey {
  const rest = token.slice(1);
  switch (token[0]) {
    case 'n':
      return NULL;
    case 'i':
      return { type: 'int', value: BigInt(rest) };
    case 's':
      return { type: 'string', value: rest };
    case 'o':
      return { type: 'objectId', value: rest };
    case 'u':
      return { type: 'uuid', value: rest };
    case 'g': {
      const [hi, lo] = rest.split('-');
      return { type: 'globalKey', hi: BigInt(hi ?? ''), lo: BigInt(lo ?? '') };
    }
    default:
      throw new RangeError(`not a key token: ${JSON.stringify(token)}`);
  }
}

export function sameKey(a: PrimaryKey, b: PrimaryKey): boolean {
  if (a === b) return true;
  switch (a.type) {
    case 'null':
      return b.type === 'null';
    case 'globalKey':
      return b.type === 'globalKey' && a.hi === b.hi && a.lo === b.lo;
    default:
      return a.type === b.type && a.value === b.value;
  }
}
