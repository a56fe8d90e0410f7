/**
 * Values of `mixed` properties as JSON documents. What JSON has no form for is wrapped in an object with one
 * `$`-name, so that each value comes back with its type.
 */
import { DataError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import { NULL, type ScalarValue } from '../../../src/schema/value.ts';
import { dateFromText, dateToText } from './date-text.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';

const INTEGER = /^-?\d+$/;
const MAX_INT = (1n << 63n) - 1n;

export function mixedToText(value: ScalarValue): string | null {
  switch (value.type) {
    case 'null':
      return null;
    case 'int':
      return String(value.value);
    case 'bool':
      return String(value.value);
    case 'string':
      if (value.value.includes('\0'))
        throw new DataError('PostgreSQL cannot hold the character NUL in a text');
      return JSON.stringify(value.value);
    case 'double':
      return wrapped('$double', doubleToText(value.value));
    case 'float':
      return wrapped('$float', floatToText(value.value));
    case 'decimal128':
      return wrapped('$decimal128', decimalToText(value));
    case 'date':
      return wrapped('$date', dateToText(value));
    case 'data':
      return wrapped('$data', Buffer.from(value.value).toString('base64'));
    case 'objectId':
      return wrapped('$objectId', value.value);
    case 'uuid':
      return wrapped('$uuid', value.value);
    case 'link':
      throw new DataError(`a link to ${value.table} has no form in a JSON column`);
  }
}

function wrapped(name: string, text: string): string {
  return `{${JSON.stringify(name)}: ${JSON.stringify(text)}}`;
}

/** Reads back what {@link mixedToText} wrote; any other JSON number, boolean or string as its nearest value. */
export function mixedFromText(text: string): ScalarValue {
  const bare = text.trim();
  if (INTEGER.test(bare)) {
    const value = BigInt(bare);
    return value <= MAX_INT && value >= -MAX_INT - 1n ? { type: 'int', value } : decimalFromText(bare);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(bare);
  } catch (cause) {
    throw new DataError(`${JSON.stringify(text)} is no JSON`, { cause });
  }
  if (parsed === null) return NULL;
  if (typeof parsed === 'boolean') return { type: 'bool', value: parsed };
  if (typeof parsed === 'number') return { type: 'double', value: doubleFromText(bare) };
  if (typeof parsed === 'string') return { type: 'string', value: parsed };
  const entries: readonly (readonly [string, unknown])[] =
    typeof parsed === 'object' ? Object.entries(parsed) : [];
  const [name, inner] = entries[0] ?? [];
  if (name === undefined || typeof inner !== 'string' || entries.length !== 1) {
    throw new DataError(`the document ${text} is no single value`);
  }
  return unwrapped(name, inner, text);
}

function unwrapped(name: string, inner: string, text: string): ScalarValue {
  switch (name) {
    case '$double':
      return { type: 'double', value: doubleFromText(inner) };
    case '$float':
      return { type: 'float', value: floatFromText(inner) };
    case '$decimal128':
      return decimalFromText(inner);
    case '$date':
      return dateFromText(inner);
    case '$data':
      return { type: 'data', value: Buffer.from(inner, 'base64') };
    case '$objectId':
      return { type: 'objectId', value: inner };
    case '$uuid':
      return { type: 'uuid', value: inner };
    default:
      throw new DataError(`the document ${text} is no single value`);
  }
}
