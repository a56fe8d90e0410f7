/** How the types of the contract are described on the wire (TYPE_INFO); reading it is in read-wire-type.ts. */
import type { SqlKind, SqlType } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type CharacterSet, COLLATION } from './character-sets.ts';

/** What stands before the bytes of a value. */
export type Framing =
  /** Nothing: the value has a fixed length and is never NULL. */
  | 'none'
  /** A length of one byte; 0 is NULL. */
  | 'short'
  /** A length of two bytes; 0xFFFF is NULL. */
  | 'long'
  /** Chunks with a length each, after the length of the whole (types of length `max` and their like). */
  | 'chunks'
  /** A text pointer and a time stamp in rows; a length of four bytes in parameters. */
  | 'textPointer'
  /** A length of four bytes, the type of the value, the value. */
  | 'variant'
  /** No value: the type of NULL. */
  | 'null';

export type WireType = {
  readonly type: SqlType;
  readonly framing: Framing;
  readonly characterSet: CharacterSet;
};

export const Code = {
  null: 0x1f,
  image: 0x22,
  text: 0x23,
  guid: 0x24,
  intN: 0x26,
  date: 0x28,
  time: 0x29,
  datetime2: 0x2a,
  datetimeoffset: 0x2b,
  tinyint: 0x30,
  bit: 0x32,
  smallint: 0x34,
  int: 0x38,
  smalldatetime: 0x3a,
  real: 0x3b,
  money: 0x3c,
  datetime: 0x3d,
  float: 0x3e,
  variant: 0x62,
  ntext: 0x63,
  bitN: 0x68,
  decimalN: 0x6a,
  numericN: 0x6c,
  floatN: 0x6d,
  moneyN: 0x6e,
  datetimeN: 0x6f,
  smallmoney: 0x7a,
  bigint: 0x7f,
  varbinary: 0xa5,
  varchar: 0xa7,
  binary: 0xad,
  char: 0xaf,
  nvarchar: 0xe7,
  nchar: 0xef,
  udt: 0xf0,
  xml: 0xf1,
  table: 0xf3,
} as const;

/** The length of types of length `max`. */
export const MAX = 0xffff;
const LONGEST_TEXT = 0x7fffffff;
const LONGEST_VARIANT = 8009;
const LONGEST_HIERARCHYID = 892;
const HIERARCHYID_ASSEMBLY =
  'Microsoft.SqlServer.Types.SqlHierarchyId, Microsoft.SqlServer.Types, Version=11.0.0.0, Culture=neutral, PublicKeyToken=89845dcd8080cc91';

export type FixedKind = Extract<
  SqlKind,
  | 'bit'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'real'
  | 'float'
  | 'money'
  | 'smallmoney'
  | 'datetime'
  | 'smalldatetime'
>;
type FixedType = { readonly code: number; readonly nullableCode: number; readonly length: number };

/** Types with a code of their own for columns that are never NULL, and a common one for those that may be. */
export const FIXED_TYPES: Readonly<Record<FixedKind, FixedType>> = {
  bit: { code: Code.bit, nullableCode: Code.bitN, length: 1 },
  tinyint: { code: Code.tinyint, nullableCode: Code.intN, length: 1 },
  smallint: { code: Code.smallint, nullableCode: Code.intN, length: 2 },
  int: { code: Code.int, nullableCode: Code.intN, length: 4 },
  bigint: { code: Code.bigint, nullableCode: Code.intN, length: 8 },
  real: { code: Code.real, nullableCode: Code.floatN, length: 4 },
  float: { code: Code.float, nullableCode: Code.floatN, length: 8 },
  smallmoney: { code: Code.smallmoney, nullableCode: Code.moneyN, length: 4 },
  money: { code: Code.money, nullableCode: Code.moneyN, length: 8 },
  smalldatetime: { code: Code.smalldatetime, nullableCode: Code.datetimeN, length: 4 },
  datetime: { code: Code.datetime, nullableCode: Code.datetimeN, length: 8 },
};

/** Bytes of a decimal, its sign among them. */
export function decimalLength(precision: number): number {
  if (precision <= 9) return 5;
  if (precision <= 19) return 9;
  return precision <= 28 ? 13 : 17;
}

/** Bytes of a time of day with so many digits after the second. */
export function timeLength(scale: number): number {
  if (scale <= 2) return 3;
  return scale <= 4 ? 4 : 5;
}

const writeCollated = (out: ByteWriter, code: number, length: number): Framing => {
  out.u8(code);
  out.u16(length);
  out.bytes(COLLATION);
  return length === MAX ? 'chunks' : 'long';
};

const writeBinary = (out: ByteWriter, code: number, length: number): Framing => {
  out.u8(code);
  out.u16(length);
  return length === MAX ? 'chunks' : 'long';
};

/** Writes TYPE_INFO and says how values of the type are framed then. */
export function writeWireType(out: ByteWriter, type: SqlType, nullable: boolean): Framing {
  switch (type.kind) {
    case 'decimal':
      out.u8(Code.numericN);
      out.u8(decimalLength(type.precision));
      out.u8(type.precision);
      out.u8(type.scale);
      return 'short';
    case 'date':
      out.u8(Code.date);
      return 'short';
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      out.u8(Code[type.kind]);
      out.u8(type.scale);
      return 'short';
    case 'uniqueidentifier':
      out.u8(Code.guid);
      out.u8(16);
      return 'short';
    case 'char':
    case 'varchar':
      return writeCollated(out, Code[type.kind], type.length === 'max' ? MAX : type.length);
    case 'nchar':
    case 'nvarchar':
      return writeCollated(out, Code[type.kind], type.length === 'max' ? MAX : type.length * 2);
    case 'binary':
    case 'varbinary':
      return writeBinary(out, Code[type.kind], type.length === 'max' ? MAX : type.length);
    case 'rowversion':
      return writeBinary(out, Code.binary, 8);
    case 'text':
    case 'ntext':
      out.u8(Code[type.kind]);
      out.u32(LONGEST_TEXT);
      out.bytes(COLLATION);
      return 'textPointer';
    case 'image':
      out.u8(Code.image);
      out.u32(LONGEST_TEXT);
      return 'textPointer';
    case 'xml':
      out.u8(Code.xml);
      out.u8(0); // no schema
      return 'chunks';
    case 'sql_variant':
      out.u8(Code.variant);
      out.u32(LONGEST_VARIANT);
      return 'variant';
    case 'hierarchyid':
      return writeHierarchyId(out);
    default:
      return writeFixed(out, FIXED_TYPES[type.kind], nullable);
  }
}

function writeFixed(out: ByteWriter, { code, nullableCode, length }: FixedType, nullable: boolean): Framing {
  if (!nullable) {
    out.u8(code);
    return 'none';
  }
  out.u8(nullableCode);
  out.u8(length);
  return 'short';
}

function writeHierarchyId(out: ByteWriter): Framing {
  out.u8(Code.udt);
  out.u16(LONGEST_HIERARCHYID);
  out.shortText('');
  out.shortText('sys');
  out.shortText('hierarchyid');
  out.longText(HIERARCHYID_ASSEMBLY);
  return 'chunks';
}
