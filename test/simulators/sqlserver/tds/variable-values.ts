import type { SqlType, SqlValue } from '../contract.ts';
import { encodeCodePage } from './character-sets.ts';
import { unfit } from './scalar-values.ts';

/** The bytes of characters and binaries. */
export function variableBytes(type: SqlType, value: SqlValue): Buffer {
  switch (type.kind) {
    case 'char':
    case 'varchar':
    case 'text':
      if (typeof value !== 'string') throw unfit(type, value);
      return encodeCodePage(value);
    case 'nchar':
    case 'nvarchar':
    case 'ntext':
    case 'xml':
      if (typeof value !== 'string') throw unfit(type, value);
      return Buffer.from(value, 'utf16le');
    default:
      if (!(value instanceof Uint8Array)) throw unfit(type, value);
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
