/** The bytes of values whose length their type fixes, both ways. */
import type { DateAndTime, OffsetDateAndTime, SqlKind, SqlType, SqlValue } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import { ProtocolError } from './protocol-error.ts';
import { decimalLength, FIXED_TYPES, type FixedKind, timeLength } from './wire-type.ts';

/** 1900-01-01, from which `datetime` counts, in days since 0001-01-01. */
const DAYS_UNTIL_1900 = 693_595;
const TICKS_PER_MINUTE = 600_000_000n;
/** `datetime` counts 300ths of a second: three for each 100,000 ticks of 100 ns. */
const DATETIME_UNITS = 3n;
const DATETIME_TICKS = 100_000n;
const DATE_LENGTH = 3;
const OFFSET_LENGTH = 2;
const GUID_LENGTH = 16;
/** The first three groups of a GUID are numbers in little-endian order. */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

export type ScalarType =
  | { readonly kind: FixedKind | 'date' | 'uniqueidentifier' }
  | Extract<SqlType, { readonly kind: 'decimal' }>
  | { readonly kind: 'time' | 'datetime2' | 'datetimeoffset'; readonly scale: number };

/** An engine that hands over a value of another kind than its column has would otherwise send nonsense. */
export function unfit(type: SqlType, value: SqlValue): TypeError {
  return new TypeError(`the engine gave ${typeof value} for a column of type ${type.kind}`);
}

const toBigint = (type: SqlType, value: SqlValue): bigint => {
  if (typeof value !== 'bigint') throw unfit(type, value);
  return value;
};
const toNumber = (type: SqlType, value: SqlValue): number => {
  if (typeof value !== 'number') throw unfit(type, value);
  return value;
};
const toDateAndTime = (type: SqlType, value: SqlValue): DateAndTime => {
  if (typeof value !== 'object' || !('days' in value)) throw unfit(type, value);
  return value;
};
const toOffsetDateAndTime = (type: SqlType, value: SqlValue): OffsetDateAndTime => {
  if (typeof value !== 'object' || !('offset' in value)) throw unfit(type, value);
  return value;
};

const VARIABLE: ReadonlySet<SqlKind> = new Set([
  'char',
  'varchar',
  'nchar',
  'nvarchar',
  'binary',
  'varbinary',
  'text',
  'ntext',
  'image',
  'xml',
  'hierarchyid',
  'rowversion',
  'sql_variant',
]);
const isScalar = (type: SqlType): type is ScalarType => !VARIABLE.has(type.kind);

/** `type` as one whose values have a fixed length, which its framing said it is. */
export function asScalar(type: SqlType): ScalarType {
  if (!isScalar(type)) throw new TypeError(`values of type ${type.kind} have no fixed length`);
  return type;
}

export function scalarLength(type: ScalarType): number {
  switch (type.kind) {
    case 'decimal':
      return decimalLength(type.precision);
    case 'date':
      return DATE_LENGTH;
    case 'time':
      return timeLength(type.scale);
    case 'datetime2':
      return timeLength(type.scale) + DATE_LENGTH;
    case 'datetimeoffset':
      return timeLength(type.scale) + DATE_LENGTH + OFFSET_LENGTH;
    case 'uniqueidentifier':
      return GUID_LENGTH;
    default:
      return FIXED_TYPES[type.kind].length;
  }
}

export function writeScalar(out: ByteWriter, type: ScalarType, value: SqlValue): void {
  switch (type.kind) {
    case 'bit':
      if (typeof value !== 'boolean') throw unfit(type, value);
      out.u8(value ? 1 : 0);
      return;
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      out.integer(toBigint(type, value), FIXED_TYPES[type.kind].length);
      return;
    case 'real':
      out.f32(toNumber(type, value));
      return;
    case 'float':
      out.f64(toNumber(type, value));
      return;
    case 'smallmoney':
      out.integer(toBigint(type, value), 4);
      return;
    case 'money':
      out.integer(toBigint(type, value) >> 32n, 4); // the upper half comes first
      out.integer(toBigint(type, value), 4);
      return;
    case 'decimal':
      writeDecimal(out, type.precision, toBigint(type, value));
      return;
    case 'date':
      out.integer(BigInt(toNumber(type, value)), DATE_LENGTH);
      return;
    case 'time':
      writeTime(out, type.scale, toBigint(type, value));
      return;
    case 'datetime':
      writeDatetime(out, toDateAndTime(type, value));
      return;
    case 'smalldatetime': {
      const { days, ticks } = toDateAndTime(type, value);
      out.u16(days - DAYS_UNTIL_1900);
      out.u16(Number(ticks / TICKS_PER_MINUTE));
      return;
    }
    case 'datetime2':
      writeDatetime2(out, type.scale, toDateAndTime(type, value));
      return;
    case 'datetimeoffset': {
      const instant = toOffsetDateAndTime(type, value);
      writeDatetime2(out, type.scale, instant);
      out.integer(BigInt(instant.offset), OFFSET_LENGTH);
      return;
    }
    case 'uniqueidentifier': {
      if (typeof value !== 'string') throw unfit(type, value);
      const bytes = Buffer.from(value.replaceAll('-', ''), 'hex');
      out.bytes(Uint8Array.from(GUID_ORDER, (index) => bytes[index] ?? 0));
      return;
    }
  }
}

