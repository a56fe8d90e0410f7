/** Truth in columns of numbers. */
import type { ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { misplaced } from './misplaced.ts';

/** `1` and `0`; other numbers are no truth values. */
export const numericBoolCodec: ValueCodec = {
  toRealm: (text) => {
    if (text !== '1' && text !== '0') throw new DataError('neither 0 nor 1');
    return { type: 'bool', value: text === '1' };
  },
  toSql: (value) => {
    if (value.type !== 'bool') throw misplaced(value.type);
    return value.value ? '1' : '0';
  },
};
