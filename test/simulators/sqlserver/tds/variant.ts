/** `sql_variant`: each value carries its own type. */
import type { Datum, SqlType, SqlValue } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { COLLATION, COLLATION_LENGTH, characterSetOf, decodeCharacters } from './character-sets.ts';
import { ProtocolError } from './protocol-error.ts';
import { asScalar, readScalar, type ScalarType, scalarLength, unfit, writeScalar } from './scalar-values.ts';
import { variableBytes } from './variable-values.ts';
import { Code, FIXED_TYPES } from './wire-type.ts';

/** The code and the properties of the base type. */
const HEADER_LENGTH = 2;

export function writeVariant(out: ByteWriter, value: SqlValue): void {
  if (typeof value !== 'object' || !('type' in value)) throw unfit({ kind: 'sql_variant' }, value);
  const { type, value: inner } = value;
  switch (type.kind) {
    case 'char':
    case 'varchar':
    case 'nchar':
    case 'nvarchar': {
      const bytes = variableBytes(type, inner);
      writeHeader(out, Code[type.kind], COLLATION_LENGTH + 2, bytes.length);
      out.bytes(COLLATION);
      out.u16(maximumBytes(type, bytes.length));
      out.bytes(bytes);
      return;
    }
    case 'binary':
    case 'varbinary':
    case 'rowversion': {
      const bytes = variableBytes(type, inner);
      writeHeader(out, type.kind === 'varbinary' ? Code.varbinary : Code.binary, 2, bytes.length);
      out.u16(maximumBytes(type, bytes.length));
      out.bytes(bytes);
      return;
    }
    case 'text':
    case 'ntext':
    case 'image':
    case 'xml':
    case 'hierarchyid':
    case 'sql_variant':
      throw new TypeError(`a sql_variant cannot hold a value of type ${type.kind}`);
    default:
      writeScalarVariant(out, asScalar(type), inner);
      return;
  }
}

function maximumBytes(type: SqlType, actual: number): number {
  if (!('length' in type) || type.length === 'max') return actual;
  return type.kind === 'nchar' || type.kind === 'nvarchar' ? type.length * 2 : type.length;
}

function writeHeader(out: ByteWriter, code: number, properties: number, length: number): void {
  out.u32(HEADER_LENGTH + properties + length);
  out.u8(code);
  out.u8(properties);
}

function writeScalarVariant(out: ByteWriter, type: ScalarType, value: SqlValue): void {
  const length = scalarLength(type);
  switch (type.kind) {
    case 'decimal':
      writeHeader(out, Code.numericN, 2, length);
      out.u8(type.precision);
      out.u8(type.scale);
      break;
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      writeHeader(out, Code[type.kind], 1, length);
      out.u8(type.scale);
      break;
    case 'date':
      writeHeader(out, Code.date, 0, length);
      break;
    case 'uniqueidentifier':
      writeHeader(out, Code.guid, 0, length);
      break;
    default:
      writeHeader(out, FIXED_TYPES[type.kind].code, 0, length);
  }
  writeScalar(out, type, value);
}

export function readVariant(reader: ByteReader): Datum {
  const total = reader.u32();
  if (total === 0) return null;
  const code = reader.u8();
  const properties = reader.take(reader.u8());
  const bytes = reader.take(total - HEADER_LENGTH - properties.length);
  switch (code) {
    case Code.char:
    case Code.varchar:
    case Code.nchar:
    case Code.nvarchar:
      return characterVariant(code, properties, bytes);
    case Code.binary:
    case Code.varbinary:
      return {
        type: { kind: code === Code.binary ? 'binary' : 'varbinary', length: Math.max(1, bytes.length) },
        value: Uint8Array.from(bytes),
      };
    default: {
      const type = scalarType(code, properties);
      return { type, value: readScalar(type, bytes) };
    }
  }
}

function characterVariant(code: number, properties: Buffer, bytes: Buffer): Datum {
  const wide = code === Code.nchar || code === Code.nvarchar;
  const value = decodeCharacters(bytes, wide ? 'utf16' : characterSetOf(properties));
  const kind = wide ? 'nvarchar' : 'varchar';
  return { type: { kind, length: Math.max(1, value.length) }, value };
}

function scalarType(code: number, properties: Buffer): ScalarType {
  const [first = 0, second = 0] = properties;
  switch (code) {
    case Code.decimalN:
    case Code.numericN:
      return { kind: 'decimal', precision: first, scale: second };
    case Code.time:
      return { kind: 'time', scale: first };
    case Code.datetime2:
      return { kind: 'datetime2', scale: first };
    case Code.datetimeoffset:
      return { kind: 'datetimeoffset', scale: first };
    case Code.date:
      return { kind: 'date' };
    case Code.guid:
      return { kind: 'uniqueidentifier' };
    case Code.tinyint:
      return { kind: 'tinyint' };
    case Code.bit:
      return { kind: 'bit' };
    case Code.smallint:
      return { kind: 'smallint' };
    case Code.int:
      return { kind: 'int' };
    case Code.bigint:
      return { kind: 'bigint' };
    case Code.real:
      return { kind: 'real' };
    case Code.float:
      return { kind: 'float' };
    case Code.smallmoney:
      return { kind: 'smallmoney' };
    case Code.money:
      return { kind: 'money' };
    case Code.smalldatetime:
      return { kind: 'smalldatetime' };
    case Code.datetime:
      return { kind: 'datetime' };
    default:
      throw new ProtocolError(`a sql_variant cannot hold a value of type 0x${code.toString(16)}`);
  }
}
