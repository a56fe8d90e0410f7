/** How the types of the contract are described on the wire (TYPE_INFO), in columns and in parameters. */
import type { SqlKind, SqlType } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type CharacterSet, COLLATION, COLLATION_LENGTH, characterSetOf } from './character-sets.ts';
import { ProtocolError } from './protocol-error.ts';

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

const MAX = 0xffff;
const LONGEST_TEXT = 0x7fffffff;
const LONGEST_VARIANT = 8009;
const LONGEST_HIERARCHYID = 892;
const HIERARCHYID_ASSEMBLY =
  'Microsoft.SqlServer.Types.SqlHierarchyId, Microsoft.SqlServer.Types, Version=11.0.0.0, Culture=neutral, PublicKeyToken=89845dcd8080cc91';

type FixedKind = Extract<
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

const isFixedKind = (kind: SqlKind): kind is FixedKind => Object.hasOwn(FIXED_TYPES, kind);
const fixedKinds: readonly FixedKind[] = (Object.keys(FIXED_TYPES) as SqlKind[]).filter(isFixedKind);

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

const plain = (type: SqlType, framing: Framing): WireType => ({ type, framing, characterSet: 'codePage' });

/** Reads TYPE_INFO as clients send it with parameters and bulk loads. */
export function readWireType(reader: ByteReader): WireType {
  const code = reader.u8();
  const fixed = fixedKinds.find((kind) => FIXED_TYPES[kind].code === code);
  if (fixed !== undefined) return plain({ kind: fixed }, 'none');
  switch (code) {
    case Code.null:
      return plain({ kind: 'nvarchar', length: 1 }, 'null');
    case Code.intN:
    case Code.bitN:
    case Code.floatN:
    case Code.moneyN:
    case Code.datetimeN:
      return plain({ kind: nullableKind(code, reader.u8()) }, 'short');
    case Code.decimalN:
    case Code.numericN:
      return readDecimal(reader);
    case Code.guid:
      reader.u8();
      return plain({ kind: 'uniqueidentifier' }, 'short');
    case Code.date:
      return plain({ kind: 'date' }, 'short');
    case Code.time:
      return plain({ kind: 'time', scale: readScale(reader) }, 'short');
    case Code.datetime2:
      return plain({ kind: 'datetime2', scale: readScale(reader) }, 'short');
    case Code.datetimeoffset:
      return plain({ kind: 'datetimeoffset', scale: readScale(reader) }, 'short');
    case Code.char:
      return readCharacters('char', reader);
    case Code.varchar:
      return readCharacters('varchar', reader);
    case Code.nchar:
      return readCharacters('nchar', reader);
    case Code.nvarchar:
      return readCharacters('nvarchar', reader);
    case Code.binary:
      return readBinary('binary', reader);
    case Code.varbinary:
      return readBinary('varbinary', reader);
    default:
      return readLargeType(code, reader);
  }
}

function readLargeType(code: number, reader: ByteReader): WireType {
  switch (code) {
    case Code.image:
      reader.u32();
      return plain({ kind: 'image' }, 'textPointer');
    case Code.text: {
      reader.u32();
      const collation = reader.take(COLLATION_LENGTH);
      return { type: { kind: 'text' }, framing: 'textPointer', characterSet: characterSetOf(collation) };
    }
    case Code.ntext:
      reader.u32();
      reader.take(COLLATION_LENGTH);
      return { type: { kind: 'ntext' }, framing: 'textPointer', characterSet: 'utf16' };
    case Code.xml:
      if (reader.u8() !== 0)
        throw new ProtocolError('XML schema collections are not supported by the simulator');
      return { type: { kind: 'xml' }, framing: 'chunks', characterSet: 'utf16' };
    case Code.variant:
      reader.u32();
      return plain({ kind: 'sql_variant' }, 'variant');
    case Code.udt:
      return readUserType(reader);
    case Code.table:
      throw new ProtocolError('table-valued parameters are not supported by the simulator');
    default:
      throw new ProtocolError(`there is no type 0x${code.toString(16)}`);
  }
}

/** A parameter of a user type names its database, schema and type. */
function readUserType(reader: ByteReader): WireType {
  reader.shortText();
  reader.shortText();
  const name = reader.shortText();
  if (name.toLowerCase() !== 'hierarchyid') {
    throw new ProtocolError(`the type ${name} is not supported by the simulator`);
  }
  return plain({ kind: 'hierarchyid' }, 'chunks');
}

function nullableKind(code: number, length: number): FixedKind {
  const kind = fixedKinds.find(
    (candidate) => FIXED_TYPES[candidate].nullableCode === code && FIXED_TYPES[candidate].length === length,
  );
  if (kind === undefined) throw new ProtocolError(`type 0x${code.toString(16)} has no length ${length}`);
  return kind;
}

function readDecimal(reader: ByteReader): WireType {
  reader.u8();
  const precision = reader.u8();
  const scale = reader.u8();
  if (precision < 1 || precision > 38 || scale > precision) {
    throw new ProtocolError(`decimal(${precision}, ${scale}) is no type`);
  }
  return plain({ kind: 'decimal', precision, scale }, 'short');
}

function readScale(reader: ByteReader): number {
  const scale = reader.u8();
  if (scale > 7) throw new ProtocolError(`a time cannot have ${scale} digits after the second`);
  return scale;
}

function readCharacters(kind: 'char' | 'varchar' | 'nchar' | 'nvarchar', reader: ByteReader): WireType {
  const bytes = reader.u16();
  const collation = reader.take(COLLATION_LENGTH);
  const wide = kind === 'nchar' || kind === 'nvarchar';
  const length = bytes === MAX ? 'max' : Math.max(1, wide ? bytes / 2 : bytes);
  return {
    type: { kind, length },
    framing: bytes === MAX ? 'chunks' : 'long',
    characterSet: wide ? 'utf16' : characterSetOf(collation),
  };
}

function readBinary(kind: 'binary' | 'varbinary', reader: ByteReader): WireType {
  const bytes = reader.u16();
  return plain(
    { kind, length: bytes === MAX ? 'max' : Math.max(1, bytes) },
    bytes === MAX ? 'chunks' : 'long',
  );
}