function writeDecimal(out: ByteWriter, precision: number, value: bigint): void {
  out.u8(value < 0n ? 0 : 1);
  out.integer(value < 0n ? -value : value, decimalLength(precision) - 1);
}

function writeTime(out: ByteWriter, scale: number, ticks: bigint): void {
  out.integer(ticks / 10n ** BigInt(7 - scale), timeLength(scale));
}

function writeDatetime2(out: ByteWriter, scale: number, { days, ticks }: DateAndTime): void {
  writeTime(out, scale, ticks);
  out.integer(BigInt(days), DATE_LENGTH);
}

function writeDatetime(out: ByteWriter, { days, ticks }: DateAndTime): void {
  out.i32(days - DAYS_UNTIL_1900);
  out.u32(Number((ticks * DATETIME_UNITS + DATETIME_TICKS / 2n) / DATETIME_TICKS));
}

const unsigned = (bytes: Buffer): bigint => {
  let result = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) result = (result << 8n) | BigInt(bytes[index] ?? 0);
  return result;
};
const signed = (bytes: Buffer): bigint => BigInt.asIntN(bytes.length * 8, unsigned(bytes));

export function readScalar(type: ScalarType, bytes: Buffer): SqlValue {
  if (type.kind === 'decimal') return readDecimal(bytes);
  if (bytes.length !== scalarLength(type)) {
    throw new ProtocolError(`a value of type ${type.kind} has ${bytes.length} bytes`);
  }
  switch (type.kind) {
    case 'bit':
      return bytes[0] !== 0;
    case 'tinyint':
    case 'date': {
      const value = unsigned(bytes);
      return type.kind === 'date' ? Number(value) : value;
    }
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'smallmoney':
      return signed(bytes);
    case 'money':
      return (signed(bytes.subarray(0, 4)) << 32n) | unsigned(bytes.subarray(4));
    case 'real':
      return bytes.readFloatLE();
    case 'float':
      return bytes.readDoubleLE();
    case 'time':
      return readTime(type.scale, bytes);
    case 'datetime':
      return {
        days: bytes.readInt32LE(0) + DAYS_UNTIL_1900,
        ticks: (BigInt(bytes.readUInt32LE(4)) * DATETIME_TICKS + 1n) / DATETIME_UNITS,
      };
    case 'smalldatetime':
      return {
        days: bytes.readUInt16LE(0) + DAYS_UNTIL_1900,
        ticks: BigInt(bytes.readUInt16LE(2)) * TICKS_PER_MINUTE,
      };
    case 'datetime2':
      return readDatetime2(type.scale, bytes);
    case 'datetimeoffset':
      return { ...readDatetime2(type.scale, bytes), offset: bytes.readInt16LE(bytes.length - OFFSET_LENGTH) };
    case 'uniqueidentifier':
      return readGuid(bytes);
  }
}

/** Clients may send fewer bytes than the precision needs. */
function readDecimal(bytes: Buffer): bigint {
  const magnitude = unsigned(bytes.subarray(1));
  return bytes[0] === 0 ? -magnitude : magnitude;
}

function readTime(scale: number, bytes: Buffer): bigint {
  return unsigned(bytes.subarray(0, timeLength(scale))) * 10n ** BigInt(7 - scale);
}

function readDatetime2(scale: number, bytes: Buffer): DateAndTime {
  const start = timeLength(scale);
  const days = Number(unsigned(bytes.subarray(start, start + DATE_LENGTH)));
  return { days, ticks: readTime(scale, bytes) };
}

function readGuid(bytes: Buffer): string {
  const hex = Buffer.from(GUID_ORDER.map((index) => bytes[index] ?? 0))
    .toString('hex')
    .toUpperCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
