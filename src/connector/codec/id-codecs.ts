/** Ids that columns hold as texts. */
import type { ScalarValue } from '../../schema/value.ts';
import type { ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { misplaced } from './misplaced.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OBJECT_ID = /^[0-9a-f]{24}$/;

/** Padding and capital letters are not part of the id. */
export const uuidCodec: ValueCodec = {
  toRealm: (text) => ({ type: 'uuid', value: uuidFromText(text) }),
  toSql: (value) => {
    if (value.type !== 'uuid') throw misplaced(value.type);
    return value.value;
  },
};

export const objectIdCodec: ValueCodec = {
  toRealm: (text) => objectIdFromText(text.trimEnd()),
  toSql: (value) => {
    if (value.type !== 'objectId') throw misplaced(value.type);
    return value.value;
  },
};

/** In small letters. Throws `DataError`. */
export function uuidFromText(text: string): string {
  const value = text.trimEnd().toLowerCase();
  if (!UUID.test(value)) throw new DataError('not of the form 8-4-4-4-12');
  return value;
}

/** Throws `DataError` on what is no 24 hexadecimal digits. */
export function objectIdFromText(text: string): ScalarValue {
  const value = text.toLowerCase();
  if (!OBJECT_ID.test(value)) throw new DataError('not 24 hexadecimal digits');
  return { type: 'objectId', value };
}
