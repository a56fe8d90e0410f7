/**
 * Values of `mixed` as JSON, nested to any depth. What JSON has no form for is wrapped in an object with one `$`-name,
 * so that each value comes back with its type; a dictionary that looks like such an object is wrapped itself.
 */

import { decimalToText, sameDecimal } from '../../schema/decimal128.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { DataError } from '../errors.ts';
import { dateFromText, isoInstant } from './date-text.ts';
import { decimalFromText } from './decimal-text.ts';
import { doubleFromText, doubleToText, floatFromText, floatToText } from './float-text.ts';
import { isArray, isObject, type Json, JsonNumber, MAX_JSON_DEPTH } from './json-text.ts';
import { isSameNumber, wholeDigits } from './number-text.ts';

/** A sign and the digits of an integer. */
const LONGEST_INT = 20;
const FINITE = /^-?\d/;
const MAX_INT = (1n << 63n) - 1n;
const DICTIONARY = '$dictionary';
const LINK = '$link';

export function mixedFromJson(json: Json): StateValue {
  if (json === null) return NULL;
  if (typeof json === 'boolean') return { type: 'bool', value: json };
  if (typeof json === 'string') return { type: 'string', value: json };
  if (json instanceof JsonNumber) return numberFromText(json.text);
  if (isArray(json)) return { type: 'list', items: json.map(mixedFromJson) };
  if (!isObject(json)) throw new DataError('it is no JSON');
  const wrapped = unwrapped(json);
  if (wrapped !== undefined) return wrapped;
  const members = dictionaryInside(json) ?? json;
  return {
    type: 'dictionary',
    entries: new Map([...members].map(([name, member]) => [name, mixedFromJson(member)])),
  };
}

/** Throws `DataError` for what stands in no mixed value, and for links to objects without a key of their own. */
export function mixedToJson(value: StateValue, depth = 0): Json {
  if (depth > MAX_JSON_DEPTH) throw new DataError(`the value is nested deeper than ${MAX_JSON_DEPTH} levels`);
  switch (value.type) {
    case 'list':
      return value.items.map((item) => mixedToJson(item, depth + 1));
    case 'dictionary': {
      const members = new Map<string, Json>();
      for (const [name, entry] of value.entries) members.set(name, mixedToJson(entry, depth + 1));
      return isSpecial(members) ? new Map([[DICTIONARY, members]]) : members;
    }
    case 'object':
    case 'set':
      throw new DataError(`a mixed value holds no ${value.type === 'set' ? 'set' : 'embedded object'}`);
    default:
      return scalarToJson(value);
  }
}

function scalarToJson(value: ScalarValue): Json {
  switch (value.type) {
    case 'null':
      return null;
    case 'int':
      return new JsonNumber(String(value.value));
    case 'bool':
    case 'string':
      return value.value;
    case 'double':
      return bareDouble(value.value) ?? wrap('$double', doubleToText(value.value));
    case 'float':
      return wrap('$float', floatToText(value.value));
    case 'decimal128': {
      const text = decimalToText(value);
      return isBareDecimal(text, value) ? new JsonNumber(text) : wrap('$decimal128', text);
    }
    case 'date':
      return wrap('$date', isoInstant(value));
    case 'data':
      return wrap('$data', Buffer.from(value.value).toString('base64'));
    case 'objectId':
      return wrap('$objectId', value.value);
    case 'uuid':
      return wrap('$uuid', value.value);
    case 'link':
      return new Map([
        [
          LINK,
          new Map<string, Json>([
            ['class', value.table],
            ['key', keyToJson(value.key)],
          ]),
        ],
      ]);
  }
}

function wrap(name: string, text: string): Json {
  return new Map([[name, text]]);
}

/**
 * What a database makes of a number counts, which may write it out in full: without fraction it is an integer, with one a
 * double; where that would lose digits it is a decimal. Throws `DataError` on more digits than a decimal holds.
 */
