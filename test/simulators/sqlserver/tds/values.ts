/** Values on the wire, with what stands before them: in rows, in parameters and in output parameters. */
import type { Datum, SqlType, SqlValue } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { decodeCharacters } from './character-sets.ts';
import { ProtocolError } from './protocol-error.ts';
import { asScalar, readScalar, scalarLength, writeScalar } from './scalar-values.ts';
import { variableBytes } from './variable-values.ts';
import { readVariant, writeVariant } from './variant.ts';
import type { Framing, WireType } from './wire-type.ts';

const LONG_NULL = 0xffff;
const CHUNKED_NULL = 0xffffffffffffffffn;
const CHUNKED_UNKNOWN_LENGTH = 0xfffffffffffffffen;
const PARAMETER_NULL = -1;
/** Clients are to put chunks together, so that they are not spared it. */
const CHUNK_SIZE = 8000;
/** Nobody uses text pointers any more; clients only skip them. */
const TEXT_POINTER = Buffer.alloc(16, 0x01);
const TIME_STAMP = Buffer.alloc(8, 0x01);

/** A column of type `type` as {@link writeWireType} described it with `framing`. */
export function writeValue(out: ByteWriter, type: SqlType, framing: Framing, value: Datum): void {
  switch (framing) {
    case 'none':
      if (value === null)
        throw new TypeError(`the engine gave NULL for a ${type.kind} that it called NOT NULL`);
      writeScalar(out, asScalar(type), value);
      return;
    case 'short':
      if (value === null) {
        out.u8(0);
        return;
      }
      out.u8(scalarLength(asScalar(type)));
      writeScalar(out, asScalar(type), value);
      return;
    case 'long': {
      if (value === null) {
        out.u16(LONG_NULL);
        return;
      }
      const bytes = padded(type, variableBytes(type, value));
      out.u16(bytes.length);
      out.bytes(bytes);
      return;
    }
    case 'chunks':
      writeChunks(out, value === null ? null : variableBytes(type, value));
      return;
    case 'textPointer': {
      if (value === null) {
        out.u8(0);
        return;
      }
      const bytes = variableBytes(type, value);
      out.u8(TEXT_POINTER.length);
      out.bytes(TEXT_POINTER);
      out.bytes(TIME_STAMP);
      out.u32(bytes.length);
      out.bytes(bytes);
      return;
    }
    case 'variant':
      if (value === null) {
        out.u32(0);
        return;
      }
      writeVariant(out, value);
      return;
    case 'null':
      return;
  }
}

function writeChunks(out: ByteWriter, bytes: Buffer | null): void {
  if (bytes === null) {
    out.u64(CHUNKED_NULL);
    return;
  }
  out.u64(BigInt(bytes.length));
  for (let start = 0; start < bytes.length; start += CHUNK_SIZE) {
    const chunk = bytes.subarray(start, start + CHUNK_SIZE);
    out.u32(chunk.length);
    out.bytes(chunk);
  }
  out.u32(0);
}

/** Values of types with a fixed length always fill it. */
function padded(type: SqlType, bytes: Buffer): Buffer {
  const length = paddedLength(type);
  if (bytes.length >= length) return bytes;
  const filled = Buffer.alloc(length, type.kind === 'char' ? ' ' : 0);
  if (type.kind === 'nchar') filled.fill(' ', 'utf16le');
  bytes.copy(filled);
  return filled;
}

function paddedLength(type: SqlType): number {
  switch (type.kind) {
    case 'char':
    case 'binary':
      return type.length === 'max' ? 0 : type.length;
    case 'nchar':
      return type.length === 'max' ? 0 : type.length * 2;
    default:
      return 0;
  }
}

/** Text pointers stand in rows of bulk loads, not in parameters. */
export function readValue(reader: ByteReader, wire: WireType, place: 'row' | 'parameter'): Datum {
  switch (wire.framing) {
    case 'none':
      return readScalar(asScalar(wire.type), reader.take(scalarLength(asScalar(wire.type))));
    case 'short': {
      const length = reader.u8();
      return length === 0 ? null : readScalar(asScalar(wire.type), reader.take(length));
    }
    case 'long': {
      const length = reader.u16();
      return length === LONG_NULL ? null : variableValue(wire, reader.take(length));
    }
    case 'chunks': {
      const bytes = readChunks(reader);
      return bytes === null ? null : variableValue(wire, bytes);
    }
    case 'textPointer':
      return readText(reader, wire, place);
    case 'variant':
      return readVariant(reader);
    case 'null':
      return null;
  }
}

function readChunks(reader: ByteReader): Buffer | null {
  const total = reader.u64();
  if (total === CHUNKED_NULL) return null;
  const chunks: Buffer[] = [];
  for (let length = reader.u32(); length !== 0; length = reader.u32()) chunks.push(reader.take(length));
  const whole = Buffer.concat(chunks);
  if (total !== CHUNKED_UNKNOWN_LENGTH && BigInt(whole.length) !== total) {
    throw new ProtocolError(`a value in chunks has ${whole.length} bytes instead of ${total}`);
  }
  return whole;
}

function readText(reader: ByteReader, wire: WireType, place: 'row' | 'parameter'): Datum {
  if (place === 'row') {
    const pointerLength = reader.u8();
    if (pointerLength === 0) return null;
    reader.take(pointerLength + TIME_STAMP.length);
  }
  const length = reader.i32();
  if (length === PARAMETER_NULL) return null;
  if (length < 0) throw new ProtocolError(`a text has ${length} bytes`);
  return variableValue(wire, reader.take(length));
}

/** Bytes are copied: what they are a view of is the buffer of a whole message. */
function variableValue({ type, characterSet }: WireType, bytes: Buffer): SqlValue {
  switch (type.kind) {
    case 'char':
    case 'varchar':
    case 'text':
    case 'nchar':
    case 'nvarchar':
    case 'ntext':
      return decodeCharacters(bytes, characterSet);
    case 'xml':
      return decodeCharacters(bytes, characterSet).replace(/^\uFEFF/, '');
    default:
      return Uint8Array.from(bytes);
  }
}
