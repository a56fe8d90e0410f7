/** `.@type`: the types that a value can be said to have, as bits, so that names of groups match their members. */
import type { StateValue } from '../store/state/object-state.ts';

const BITS: Readonly<Record<StateValue['type'], number>> = {
  null: 1,
  int: 1 << 1,
  bool: 1 << 2,
  string: 1 << 3,
  data: 1 << 4,
  date: 1 << 5,
  float: 1 << 6,
  double: 1 << 7,
  decimal128: 1 << 8,
  link: 1 << 9,
  objectId: 1 << 10,
  uuid: 1 << 11,
  dictionary: 1 << 12,
  list: 1 << 13,
  set: 1 << 14,
  object: 1 << 9,
};

const NUMERIC = BITS.int | BITS.float | BITS.double | BITS.decimal128;
const COLLECTION = BITS.dictionary | BITS.list;

/** Names by their bits; of several names for the same the first is the canonical one. */
const NAMES: readonly (readonly [bits: number, ...names: string[]])[] = [
  [BITS.null, 'null'],
  [BITS.int, 'int', 'integer', 'int16', 'int32', 'int64', 'short', 'long', 'byte', 'char'],
  [BITS.bool, 'bool', 'boolean'],
  [BITS.string, 'string'],
  [BITS.data, 'binary', 'data', 'bytearray', 'byte[]', 'bindata'],
  [BITS.date, 'date', 'datetimeoffset', 'timestamp'],
  [BITS.float, 'float'],
  [BITS.double, 'double'],
  [BITS.decimal128, 'decimal128', 'decimal'],
  [BITS.link, 'objectlink', 'link'],
  [BITS.objectId, 'objectid'],
  [BITS.uuid, 'uuid', 'guid'],
  [NUMERIC, 'numeric'],
  [BITS.dictionary, 'object', 'dictionary'],
  [BITS.list, 'array', 'list'],
  [COLLECTION, 'collection'],
];

const BY_NAME: ReadonlyMap<string, number> = new Map(
  NAMES.flatMap(([bits, ...names]) => names.map((name): [string, number] => [name, bits])),
);
const CANONICAL: ReadonlyMap<number, string> = new Map(NAMES.map(([bits, name]) => [bits, name ?? '']));

export const TYPE_NAMES: readonly string[] = [...BY_NAME.keys()];

/** The bits of a name in any case, or undefined when there is no such type. */
export function typeBits(name: string): number | undefined {
  return BY_NAME.get(name.toLowerCase());
}

export function typeBitsOf(type: StateValue['type']): number {
  return BITS[type];
}

export function typeName(bits: number): string {
  return CANONICAL.get(bits) ?? '';
}
