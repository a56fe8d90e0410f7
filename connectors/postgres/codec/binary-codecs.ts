/** Values that the database holds as bytes or shows as hexadecimal digits. */
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { ScalarValue } from '../../../src/schema/value.ts';

export const BYTEA = /^\\x(?:[0-9a-f]{2})*$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OBJECT_ID = /^[0-9a-f]{24}$/;

export const dataCodec: ValueCodec = {
  toRealm: (text) => {
    if (!BYTEA.test(text)) throw new DataError('not in the hexadecimal form of bytea');
    return { type: 'data', value: Buffer.from(text.slice(2), 'hex') };
  },
  toSql: (value) => {
    if (value.type !== 'data') throw unexpected(value);
    const { buffer, byteOffset, byteLength } = value.value;
    return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
  },
};

export const uuidCodec: ValueCodec = {
  toRealm: (text) => {
    const value = text.trimEnd().toLowerCase();
    if (!UUID.test(value)) throw new DataError('not of the form 8-4-4-4-12');
    return { type: 'uuid', value };
  },
  toSql: (value) => {
    if (value.type !== 'uuid') throw unexpected(value);
    return value.value;
  },
};

export const objectIdCodec: ValueCodec = {
  toRealm: (text) => objectId(text.trimEnd()),
  toSql: (value) => {
    if (value.type !== 'objectId') throw unexpected(value);
    return value.value;
  },
};

export const binaryObjectIdCodec: ValueCodec = {
  toRealm: (text) => objectId(text.startsWith('\\x') ? text.slice(2) : text),
  toSql: (value) => {
    if (value.type !== 'objectId') throw unexpected(value);
    return `\\x${value.value}`;
  },
};

function objectId(text: string): ScalarValue {
  const value = text.toLowerCase();
  if (!OBJECT_ID.test(value)) throw new DataError('not 24 hexadecimal digits');
  return { type: 'objectId', value };
}

// The types are compared before a codec is asked, so each sees only its own.
function unexpected(value: ScalarValue): DataError {
  return new DataError(`a ${value.type} does not belong here`);
}
