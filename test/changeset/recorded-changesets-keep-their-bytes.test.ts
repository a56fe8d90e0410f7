import { expect, test } from 'vitest';
import {
  decodeChangeset,
  decodeToPassOn,
  encodeChangeset,
  reencodeChangeset,
} from '../../src/changeset/codec.ts';
import { annotatedExamples } from './annotated-examples.ts';
import { recordedCases, recordedMerges, SchemaFollower } from './recorded.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
const hex = (changeset: Uint8Array): string => Buffer.from(changeset).toString('hex');

test('the reference client wrote every annotated example as we do', () => {
  const known = new SchemaFollower();
  for (const example of annotatedExamples) {
    const { instructions } = decodeChangeset(bytes(example.hex));
    known.follow(instructions);
    expect(hex(encodeChangeset(instructions, known.schema)), example.title).toBe(example.hex);
  }
});

test('a client that uploads every kind of property and key is encoded byte for byte', () => {
  let compared = 0;
  for (const recorded of recordedCases()) {
    const known = new SchemaFollower();
    for (const upload of recorded.uploads) {
      const { instructions } = decodeChangeset(bytes(upload.changeset));
      known.follow(instructions);
      expect(hex(encodeChangeset(instructions, known.schema)), recorded.name).toBe(upload.changeset);
      compared += 1;
    }
  }
  expect(compared).toBe(324);
});

test.each(['designed', 'random'] as const)(
  'uploads and downloads of the %s merges keep their bytes',
  (file) => {
    let uploads = 0;
    let downloads = 0;
    for (const merge of recordedMerges(file)) {
      const known = new SchemaFollower();
      for (const message of merge.messages) {
        for (const entry of message.entries) {
          const changeset = decodeChangeset(bytes(entry.changeset));
          known.follow(changeset.instructions);
          if (message.kind === 'upload') {
            expect(hex(encodeChangeset(changeset.instructions, known.schema))).toBe(entry.changeset);
            const passedOn = decodeToPassOn(bytes(entry.changeset));
            expect(passedOn.changeset).toEqual(changeset);
            expect(hex(passedOn.bytes)).toBe(hex(reencodeChangeset(changeset)));
            uploads += 1;
          } else {
            expect(hex(reencodeChangeset(changeset))).toBe(entry.changeset);
            downloads += 1;
          }
        }
      }
    }
    expect(uploads).toBeGreaterThan(100);
    expect(downloads).toBeGreaterThan(100);
  },
);

test('a changeset that lost all its instructions is empty, its strings included', () => {
  expect(reencodeChangeset({ strings: ['Dog', '_id'], instructions: [] })).toHaveLength(0);
  expect(decodeChangeset(new Uint8Array(0))).toEqual({ strings: [], instructions: [] });
});

test('re-encoding keeps unused strings in place and appends new ones at the end of the table', () => {
  const encoded = reencodeChangeset({
    strings: ['unused', 'Dog'],
    instructions: [
      { op: 'EraseObject', table: 'Dog', key: { type: 'string', value: 'new' } },
      { op: 'EraseTable', table: 'Cat' },
    ],
  });
  expect(decodeChangeset(encoded).strings).toEqual(['unused', 'Dog', 'new', 'Cat']);
  expect(hex(encoded)).toBe('3f0006756e757365643f0103446f673f02036e65773f0303436174' + '03010302' + '0103');
});
