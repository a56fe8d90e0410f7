/** Generated values of realms, of every type and nested to any depth. */
import fc from 'fast-check';
import type { ScalarValue, ValueType } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import { valueToken } from '../../src/store/state/value-token.ts';

export type Scalars = fc.Arbitrary<ScalarValue>;

const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
/** Without the character NUL, which not every database can hold. */
const words = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '').toWellFormed());
const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value));
const objectId = fc
  .uint8Array({ minLength: 12, maxLength: 12 })
  .map((value) => Buffer.from(value).toString('hex'));
/** To the microsecond, from 4714 BC to 294276. */
const instant = fc
  .bigInt({ min: -210_866_803_200n * 1_000_000n, max: 9_224_318_015_999_999_999n })
  .map((micro) => ({ seconds: micro / 1_000_000n, nanoseconds: Number(micro % 1_000_000n) * 1000 }));
const decimal = fc.record({
  coefficient: fc.bigInt({ min: 1n, max: 10n ** 34n - 1n }),
  exponent: fc.oneof(fc.integer({ min: -40, max: 10 }), fc.integer({ min: -6000, max: 6000 })),
  negative: fc.boolean(),
});

export const SCALARS: Readonly<Record<Exclude<ValueType, 'mixed' | 'link'>, Scalars>> = {
  int: int64.map((value) => ({ type: 'int', value })),
  bool: fc.boolean().map((value) => ({ type: 'bool', value })),
  string: words.map((value) => ({ type: 'string', value })),
  data: bytes.map((value) => ({ type: 'data', value })),
  date: instant.map((parts) => ({ type: 'date', ...parts })),
  float: fc.float().map((value) => ({ type: 'float', value })),
  double: fc.double().map((value) => ({ type: 'double', value })),
  decimal128: decimal.map((parts) => ({ type: 'decimal128', ...parts })),
  objectId: objectId.map((value) => ({ type: 'objectId', value })),
  uuid: fc.uuid().map((value) => ({ type: 'uuid', value })),
};
export const link = (table: string, key: Scalars): Scalars =>
  key.map((value) => ({ type: 'link', table, key: value as never }));
export const anyScalar: Scalars = fc.oneof(
  ...Object.values(SCALARS),
  link('Dog', SCALARS.int),
  link('Tag', SCALARS.uuid),
  fc.constant<ScalarValue>({ type: 'null' }),
);
/** Names that mean something in documents are among them. */
const name = fc.oneof(words, fc.constantFrom('$date', '$uuid', '$dictionary', '$link', '__proto__', ''));
const entriesOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T>> =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => new Map(pairs));
export const { mixed } = fc.letrec<{ mixed: StateValue }>((tie) => ({
  mixed: fc.oneof(
    { depthSize: 'small' },
    anyScalar,
    fc.array(tie('mixed'), { maxLength: 4 }).map((items): StateValue => ({ type: 'list', items })),
    entriesOf(tie('mixed')).map((entries): StateValue => ({ type: 'dictionary', entries })),
  ),
}));
export const orNull = (value: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> =>
  fc.option(value, { nil: { type: 'null' } as StateValue, freq: 5 });
export const place: fc.Arbitrary<StateValue> = fc
  .record({ street: orNull(SCALARS.string), No: orNull(smallInt()), since: orNull(SCALARS.date) })
  .map((fields) => ({ type: 'object', fields: new Map(Object.entries(fields)) }));
export const site: fc.Arbitrary<StateValue> = fc
  .record({ label: orNull(SCALARS.string), at: orNull(place), codes: listOf(orNull(smallInt())) })
  .map((fields) => ({ type: 'object', fields: new Map(Object.entries(fields)) }));

function smallInt(): Scalars {
  return fc.integer().map((value) => ({ type: 'int', value: BigInt(value) }));
}

export function listOf(item: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> {
  return fc.array(item, { maxLength: 6 }).map((items) => ({ type: 'list', items }));
}

export function setOf(item: Scalars): fc.Arbitrary<StateValue> {
  return fc
    .array(item, { maxLength: 6 })
    .map((items) => ({ type: 'set', items: new Map(items.map((value) => [valueToken(value), value])) }));
}

export function dictionaryOf(item: fc.Arbitrary<StateValue>): fc.Arbitrary<StateValue> {
  return entriesOf(item).map((entries) => ({ type: 'dictionary', entries }));
}
