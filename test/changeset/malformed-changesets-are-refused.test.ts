import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadChangesetError, decodeChangeset, encodeChangeset } from '../../src/changeset/codec.ts';
import { annotatedExamples } from './annotated-examples.ts';
import { recordedCases } from './recorded.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
/** Strings 0 "T" and 1 "f", so that bodies can refer to them. */
const STRINGS = '3f 00 01 54 3f 01 01 66';
/** An Update of T[1].f up to its payload. */
const UPDATE = `${STRINGS} 04 00 01 01 01 00`;

describe('integers', () => {
  const addend = (value: bigint): string =>
    Buffer.from(
      encodeChangeset([
        {
          op: 'AddInteger',
          table: 'T',
          key: { type: 'int', value: 1n },
          field: 'f',
          path: [],
          addend: value,
        },
      ]),
    )
      .toString('hex')
      .slice('3f0001543f010166050001010100'.length);
  const read = (hex: string): bigint => {
    const [instruction] = decodeChangeset(bytes(`${STRINGS} 05 00 01 01 01 00 ${hex}`)).instructions;
    if (instruction?.op !== 'AddInteger') throw new Error('not an AddInteger');
    return instruction.addend;
  };

  test.each([
    [0n, '00'],
    [1n, '01'],
    [63n, '3f'],
    [64n, 'c000'],
    [127n, 'ff00'],
    [128n, '8001'],
    [300n, 'ac02'],
    [8191n, 'ff3f'],
    [8192n, '80c000'],
    [1_000_000n, 'c0843d'],
    [2n ** 32n, '8080808010'],
    [-1n, '40'],
    [-2n, '41'],
    [-6n, '45'],
    [-64n, '7f'],
    [-65n, 'c040'],
    [-8192n, 'ff7f'],
    [-8193n, '80c040'],
    [-1_000_000n, 'bf847d'],
    [-(2n ** 63n), `${'ff'.repeat(9)}40`],
    [2n ** 63n - 1n, `${'ff'.repeat(9)}00`],
  ])('%s travels as %s', (value, hex) => {
    expect(addend(value)).toBe(hex);
    expect(read(hex)).toBe(value);
  });

  test('every 64-bit integer comes back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(read(addend(value))).toBe(value);
      }),
    );
    for (let bits = 0n; bits < 63n; bits++) {
      for (const value of [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n]) {
        expect(read(addend(value))).toBe(value);
      }
    }
  });

  test('forms longer than needed are read', () => {
    expect(read('8000')).toBe(0n);
    expect(read('8040')).toBe(-1n);
    expect(read(`${'80'.repeat(9)}00`)).toBe(0n);
  });

  test('an unsigned 64-bit key part is read up to its end', () => {
    const [instruction] = decodeChangeset(
      bytes(`${STRINGS} 03 00 40 ${'ff'.repeat(9)}01 ${'80'.repeat(9)}01`),
    ).instructions;
    expect(instruction).toMatchObject({ key: { type: 'globalKey', hi: 2n ** 64n - 1n, lo: 2n ** 63n } });
  });
});

