import { Decimal128, ObjectId, UUID } from 'bson';
import { describe, expect, test } from 'vitest';
import { encodeChangeset } from '../../../src/changeset/codec.ts';
import { recordedCases } from '../../changeset/recorded.ts';
import { openMemoryRealm } from './memory-realm.ts';

const O = (text: string): ObjectId => new ObjectId(text);
const D = (text: string): Decimal128 => Decimal128.fromString(text);
const U = (text: string): UUID => new UUID(text);
const B = (...bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer;

/**
 * Where the recorded SDK (12.15) does not do what its documentation says, ours does, and the recording is followed by
 * saying what that SDK did: clearing a set of links deletes the members, and instants before 1970 with a fraction of
 * a second come out one second too early.
 */
const sdkBehaviour: Readonly<Record<string, string>> = {
  'a.sb.clear()': 'r.delete([...a.sb])',
  'new Date(-1)': 'new Date(-1001)',
  'new Date(-1500)': 'new Date(-2500)',
};

const recordings = recordedCases().filter(({ uploads }) => uploads.length > 0);

describe('every recorded transaction gives the bytes that were uploaded', () => {
  test.each(recordings)('$name', ({ schema, transactions, uploads }) => {
    const { realm, reader } = openMemoryRealm(schema);
    for (const { js } of transactions) {
      let code = js;
      for (const [recorded, meant] of Object.entries(sdkBehaviour)) code = code.replaceAll(recorded, meant);
      const transaction = new Function('r', 'O', 'D', 'U', 'B', code);
      realm.write(() => transaction(realm, O, D, U, B));
    }
    const sent = reader.written.map((instructions) =>
      Buffer.from(encodeChangeset(instructions, reader.schema)).toString('hex'),
    );
    expect(sent).toEqual(uploads.map(({ changeset }) => changeset));
  });
});
