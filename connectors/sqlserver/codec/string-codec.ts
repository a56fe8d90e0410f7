/**
 * String properties, which may stand on a column of any type and see the text that the server shows (column-text.ts). A
 * text that is written the other way round must say what the column then holds: exactly, in whichever form.
 */
import { uuidFromText } from '../../../src/connector/codec/id-codecs.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { SqlType } from '../sql-type.ts';
import { bytesFromText, storedBytes } from './binary-texts.ts';
import { NUMBERS, storedNumber } from './number-texts.ts';
import { storedText } from './stored-text.ts';
import { storedTime } from './time-texts.ts';
import { storedVariant } from './variant-codec.ts';

const PATH = /^\/(?:-?\d+(?:\.-?\d+)*\/)*$/;

export function stringCodec(type: SqlType): ValueCodec {
  const stored = storedForm(type);
  return {
    toRealm: (text) => {
      if (!text.isWellFormed()) throw new DataError('the text has half a surrogate pair');
      return { type: 'string', value: text };
    },
    toSql: (value) => {
      if (value.type !== 'string') throw misplaced(value.type);
      return stored(value.value);
    },
  };
}

function storedForm(type: SqlType): (text: string) => string {
  if (NUMBERS.includes(type.name)) return (text) => storedNumber(text.trim(), type);
  switch (type.name) {
    case 'date':
    case 'time':
    case 'smalldatetime':
    case 'datetime':
    case 'datetime2':
    case 'datetimeoffset':
      return (text) => storedTime(text, type);
    case 'uniqueidentifier':
      return uuidFromText;
    case 'binary':
    case 'varbinary':
    case 'image':
    case 'rowversion':
      return (text) => storedBytes(bytesFromText(text), type);
    case 'hierarchyid':
      return (text) => {
        if (!PATH.test(text)) throw new DataError('it is no path as /1/2.5/');
        return text;
      };
    case 'sql_variant':
      return storedVariant;
    default:
      return (text) => storedText(text, type);
  }
}
