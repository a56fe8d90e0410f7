/** ALL_HEADERS, which stand before batches, procedure calls and requests about transactions. */
import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

const TRANSACTION_DESCRIPTOR = 0x0002;
const LENGTH_FIELD = 4;
const HEADER_FIELDS = 6;

/** Reads over the headers and returns the transaction that the client believes to be in; 0 for none. */
export function readTransactionDescriptor(reader: ByteReader): bigint {
  const end = reader.position + reader.u32();
  let descriptor = 0n;
  while (reader.position < end) {
    const length = reader.u32();
    const type = reader.u16();
    if (length < HEADER_FIELDS || reader.position - HEADER_FIELDS + length > end) {
      throw new ProtocolError('a header of a request is longer than all of them');
    }
    if (type === TRANSACTION_DESCRIPTOR) {
      descriptor = reader.u64();
      reader.take(length - HEADER_FIELDS - 8);
    } else {
      reader.take(length - HEADER_FIELDS);
    }
  }
  if (end < LENGTH_FIELD || reader.position !== end)
    throw new ProtocolError('the headers of a request do not fit');
  return descriptor;
}
