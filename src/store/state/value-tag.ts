/** The byte in front of each value of an encoded object. Stored in databases: numbers keep their meaning. */
export const ValueTag = {
  null: 0,
  /** An integer of up to 47 bits: zigzag, seven bits a byte. */
  smallInt: 1,
  int64: 2,
  false: 3,
  true: 4,
  string: 5,
  data: 6,
  smallDate: 7,
  date: 8,
  float: 9,
  double: 10,
  decimal: 11,
  objectId: 12,
  uuid: 13,
  /** A link to the class that the column names. */
  link: 14,
  linkWithClass: 15,
  object: 16,
  list: 17,
  dictionary: 18,
  set: 19,
  globalKey: 20,
} as const;

/** Integers of this magnitude and above take the eight-byte form: below, doubling them for the sign stays exact. */
export const SMALL_INT_LIMIT = 2 ** 47;
