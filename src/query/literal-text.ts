/** Literals between their spelling in a query and their value, in both directions. */
import { decimalFromText, decimalToText } from '../schema/decimal128.ts';
import { type DateValue, keyToken, type ScalarValue } from '../schema/value.ts';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

export function isInt64(value: bigint): boolean {
  return value >= MIN_INT && value <= MAX_INT;
}

/** Numbers: an integer, a fraction or an exponent, the suffix `f` for float. Undefined when no int64 can hold it. */
export function numberValue(text: string): { value: ScalarValue; decimal?: string } | undefined {
  if (/^(?:[+-]?\d+|0[xX].+)$/.test(text)) {
    const value = BigInt(text.replace(/^\+/, ''));
    return isInt64(value) ? { value: { type: 'int', value } } : undefined;
  }
  if (text.endsWith('f')) return { value: { type: 'float', value: Math.fround(Number(text.slice(0, -1))) } };
  return { value: { type: 'double', value: Number(text) }, decimal: text };
}

const SHORT_DATE = /^T([+-]?\d+):([+-]?\d+)$/;
const LONG_DATE = /^(\d+)-(\d+)-(\d+)[@T](\d+):(\d+):(\d+)(?::(\d+))?$/;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** `T<seconds>:<nanoseconds>` or `2020-01-02@03:04:05:6`, where the last part counts nanoseconds. Or why not. */
export function dateValue(text: string): DateValue | string {
  const short = SHORT_DATE.exec(text);
  if (short !== null) return shortDate(BigInt(short[1]!), BigInt(short[2]!));
  const parts = LONG_DATE.exec(text);
  if (parts === null) return 'this is no date';
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  // Date.UTC takes years below 100 for the 20th century.
  const instant = new Date(0);
  instant.setUTCFullYear(year!, month! - 1, day!);
  instant.setUTCHours(hour!, minute!, second!);
  if (Number.isNaN(instant.getTime())) return 'this date is out of range';
  return moved(BigInt(instant.getTime() / 1000), BigInt(parts[7] ?? 0));
}

function shortDate(seconds: bigint, nanoseconds: bigint): DateValue | string {
  if ((seconds < 0n && nanoseconds > 0n) || (seconds > 0n && nanoseconds < 0n))
    return 'seconds and nanoseconds of a date must have the same sign';
  if (!isInt64(seconds)) return 'this date is out of range';
  if (nanoseconds >= NANOSECONDS_PER_SECOND || nanoseconds <= -NANOSECONDS_PER_SECOND)
    return 'the nanoseconds of a date are less than a second';
  return { type: 'date', seconds, nanoseconds: Number(nanoseconds) };
}

/** Before 1970 the nanoseconds count away from the epoch like the seconds, as clients print and read them. */
function moved(seconds: bigint, nanoseconds: bigint): DateValue | string {
  if (nanoseconds >= NANOSECONDS_PER_SECOND) return 'the nanoseconds of a date are less than a second';
  const signed = Number(seconds < 0n ? -nanoseconds : nanoseconds);
  // Adding 0 avoids the negative zero.
  return { type: 'date', seconds, nanoseconds: signed + 0 };
}

/** Characters that a quoted string may hold unescaped; anything else is written in base64, as clients do. */
const PLAIN = /^[a-zA-Z0-9 {|}~:;<=>?@!#$%&()*+,\-./[\]^_`\u00a0-\uffff]*$/;

export function stringText(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : `B64"${Buffer.from(value, 'utf8').toString('base64')}"`;
}

/** The canonical spelling of a value; the parser reads back the same value and type. */
export function valueText(value: ScalarValue): string {
  switch (value.type) {
    case 'null':
      return 'NULL';
    case 'int':
      return value.value.toString();
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'string':
      return stringText(value.value);
    case 'data':
      return `binary(B64"${Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength).toString('base64')}")`;
    case 'date':
      return `T${value.seconds}:${value.nanoseconds}`;
    case 'float':
      return Number.isFinite(value.value) ? `${doubleText(value.value)}f` : doubleText(value.value);
    case 'double':
      return doubleText(value.value);
    case 'decimal128':
      return `decimal128(${decimalToText(value)})`;
    case 'objectId':
      return `oid(${value.value})`;
    case 'uuid':
      return `uuid(${value.value})`;
    case 'link':
      return `obj(${stringText(value.table)},${keyText(value.key)})`;
  }
}

type LinkKey = Extract<ScalarValue, { type: 'link' }>['key'];

function keyText(key: LinkKey): string {
  return key.type === 'globalKey' ? stringText(keyToken(key).slice(1)) : valueText(key);
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** The value as decimal128, where that is exact. */
export function decimalOf(text: string): ScalarValue | undefined {
  try {
    return decimalFromText(text);
  } catch {
    return undefined;
  }
}
