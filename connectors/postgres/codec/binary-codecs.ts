/** Values that the database holds as bytes, in the hexadecimal form of `bytea`. */
import { objectIdFromText } from '../../../src/connector/codec/id-codecs.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';

export const BYTEA = /^\\x(?:[0-9a-f]{2})*$/i;

export const dataCodec: ValueCodec = {
  toRealm: (text) => {
    if (!BYTEA.test(text)) throw new DataError('not in the hexadecimal form of bytea');
    return { type: 'data', value: Buffer.from(text.slice(2), 'hex') };
  },
  toSql: (value) => {
    if (value.type !== 'data') throw misplaced(value.type);
    const { buffer, byteOffset, byteLength } = value.value;
    return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
  },
};

export const binaryObjectIdCodec: ValueCodec = {
  toRealm: (text) => objectIdFromText(text.startsWith('\\x') ? text.slice(2) : text),
  toSql: (value) => {
    if (value.type !== 'objectId') throw misplaced(value.type);
    return `\\x${value.value}`;
  },
};
