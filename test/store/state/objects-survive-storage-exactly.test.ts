import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../../../src/schema/value.ts';
import type { ClassLayout, ColumnLayout } from '../../../src/store/state/layout.ts';
import { ObjectDecoder } from '../../../src/store/state/object-decoder.ts';
import { ObjectEncoder } from '../../../src/store/state/object-encoder.ts';
import type { ObjectState, StateValue } from '../../../src/store/state/object-state.ts';
import { valueToken } from '../../../src/store/state/value-token.ts';

const COLUMNS = 300;

function layoutOf(columns: readonly (ColumnDefinition | undefined)[]): ClassLayout {
  const byId = columns.map(
    (column, id): ColumnLayout | undefined => column && { id, name: `c${id}`, column },
  );
  const byName = new Map(byId.filter((entry) => entry !== undefined).map((entry) => [entry.name, entry]));
  return { byId, byName };
}

const mixed: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };
const part: ColumnDefinition = { type: 'link', nullable: true, collection: 'single', linkTarget: 'Part' };
// Even columns are mixed, odd ones embedded objects.
const owner = layoutOf(Array.from({ length: COLUMNS }, (_, id) => (id % 2 === 0 ? mixed : part)));
const embedded = layoutOf([mixed, mixed]);
const layouts = (table: string): ClassLayout | undefined => (table === 'Part' ? embedded : undefined);

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'));
const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const key: fc.Arbitrary<Exclude<PrimaryKey, { type: 'globalKey' }>> = fc.oneof(
  fc.constant(NULL),
  int64.map((value) => ({ type: 'int' as const, value })),
  anyText.map((value) => ({ type: 'string' as const, value })),
  hex(12).map((value) => ({ type: 'objectId' as const, value })),
  fc.uuid().map((value) => ({ type: 'uuid' as const, value })),
);
const globalKey = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  .map(([hi, lo]) => ({ type: 'globalKey' as const, hi, lo }));
const scalar: fc.Arbitrary<ScalarValue> = fc.oneof(
  key,
  fc.boolean().map((value) => ({ type: 'bool' as const, value })),
  fc.uint8Array({ maxLength: 80 }).map((value) => ({ type: 'data' as const, value })),
  fc
    .tuple(int64, fc.nat(999_999_999))
    .map(([seconds, ns]) => ({ type: 'date' as const, seconds, nanoseconds: seconds < 0n ? 0 - ns : ns })),
  fc.float().map((value) => ({ type: 'float' as const, value })),
  fc.double().map((value) => ({ type: 'double' as const, value })),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 113n - 1n }), fc.integer({ min: -6176, max: 9696 }), fc.boolean())
    .map(([coefficient, exponent, negative]) => ({
      type: 'decimal128' as const,
      coefficient,
      exponent,
      negative,
    })),
  fc
    .tuple(fc.constantFrom('Part', 'Other'), fc.oneof(key, globalKey))
    .map(([table, target]) => ({ type: 'link' as const, table, key: target })),
);
const value: fc.Arbitrary<StateValue> = fc.letrec<{ value: StateValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }).map((items) => ({ type: 'list' as const, items })),
    fc
      .array(fc.tuple(anyText, tie('value')), { maxLength: 5 })
      .map((entries) => ({ type: 'dictionary' as const, entries: new Map(entries) })),
    fc.array(scalar, { maxLength: 5 }).map((members) => ({
      type: 'set' as const,
      items: new Map(members.map((member) => [valueToken(member), member])),
    })),
  ),
})).value;
const embeddedObject: fc.Arbitrary<StateValue> = fc
  .tuple(value, value)
  .map(([a, b]) => ({ type: 'object', fields: new Map([['c0', a]]).set('c1', b) }));
const object: fc.Arbitrary<ObjectState> = fc
  .array(fc.tuple(fc.nat(COLUMNS - 1), value, embeddedObject), { maxLength: 12 })
  .map((fields) => ({
    fields: new Map(fields.map(([id, plain, part]) => [`c${id}`, id % 2 === 0 ? plain : part])),
  }));

test('whatever an object holds is read back as it was written', () => {
  const encoder = new ObjectEncoder(layouts);
  const decoder = new ObjectDecoder(layouts);
  fc.assert(
    fc.property(object, (state) => {
      expect(decoder.decode(encoder.encode(state, owner), owner)).toEqual(state);
    }),
    { numRuns: 500 },
  );
});

test('values of erased columns are skipped, whatever they are', () => {
  const encoder = new ObjectEncoder(layouts);
  const decoder = new ObjectDecoder(layouts);
  const remaining = layoutOf(Array.from({ length: COLUMNS }, (_, id) => (id % 4 === 0 ? mixed : undefined)));
  fc.assert(
    fc.property(object, (state) => {
      const kept = [...state.fields].filter(([name]) => remaining.byName.has(name));
      expect(decoder.decode(encoder.encode(state, owner), remaining)).toEqual({ fields: new Map(kept) });
    }),
    { numRuns: 200 },
  );
});

test('text and bytes larger than any buffer are kept', () => {
  const encoder = new ObjectEncoder(layouts);
  const decoder = new ObjectDecoder(layouts);
  const long = 'ü'.repeat(3_000_000);
  const bytes = new Uint8Array(5_000_000).fill(7);
  const fields = new Map<string, StateValue>([
    ['c0', { type: 'string', value: long }],
    ['c2', { type: 'data', value: bytes }],
  ]);
  const read = decoder.decode(encoder.encode({ fields }, owner), owner).fields;
  const [first, second] = [read.get('c0'), read.get('c2')];
  expect(first?.type === 'string' && first.value === long).toBe(true);
  expect(second?.type === 'data' && Buffer.compare(second.value, bytes) === 0).toBe(true);
});
