/**
 * Keys of objects outside changesets, as in the list of rejected updates: strings stand in them instead of in a table
 * (spec/changeset-format.md §3).
 */
import type { PrimaryKey } from '../schema/value.ts';
import { ByteReader } from './byte-reader.ts';
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

/** Throws `BadChangesetError` on anything but exactly one key. */
export function decodeStandAloneKey(bytes: Uint8Array): PrimaryKey {
  const reader = new ByteReader(bytes);
  const key = readKey(reader);
  if (reader.remaining > 0) throw reader.fail('more follows the key of an object');
  return key;
}

function readKey(reader: ByteReader): PrimaryKey {
  const code = reader.readNumber();
  switch (code) {
    case TypeCode.null:
      return { type: 'null' };
    case TypeCode.int:
      return { type: 'int', value: reader.readInt64() };
    case TypeCode.string:
      return { type: 'string', value: reader.readText() };
    case TypeCode.objectId:
      return { type: 'objectId', value: reader.readHex(12) };
    case TypeCode.uuid: {
      const hex = reader.readHex(16);
      const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
      return { type: 'uuid', value: parts.join('-') };
    }
    default:
      throw reader.fail(`type ${code} is none of an object's key`);
  }
}
