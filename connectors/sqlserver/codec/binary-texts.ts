/** Bytes as `0x` and hexadecimal digits in upper case. */
import { DataError } from '../../../src/connector/errors.ts';
import type { SqlType } from '../sql-type.ts';

export const BINARIES: readonly string[] = ['binary', 'varbinary', 'image', 'rowversion'];

const HEXADECIMAL = /^0x(?:[0-9a-f]{2})*$/i;
const PREFIX = 2;
const ROWVERSION_BYTES = 8;

/** Throws `DataError` on text that is no such form. */
export function bytesFromText(text: string): Buffer {
  if (!HEXADECIMAL.test(text)) throw new DataError('not in the hexadecimal form 0x…');
  return Buffer.from(text.slice(PREFIX), 'hex');
}

/** Throws `DataError` on bytes that the column would cut or pad. */
export function storedBytes(bytes: Uint8Array, type: SqlType): string {
  requireLength(bytes.byteLength, type);
  const { buffer, byteOffset, byteLength } = bytes;
  return `0x${Buffer.from(buffer, byteOffset, byteLength).toString('hex').toUpperCase()}`;
}

function requireLength(size: number, { name, length }: SqlType): void {
  const fixed = name === 'rowversion' ? ROWVERSION_BYTES : name === 'binary' ? length : undefined;
  if (typeof fixed === 'number' && size !== fixed) {
    throw new DataError(`it has ${size} bytes, a ${name}(${fixed}) has ${fixed}`, {
      remedy: 'make the column varbinary, which pads nothing',
    });
  }
  if (typeof length === 'number' && size > length) {
    throw new DataError(`it has ${size} bytes, ${name}(${length}) holds ${length}`, {
      remedy: 'make the column longer',
    });
  }
}
