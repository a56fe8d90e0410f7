/** String properties, which may stand on a column of any type, and see the server's own text of it. */

import {
  isArray,
  isObject,
  type Json,
  JsonNumber,
  jsonKind,
  parseJson,
} from '../../../src/connector/codec/json-text.ts';
import type { StoredType, ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { type ArrayItem, DEFAULT_DELIMITER, formatArray, hasOwnBounds, parseArray } from './array-text.ts';
import { BYTEA } from './binary-codecs.ts';
import { requireText, storableJson } from './storable-text.ts';

/** NAMEDATALEN − 1; the server cuts longer ones without a word. */
const LONGEST_NAME_BYTES = 63;

export function stringCodec(baseType: string): ValueCodec {
  switch (baseType) {
    case 'bpchar':
      return codec(withoutPadding, requireText);
    case 'bytea':
      return codec(same, (text) =>
        BYTEA.test(text) ? text : `\\x${Buffer.from(requireText(text)).toString('hex')}`,
      );
    case 'name':
      return codec(same, (text) => requireBytes(requireText(text), LONGEST_NAME_BYTES, 'name'));
    case 'char':
      return codec(wholeCharacter, (text) =>
        OCTAL.test(text) ? text : requireBytes(requireText(text), 1, '"char"'),
      );
    default:
      return codec(same, requireText);
  }
}

function codec(read: (text: string) => string, write: (text: string) => string): ValueCodec {
  return {
    toRealm: (text) => ({ type: 'string', value: read(text) }),
    toSql: (value) => {
      if (value.type !== 'string') throw new DataError(`a ${value.type} does not belong here`);
      return write(value.value);
    },
  };
}

function same(text: string): string {
  return text;
}

/** The form in which `"char"` shows a byte that is no ASCII, from version 16 on. */
const OCTAL = /^\\[0-3][0-7]{2}$/;

/** Before version 16 the server sends such a byte as it is, and nobody knows any more which it was. */
function wholeCharacter(text: string): string {
  if (text !== '\ufffd') return text;
  throw new DataError('a "char" that is no ASCII cannot be read from this version of PostgreSQL');
}

function requireBytes(text: string, most: number, type: string): string {
  if (Buffer.byteLength(text) <= most) return text;
  throw new DataError(`a ${type} holds at most ${most} byte${most === 1 ? '' : 's'}`);
}

/** Only blanks: the server pads with them alone. */
function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

const NUMERIC_TYPES = new Set(['int2', 'int4', 'int8', 'oid', 'numeric', 'float4', 'float8']);
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Arrays as JSON, whose numbers and booleans are bare and whose other elements are strings in the server's form. An
 * array whose indexes do not begin at 1 stays in the server's form, for which JSON has no words; both are taken back.
 */
export function arrayStringCodec(element: StoredType): ValueCodec {
  const delimiter = element.delimiter ?? DEFAULT_DELIMITER;
  const toJson = (item: ArrayItem): Json => {
    if (item === null) return null;
    if (typeof item !== 'string') return item.map(toJson);
    if (NUMERIC_TYPES.has(element.baseType) && JSON_NUMBER.test(item)) return new JsonNumber(item);
    return element.baseType === 'bool' ? item === 't' : item;
  };
  return codec(
    (text) => (hasOwnBounds(text) ? text : storableJson(parseArray(text, delimiter).map(toJson))),
    (text) => {
      requireText(text);
      if (text.startsWith('{') || hasOwnBounds(text)) return text;
      const json = parseJson(text);
      if (!isArray(json)) throw new DataError(`${jsonKind(json)} stands where an array is expected`);
      return formatArray(json.map(itemFromJson), delimiter);
    },
  );
}

function itemFromJson(json: Json): ArrayItem {
  if (json === null || typeof json === 'string') return json;
  if (typeof json === 'boolean') return json ? 't' : 'f';
  if (json instanceof JsonNumber) return json.text;
  if (isArray(json)) return json.map(itemFromJson);
  if (isObject(json)) return storableJson(json);
  throw new DataError('it is no JSON');
}
