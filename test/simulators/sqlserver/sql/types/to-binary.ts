/** Conversions to binary, varbinary, image and rowversion. */
import type { SqlType, SqlValue } from '../../contract.ts';
import { notSimulated } from '../failures.ts';
import { encodeVarchar } from './code-page.ts';
import {
  type ConversionContext,
  conversionFailure,
  errorConverting,
  notAllowed,
} from './conversion-context.ts';
import { isBinary, isCharacter, isInteger, isLargeObject, isMoney, isUnicode } from './families.ts';
import { guidBytes } from './guid.ts';
import { rangeOf } from './to-number.ts';

const ROWVERSION_LENGTH = 8;

export function toBinary(
  value: SqlValue,
  from: SqlType,
  to: SqlType,
  context: ConversionContext,
): Uint8Array {
  const bytes = bytesOf(value, from, to, context);
  if (to.kind === 'rowversion') return fitted(bytes, ROWVERSION_LENGTH, isNumber(from), true);
  if (!isBinary(to) || to.length === 'max') return bytes;
  return fitted(bytes, to.length, isNumber(from), to.kind === 'binary');
}

function isNumber(type: SqlType): boolean {
  return isInteger(type) || isMoney(type) || type.kind === 'bit';
}

/** Numbers keep their right end, everything else its left one. */
function fitted(bytes: Uint8Array, length: number, number: boolean, pad: boolean): Uint8Array {
  if (bytes.length > length)
    return number ? bytes.subarray(bytes.length - length) : bytes.subarray(0, length);
  if (bytes.length === length || !pad) return bytes;
  const padded = new Uint8Array(length);
  padded.set(bytes, number ? length - bytes.length : 0);
  return padded;
}

function bytesOf(value: SqlValue, from: SqlType, to: SqlType, context: ConversionContext): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (isCharacter(from) || isLargeObject(from)) return textBytes(value as string, from, to, context);
  if (from.kind === 'uniqueidentifier') return guidBytes(value as string);
  if (from.kind === 'bit') return Uint8Array.of(value === true ? 1 : 0);
  if (isInteger(from) || isMoney(from)) return integerBytes(value as bigint, rangeOf(from).bytes);
  if (from.kind === 'xml') return new Uint8Array(Buffer.from(`\ufeff${value as string}`, 'utf16le'));
  if (from.kind === 'decimal' || from.kind === 'float' || from.kind === 'real' || typeof value === 'object')
    throw notSimulated(`Converting ${from.kind} to ${to.kind}`);
  throw notAllowed(from, to);
}

function integerBytes(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function textBytes(text: string, from: SqlType, to: SqlType, context: ConversionContext): Uint8Array {
  const { style = 0 } = context;
  if (style === 0)
    return isUnicode(from)
      ? new Uint8Array(Buffer.from(text, 'utf16le'))
      : encodeVarchar(text, context.collation);
  if (style !== 1 && style !== 2)
    throw conversionFailure(291, `CAST or CONVERT: invalid attributes specified for type '${to.kind}'`);
  const digits = style === 1 ? (/^0x/i.test(text) ? text.slice(2) : 'no') : text;
  if (digits.length % 2 !== 0 || !/^[0-9A-F]*$/i.test(digits)) throw errorConverting(from, to);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
