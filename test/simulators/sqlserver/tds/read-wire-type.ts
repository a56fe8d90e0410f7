/** TYPE_INFO as clients send it. */
import type { SqlKind, SqlType } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import { COLLATION_LENGTH, characterSetOf } from './character-sets.ts';
import { ProtocolError } from './protocol-error.ts';
import { Code, FIXED_TYPES, type FixedKind, type Framing, MAX, type WireType } from './wire-type.ts';

const isFixedKind = (kind: SqlKind): kind is FixedKind => Object.hasOwn(FIXED_TYPES, kind);
const fixedKinds: readonly FixedKind[] = (Object.keys(FIXED_TYPES) as SqlKind[]).filter(isFixedKind);

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
