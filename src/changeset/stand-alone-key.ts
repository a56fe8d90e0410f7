/** A primary key outside a changeset: strings stand in it instead of in a table (spec/changeset-format.md §3). */
import type { PrimaryKey } from '../schema/value.ts';
import { ByteWriter } from './byte-writer.ts';
import { TypeCode } from './type-codes.ts';

export function encodeStandAloneKey(key: PrimaryKey): Uint8Array {
  const writer = new ByteWriter();
  writer.writeNumber(TypeCode[key.type]);
  switch (key.type) {
    case 'null':
      break;
    case 'int':
      writer.writeInt64(key.value);
      break;
    case 'string':
      writer.writeText(key.value);
      break;
    case 'objectId':
      writer.writeHex(key.value, 12);
      break;
    case 'uuid':
      writer.writeHex(key.value, 16);
      break;
    case 'globalKey':
      writer.writeUint64(key.hi);
      writer.writeUint64(key.lo);
      break;
  }
  return writer.finish();
}