test.each([
  ['an integer that ends too early', `${STRINGS} 05 00 01 01 01 00 80`],
  ['an integer of eleven bytes', `${STRINGS} 05 00 01 01 01 00 ${'80'.repeat(10)}00`],
  ['an integer of 64 bits and a sign', `${STRINGS} 05 00 01 01 01 00 ${'80'.repeat(9)}01`],
  ['a boolean of 256', `${UPDATE} 02 8002 00`],
  ['a boolean of three bytes', `${UPDATE} 02 808000 00`],
  ['a negative boolean', `${UPDATE} 02 40 00`],
  ['an index of 2^32', '3f 8080808010 01 54'],
  ['a negative index', '3f 40 01 54'],
  ['a negative length', '3f 00 40'],
  ['an intern index out of order', '3f 01 01 54'],
  ['a string defined twice', '3f 00 01 54 3f 01 01 54'],
  ['a string used before its definition', '03 00 01 01'],
  ['a string that is not UTF-8', '3f 00 01 ff'],
  ['a payload string that is half a surrogate pair', `${UPDATE} 03 03 eda080 00`],
  ['a string longer than the buffer', '3f 00 ffffffff07 54'],
  ['binary longer than the buffer', `${UPDATE} 04 ffffffffffff0f`],
  ['a path longer than the buffer', `${STRINGS} 04 00 01 01 01 ffffff7f`.replace('7f', '3f')],
  ['a list index beyond 32 bits', `${STRINGS} 0a 00 01 01 01 01 8080808010 01`],
  ['an unknown payload type', `${UPDATE} 0c 00`],
  ['a payload type of -7', `${UPDATE} 46 00`],
  ['a GlobalKey as payload', `${UPDATE} 40 00 00 00`],
  ['a key of type bool', `${STRINGS} 03 00 02 01`],
  ['a key that ends too early', `${STRINGS} 03 00 0a 0102`],
  ['a primary key of type double', `${STRINGS} 00 00 00 01 07 00`],
  ['a class of kind 3', `${STRINGS} 00 00 03`],
  ['a collection of kind 4', `${STRINGS} 06 00 01 01 00 04`],
  ['a column of type list', `${STRINGS} 06 00 01 44 00 00`],
  ['a dictionary with integer keys', `${STRINGS} 06 00 01 01 00 02 01`],
  ['ArrayInsert without an index', `${STRINGS} 08 00 01 01 01 00 01 01 00`],
  ['ArrayMove without an index', `${STRINGS} 09 00 01 01 01 00 01 02`],
  ['ArrayErase of a dictionary key', `${STRINGS} 0a 00 01 01 01 01 40 01 00`],
  ['nanoseconds beyond 32 bits', `${UPDATE} 05 00 8080808010 00`],
  ['a timestamp whose parts differ in sign', `${UPDATE} 05 01 40 00`],
  ['a timestamp with a second of nanoseconds', `${UPDATE} 05 00 80 94 eb dc 03 00`],
  ['a decimal coefficient of 18 bytes', `${UPDATE} 08 ${'80'.repeat(17)}00 00 00 00`],
  ['a decimal coefficient beyond 113 bits', `${UPDATE} 08 ${'80'.repeat(16)}02 00 00 00`],
  ['a decimal that ends too early', `${UPDATE} 08 80`],
  ['opcode 14', '0e'],
  ['opcode 0xff', 'ff00'],
  ['an instruction that ends too early', `${STRINGS} 04 00`],
])('%s is a bad changeset', (_, hex) => {
  expect(() => decodeChangeset(bytes(hex))).toThrow(BadChangesetError);
});

test('text that the storage of a client cannot hold is refused in both directions', () => {
  const text = 'x'.repeat(16_777_200);
  const update = {
    op: 'Update',
    table: 'T',
    key: { type: 'int', value: 1n },
    field: 'f',
    path: [],
    isDefault: false,
  } as const;
  expect(() => encodeChangeset([{ ...update, value: { type: 'string', value: text } }])).toThrow(
    BadChangesetError,
  );
  const longest = encodeChangeset([{ ...update, value: { type: 'string', value: text.slice(1) } }]);
  expect(decodeChangeset(longest).instructions[0]).toMatchObject({ value: { value: text.slice(1) } });
});

test('what has no form on the wire is refused when encoding', () => {
  const key = { type: 'int', value: 1n } as const;
  const update = { op: 'Update', table: 'T', key, field: 'f', path: [], isDefault: false } as const;
  for (const value of [
    { type: 'int', value: 2n ** 63n },
    { type: 'string', value: 'half \ud800 a pair' },
    { type: 'objectId', value: '0102' },
    { type: 'uuid', value: 'not a uuid' },
    { type: 'decimal128', coefficient: 2n ** 113n, exponent: 0, negative: false },
  ] as const) {
    expect(() => encodeChangeset([{ ...update, value }]), value.type).toThrow(BadChangesetError);
  }
});

describe('damaged bytes', () => {
  const originals = [
    ...annotatedExamples.map((example) => bytes(example.hex)),
    ...recordedCases().flatMap((recorded) => recorded.uploads.map((upload) => bytes(upload.changeset))),
  ].filter((changeset) => changeset.length < 4096);

  /** A changeset that is accepted must mean something that we can write again. */
  const acceptsOrRefuses = (input: Uint8Array): void => {
    let decoded: ReturnType<typeof decodeChangeset>;
    try {
      decoded = decodeChangeset(input);
    } catch (error) {
      expect(error).toBeInstanceOf(BadChangesetError);
      return;
    }
    expect(decodeChangeset(encodeChangeset(decoded.instructions)).instructions).toEqual(decoded.instructions);
  };

  test('random bytes are refused or decoded, nothing else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), acceptsOrRefuses), { numRuns: 5000 });
  });

  test('mutated changesets are refused or decoded, nothing else', () => {
    const edit = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('set', 'insert', 'delete', 'truncate'),
      byte: fc.nat(255),
    });
    const mutated = fc
      .tuple(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 4 }))
      .map(([original, edits]) => {
        const result = [...original];
        for (const { at, kind, byte } of edits) {
          const position = at % (result.length + 1);
          if (kind === 'set') result[position] = byte;
          else if (kind === 'insert') result.splice(position, 0, byte);
          else if (kind === 'delete') result.splice(position, 1);
          else result.length = position;
        }
        return Uint8Array.from(result);
      });
    fc.assert(fc.property(mutated, acceptsOrRefuses), { numRuns: 5000 });
  });
});
