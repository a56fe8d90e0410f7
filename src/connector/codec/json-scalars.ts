/** Scalars of a declared type in JSON: the form a reader of the document expects, without any wrapping. */

import { decimalToText } from '../../schema/decimal128.ts';
import type { ScalarValue, ValueType } from '../../schema/value.ts';
import { DataError } from '../errors.ts';
import { dateFromText, isoInstant } from './date-text.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { isArray, isObject, type Json, JsonNumber, jsonKind } from './json-text.ts';
import { unwrapped } from './mixed-json.ts';
import { isSameNumber, wholeDigits } from './number-text.ts';

type PlainType = Exclude<ValueType, 'mixed' | 'link'>;

const SMALLEST_INT = -(1n << 63n);
const LARGEST_INT = (1n << 63n) - 1n;
const OBJECT_ID = /^[0-9a-f]{24}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const BYTEA = /^\\x(?:[0-9a-f]{2})*$/i;

/**
 * Also reads the form in which a mixed value of the type stands, and numbers that stand as strings. Throws
 * `DataError` on what the type cannot hold.
 */
export function scalarFromJson(json: Json, type: PlainType): ScalarValue {
  if (isObject(json)) {
    const value = unwrapped(json);
    if (value?.type === type) return value;
    throw new DataError(`an object stands where a ${type} is expected`);
  }
  switch (type) {
    case 'int':
      return intFrom(numberText(json, type));
    case 'double':
      return { type: 'double', value: exactly(numberText(json, type), doubleFromText, doubleToText, type) };
    case 'float':
      return { type: 'float', value: exactly(numberText(json, type), floatFromText, floatToText, type) };
    case 'decimal128':
      return decimalFromText(numberText(json, type));
    case 'bool':
      if (typeof json === 'boolean') return { type, value: json };
      throw unexpected(json, type);
    default:
      if (typeof json !== 'string' || isArray(json)) throw unexpected(json, type);
      return textual(json, type);
  }
}

function textual(
  text: string,
  type: Exclude<PlainType, 'int' | 'double' | 'float' | 'decimal128' | 'bool'>,
): ScalarValue {
  switch (type) {
    case 'string':
      return { type, value: text };
    case 'date':
      return dateFromText(text);
    case 'data':
      if (BASE64.test(text)) return { type, value: Buffer.from(text, 'base64') };
      if (BYTEA.test(text)) return { type, value: Buffer.from(text.slice(2), 'hex') };
      throw new DataError(`${JSON.stringify(text)} is no base64`);
    case 'objectId':
      if (OBJECT_ID.test(text.toLowerCase())) return { type, value: text.toLowerCase() };
      throw new DataError(`${JSON.stringify(text)} is no 24 hexadecimal digits`);
    case 'uuid':
      if (UUID.test(text.toLowerCase())) return { type, value: text.toLowerCase() };
      throw new DataError(`${JSON.stringify(text)} is not of the form 8-4-4-4-12`);
  }
}

function numberText(json: Json, type: PlainType): string {
  if (json instanceof JsonNumber) return json.text;
  if (typeof json === 'string') return json;
  throw unexpected(json, type);
}

function intFrom(text: string): ScalarValue {
  const digits = wholeDigits(text);
  if (digits === undefined) throw new DataError(`${JSON.stringify(text)} is no whole number`);
  const value = BigInt(digits);
  if (value < SMALLEST_INT || value > LARGEST_INT) throw new DataError(`${text} is beyond 64 bits`);
  return { type: 'int', value };
}

function exactly(
  text: string,
  read: (text: string) => number,
  write: (value: number) => string,
  type: PlainType,
): number {
  const value = read(text);
  if (isSameNumber(text, write(value))) return value;
  throw new DataError(`${text} has more digits than a ${type} holds`);
}

function unexpected(json: Json, type: PlainType): DataError {
  return new DataError(`${jsonKind(json)} stands where a ${type} is expected`);
}

/** Longest number that is written out; beyond it a string says the same in fewer digits. */
const LONGEST_NUMBER = 60;

export function scalarToJson(value: Exclude<ScalarValue, { type: 'null' | 'link' }>): Json {
  switch (value.type) {
    case 'int':
      return new JsonNumber(String(value.value));
    case 'double':
      return numberOrString(doubleToText(value.value));
    case 'float':
      return numberOrString(floatToText(value.value));
    case 'decimal128':
      return numberOrString(decimalToText(value));
    case 'date':
      return isoInstant(value);
    case 'data':
      return Buffer.from(value.value).toString('base64');
    default:
      return value.value;
  }
}

/** What JSON has no number for, and what a database may write out in hundreds of digits, stands as a string. */
function numberOrString(text: string): Json {
  if (text.startsWith('-0') && isSameNumber(text, '0')) return text;
  const power = Math.abs(Number(/[eE]([+-]?\d+)$/.exec(text)?.[1] ?? 0));
  return /^-?\d/.test(text) && power + text.length <= LONGEST_NUMBER ? new JsonNumber(text) : text;
}