function numberFromText(text: string): ScalarValue {
  const digits = hasFraction(text) ? undefined : wholeDigits(text);
  if (digits !== undefined && digits.length <= LONGEST_INT) {
    const value = BigInt(digits);
    if (value <= MAX_INT && value >= -MAX_INT - 1n) return { type: 'int', value };
  }
  if (!hasFraction(text)) return decimalFromText(text);
  const value = Number(text);
  // A number of a document may be a decimal, which knows no negative zero.
  return isSameNumber(text, doubleToText(value))
    ? { type: 'double', value: value + 0 }
    : decimalFromText(text);
}

function hasFraction(text: string): boolean {
  const exponent = text.search(/e/i);
  const mantissa = exponent < 0 ? text : text.slice(0, exponent);
  const point = mantissa.indexOf('.');
  const places = point < 0 ? 0 : mantissa.length - point - 1;
  return places > (exponent < 0 ? 0 : Number(text.slice(exponent + 1)));
}

/** Undefined for a number that would come back as another one: a database may write 1e300 out as a whole number. */
function bareDouble(value: number): JsonNumber | undefined {
  if (!Number.isFinite(value) || Object.is(value, -0)) return undefined;
  const text = String(value);
  if (text.includes('e+')) return undefined;
  return new JsonNumber(Number.isInteger(value) ? `${text}.0` : text);
}

function isBareDecimal(text: string, value: ScalarValue & { type: 'decimal128' }): boolean {
  if (!FINITE.test(text)) return false;
  const read = numberFromText(text);
  return read.type === 'decimal128' && sameDecimal(read, value);
}

/** The value of an object that stands for a scalar; undefined for all others, also for those with a `$`-name. */
export function unwrapped(json: ReadonlyMap<string, Json>): ScalarValue | undefined {
  if (json.size !== 1) return undefined;
  const [[name, inner] = ['', null]] = json;
  if (!name.startsWith('$')) return undefined;
  if (name === LINK) return isObject(inner) ? linkFromJson(inner) : undefined;
  if (typeof inner !== 'string') return undefined;
  try {
    return scalarOf(name, inner);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const OBJECT_ID = /^[0-9a-f]{24}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function scalarOf(name: string, text: string): ScalarValue | undefined {
  switch (name) {
    case '$double':
      return { type: 'double', value: doubleFromText(text) };
    case '$float':
      return { type: 'float', value: floatFromText(text) };
    case '$decimal128':
      return decimalFromText(text);
    case '$date':
      return dateFromText(text);
    case '$data':
      return BASE64.test(text) ? { type: 'data', value: Buffer.from(text, 'base64') } : undefined;
    case '$objectId':
      return OBJECT_ID.test(text) ? { type: 'objectId', value: text } : undefined;
    case '$uuid':
      return UUID.test(text) ? { type: 'uuid', value: text } : undefined;
    default:
      return undefined;
  }
}

/** A key is never a mixed value's null: such an object has none. */
function linkFromJson(json: ReadonlyMap<string, Json>): ScalarValue | undefined {
  const table = json.get('class');
  const key = json.get('key');
  if (json.size !== 2 || typeof table !== 'string' || key === undefined || isArray(key)) return undefined;
  const value = isObject(key) ? unwrapped(key) : mixedFromJson(key);
  switch (value?.type) {
    case 'int':
    case 'string':
    case 'objectId':
    case 'uuid':
    case 'null':
      return { type: 'link', table, key: value };
    default:
      return undefined;
  }
}

function keyToJson(key: PrimaryKey): Json {
  if (key.type === 'globalKey')
    throw new DataError('a link to an object without primary key has no form in JSON');
  return scalarToJson(key);
}

/** What a dictionary looks like that had to be wrapped. */
function dictionaryInside(json: ReadonlyMap<string, Json>): ReadonlyMap<string, Json> | undefined {
  const inner = json.size === 1 ? json.get(DICTIONARY) : undefined;
  return inner !== undefined && isObject(inner) && isSpecial(inner) ? inner : undefined;
}

function isSpecial(json: ReadonlyMap<string, Json>): boolean {
  return unwrapped(json) !== undefined || dictionaryInside(json) !== undefined;
}
