/** The numbers of changeset-format.md §2–§7 and their names in the instruction model. */
import type { CollectionKind } from '../schema/definition.ts';
import type { PrimaryKeyType, ValueType } from '../schema/value.ts';

export const Opcode = {
  addTable: 0,
  eraseTable: 1,
  createObject: 2,
  eraseObject: 3,
  update: 4,
  addInteger: 5,
  addColumn: 6,
  eraseColumn: 7,
  arrayInsert: 8,
  arrayMove: 9,
  arrayErase: 10,
  clear: 11,
  setInsert: 12,
  setErase: 13,
  internString: 0x3f,
} as const;

export const TypeCode = {
  set: -6,
  list: -5,
  erased: -4,
  dictionary: -3,
  object: -2,
  globalKey: -1,
  null: 0,
  int: 1,
  bool: 2,
  string: 3,
  data: 4,
  date: 5,
  float: 6,
  double: 7,
  decimal128: 8,
  link: 9,
  objectId: 10,
  uuid: 11,
} as const;

/** Mixed columns carry the code of Null (changeset-format.md §6). */
export const COLUMN_TYPE_CODE: Readonly<Record<ValueType, number>> = {
  mixed: TypeCode.null,
  int: TypeCode.int,
  bool: TypeCode.bool,
  string: TypeCode.string,
  data: TypeCode.data,
  date: TypeCode.date,
  float: TypeCode.float,
  double: TypeCode.double,
  decimal128: TypeCode.decimal128,
  link: TypeCode.link,
  objectId: TypeCode.objectId,
  uuid: TypeCode.uuid,
};

export const COLUMN_TYPES: ReadonlyMap<number, ValueType> = new Map(
  (Object.keys(COLUMN_TYPE_CODE) as ValueType[]).map((type) => [COLUMN_TYPE_CODE[type], type]),
);

export const PRIMARY_KEY_TYPES: ReadonlyMap<number, PrimaryKeyType> = new Map([
  [TypeCode.int, 'int'],
  [TypeCode.string, 'string'],
  [TypeCode.objectId, 'objectId'],
  [TypeCode.uuid, 'uuid'],
  [TypeCode.globalKey, 'globalKey'],
]);

export const COLLECTION_KINDS: readonly CollectionKind[] = ['single', 'list', 'dictionary', 'set'];
export const COLLECTION_CODE: Readonly<Record<CollectionKind, number>> = {
  single: 0,
  list: 1,
  dictionary: 2,
  set: 3,
};

export const TABLE_KINDS = ['topLevel', 'embedded', 'asymmetric'] as const;
export const TABLE_KIND_CODE = { topLevel: 0, embedded: 1, asymmetric: 2 } as const;

/** Longest text the reference's storage takes (changeset-format.md §2); longer text is a bad changeset. */
export const MAX_STRING_BYTES = 16_777_199;

/** The exponent field of decimal128 has 14 bits and a bias of 6176 (changeset-format.md §5.1). */
export const MIN_DECIMAL_EXPONENT = -6176;
export const MAX_DECIMAL_EXPONENT = (1 << 14) - 1 - 6176;
export const DECIMAL_COEFFICIENT_LIMIT = 1n << 113n;
