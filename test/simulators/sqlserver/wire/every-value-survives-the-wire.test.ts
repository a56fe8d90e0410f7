/** The codec of the TDS server: what it writes it reads again, whatever the type and the value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testSeed } from '../../../support/random.ts';
import type { SqlType, SqlValue } from '../contract.ts';
import { ByteReader } from '../tds/byte-reader.ts';
import { ByteWriter } from '../tds/byte-writer.ts';
import { readWireType } from '../tds/read-wire-type.ts';
import { readValue, writeValue } from '../tds/values.ts';
import { writeWireType } from '../tds/wire-type.ts';

const seed = testSeed();

type Sample = { readonly type: SqlType; readonly value: SqlValue };

const DAYS = 3_652_059;
const TICKS = 863_999_999_999n;
const integer = (bits: number): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n });
const days = fc.integer({ min: 0, max: DAYS - 1 });
const ticks = (scale: number): fc.Arbitrary<bigint> => {
  const unit = 10n ** BigInt(7 - scale);
  return fc.bigInt({ min: 0n, max: TICKS }).map((value) => value - (value % unit));
};
const scale = fc.integer({ min: 0, max: 7 });
const of = (type: SqlType, values: fc.Arbitrary<SqlValue>): fc.Arbitrary<Sample> =>
  values.map((value) => ({ type, value }));
const wide = fc.string({ unit: 'grapheme', maxLength: 50 });
const narrow = fc.string({ unit: fc.constantFrom(...'aZ é€œ~?0'), maxLength: 50 });
const bytes = fc.uint8Array({ maxLength: 100 });

const scalars: readonly fc.Arbitrary<Sample>[] = [
  of({ kind: 'bit' }, fc.boolean()),
  of({ kind: 'tinyint' }, fc.bigInt({ min: 0n, max: 255n })),
  of({ kind: 'smallint' }, integer(16)),
  of({ kind: 'int' }, integer(32)),
  of({ kind: 'bigint' }, integer(64)),
  of({ kind: 'real' }, fc.float({ noNaN: true, noDefaultInfinity: true })),
  of({ kind: 'float' }, fc.double({ noNaN: true, noDefaultInfinity: true })),
  of({ kind: 'smallmoney' }, integer(32)),
  of({ kind: 'money' }, integer(64)),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc
        .tuple(
          fc.integer({ min: 0, max: precision }),
          fc.bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n }),
        )
        .map(([digits, value]): Sample => ({ type: { kind: 'decimal', precision, scale: digits }, value })),
    ),
  of({ kind: 'date' }, days),
  scale.chain((digits) => of({ kind: 'time', scale: digits }, ticks(digits))),
  scale.chain((digits) =>
    of({ kind: 'datetime2', scale: digits }, fc.record({ days, ticks: ticks(digits) })),
  ),
  scale.chain((digits) =>
    of(
      { kind: 'datetimeoffset', scale: digits },
      fc.record({ days, ticks: ticks(digits), offset: fc.integer({ min: -840, max: 840 }) }),
    ),
  ),
  of(
    { kind: 'smalldatetime' },
    fc.record({
      days: fc.integer({ min: 693_595, max: 759_130 }),
      ticks: fc.bigInt({ min: 0n, max: 1439n }).map((minutes) => minutes * 600_000_000n),
    }),
  ),
  of(
    { kind: 'uniqueidentifier' },
    fc.uuid().map((text) => text.toUpperCase()),
  ),
];

const samples = fc.oneof(
  ...scalars,
  of({ kind: 'varchar', length: 50 }, narrow),
  of({ kind: 'varchar', length: 'max' }, narrow),
  of({ kind: 'nvarchar', length: 4000 }, wide),
  of(
    { kind: 'nvarchar', length: 'max' },
    fc.tuple(wide, fc.integer({ min: 1, max: 400 })).map(([text, times]) => text.repeat(times)),
  ),
  of({ kind: 'varbinary', length: 100 }, bytes),
  of({ kind: 'varbinary', length: 'max' }, bytes),
  of({ kind: 'text' }, narrow),
  of({ kind: 'ntext' }, wide),
  of({ kind: 'image' }, bytes),
  of(
    { kind: 'xml' },
    wide.filter((text) => !text.startsWith('\uFEFF')),
  ),
  fc.oneof(...scalars).map((inner): Sample => ({ type: { kind: 'sql_variant' }, value: inner })),
);

describe('a value of any type', () => {
  it('is read as it was written, in a row and as NULL', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), ({ type, value }, nullable) => {
        const out = new ByteWriter();
        const framing = writeWireType(out, type, nullable);
        writeValue(out, type, framing, value);
        if (framing !== 'none') writeValue(out, type, framing, null);
        const reader = new ByteReader(out.view());
        const wire = readWireType(reader);
        expect(wire.type).toEqual(type);
        expect(readValue(reader, wire, 'row')).toEqual(value);
        if (framing !== 'none') expect(readValue(reader, wire, 'row')).toBeNull();
        expect(reader.left).toBe(0);
      }),
      { seed, numRuns: 2000 },
    );
  });

  it('that is of another kind than its column is refused, instead of being sent as nonsense', () => {
    const out = new ByteWriter();
    expect(() => writeValue(out, { kind: 'int' }, 'short', 'text')).toThrow(
      'the engine gave string for a column of type int',
    );
    expect(() => writeValue(out, { kind: 'int' }, 'none', null)).toThrow('NULL');
  });
});
