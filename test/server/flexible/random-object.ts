/** A class with a property of every kind, and random objects of it. Test code only. */
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../../src/schema/definition.ts';
import type { ScalarValue, ValueType } from '../../../src/schema/value.ts';
import { defaultValue, readField } from '../../../src/store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../../src/store/state/object-state.ts';
import { isEmbedded } from '../../../src/store/state/slot.ts';
import { valueToken } from '../../../src/store/state/value-token.ts';
import type { Random } from '../../support/random.ts';

const column = (type: ValueType, rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: false,
  collection: 'single',
  ...rest,
});

const SCALARS = [
  'int',
  'bool',
  'string',
  'data',
  'date',
  'float',
  'double',
  'decimal128',
  'objectId',
  'uuid',
] as const;
const COLLECTIONS = ['list', 'set', 'dictionary'] as const;

/** Every scalar type alone, optional, and in each kind of collection; mixed values; links. */
const PLAIN: readonly (readonly [string, ColumnDefinition])[] = [
  ...SCALARS.flatMap((type): [string, ColumnDefinition][] => [
    [type, column(type)],
    [`${type}Optional`, column(type, { nullable: true })],
  ]),
  ...COLLECTIONS.flatMap((collection): [string, ColumnDefinition][] => [
    [`ints in ${collection}`, column('int', { collection })],
    [`texts in ${collection}`, column('string', { collection, nullable: true })],
    [`mixed in ${collection}`, column('mixed', { collection, nullable: true })],
    [
      `links in ${collection}`,
      column('link', { collection, linkTarget: 'Thing', nullable: collection === 'dictionary' }),
    ],
  ]),
  ['any', column('mixed', { nullable: true })],
  ['link', column('link', { nullable: true, linkTarget: 'Thing' })],
];

const embedded = (linkTarget: string): readonly (readonly [string, ColumnDefinition])[] => [
  ['part', column('link', { nullable: true, linkTarget })],
  ['parts', column('link', { collection: 'list', linkTarget })],
  ['partsByName', column('link', { collection: 'dictionary', nullable: true, linkTarget })],
];

const CLASSES: readonly (readonly [string, readonly (readonly [string, ColumnDefinition])[]])[] = [
  ['Inner', PLAIN],
  ['Part', [...PLAIN, ...embedded('Inner')]],
  ['Thing', [...PLAIN, ...embedded('Part')]],
];

export const SCHEMA_INSTRUCTIONS: readonly Instruction[] = [
  ...CLASSES.map(([table]): Instruction => {
    return table === 'Thing'
      ? {
          op: 'AddTable',
          table,
          kind: 'topLevel',
          primaryKey: { field: '_id', type: 'int', nullable: false },
        }
      : { op: 'AddTable', table, kind: 'embedded' };
  }),
  ...CLASSES.flatMap(([table, columns]) =>
    columns.map(([field, definition]): Instruction => {
      return { op: 'AddColumn', table, field, column: definition };
    }),
  ),
];

const DEEPEST = 2;

/** Some properties were never written. */
export function randomObject(schema: RealmSchema, random: Random, table = 'Thing'): ObjectState {
  const fields = new Map<string, StateValue>();
  for (const [field, definition] of schema.get(table)?.columns ?? []) {
    if (random.chance(0.6)) fields.set(field, randomValue(schema, definition, random));
  }
  return { fields };
}

function randomValue(schema: RealmSchema, definition: ColumnDefinition, random: Random): StateValue {
  const single: ColumnDefinition = { ...definition, collection: 'single' };
  const count = random.below(4);
  const items = Array.from({ length: count }, () => randomSingle(schema, single, definition, random));
  switch (definition.collection) {
    case 'single':
      return randomSingle(schema, single, definition, random);
    case 'list':
      return { type: 'list', items };
    case 'dictionary':
      return { type: 'dictionary', entries: new Map(items.map((item, i) => [`key ${i}`, item])) };
    case 'set':
      return setOf(items);
  }
}

function setOf(items: readonly StateValue[]): StateValue {
  const members = new Map<string, ScalarValue>();
  for (const item of items) if (isScalar(item)) members.set(valueToken(item), item);
  return { type: 'set', items: members };
}

function isScalar(value: StateValue): value is ScalarValue {
  return (
    value.type !== 'object' && value.type !== 'list' && value.type !== 'dictionary' && value.type !== 'set'
  );
}

function randomSingle(
  schema: RealmSchema,
  single: ColumnDefinition,
  { collection, nullable }: ColumnDefinition,
  random: Random,
): StateValue {
  const mayBeNull = nullable && single.type !== 'mixed';
  if (mayBeNull && random.chance(0.2)) return { type: 'null' };
  if (isEmbedded(schema, single)) {
    return { type: 'object', fields: randomObject(schema, random, single.linkTarget).fields };
  }
  if (single.type !== 'mixed') return randomScalar(single.type, random);
  return randomMixed(random, collection === 'set' ? DEEPEST : 0);
}

function randomMixed(random: Random, depth: number): StateValue {
  if (depth < DEEPEST && random.chance(0.4)) {
    const items = Array.from({ length: random.below(3) }, () => randomMixed(random, depth + 1));
    return random.chance(0.5)
      ? { type: 'list', items }
      : { type: 'dictionary', entries: new Map(items.map((item, i) => [`key ${i}`, item])) };
  }
  return random.chance(0.2) ? { type: 'null' } : randomScalar(random.pick([...SCALARS, 'link']), random);
}

function randomScalar(type: Exclude<ValueType, 'mixed'>, random: Random): ScalarValue {
  const n = random.below(4);
  switch (type) {
    case 'int':
      return { type, value: BigInt(n - 1) };
    case 'bool':
      return { type, value: n > 1 };
    case 'string':
      return { type, value: 'x'.repeat(n) };
    case 'data':
      return { type, value: new Uint8Array(n) };
    case 'date':
      return { type, seconds: BigInt(n), nanoseconds: n };
    case 'float':
    case 'double':
      return { type, value: n / 2 };
    case 'decimal128':
      return { type, coefficient: BigInt(n), exponent: -1, negative: n > 2 };
    case 'objectId':
      return { type, value: `${n}`.padStart(24, '0') };
    case 'uuid':
      return { type, value: `00000000-0000-0000-0000-00000000000${n}` };
    case 'link':
      return { type, table: 'Thing', key: { type: 'int', value: BigInt(n) } };
  }
}

/** What a reader sees, as plain data: a property that was never written is its default. */
export function asRead(schema: RealmSchema, state: ObjectState, table = 'Thing'): Record<string, unknown> {
  const columns = [...(schema.get(table)?.columns ?? [])];
  return Object.fromEntries(
    columns.map(([field, definition]) => [
      field,
      plain(schema, readField(state, field, definition), definition),
    ]),
  );
}

/** As {@link asRead}, of a property that nobody has written. */
export function unwritten(definition: ColumnDefinition, schema: RealmSchema): unknown {
  return plain(schema, defaultValue(definition), definition);
}

function plain(schema: RealmSchema, value: StateValue, definition: ColumnDefinition): unknown {
  switch (value.type) {
    case 'object':
      return { object: asRead(schema, value, definition.linkTarget) };
    case 'list':
      return { list: value.items.map((item) => plain(schema, item, definition)) };
    case 'dictionary':
      return {
        dictionary: Object.fromEntries(
          [...value.entries].map(([name, entry]) => [name, plain(schema, entry, definition)]),
        ),
      };
    case 'set':
      return { set: [...value.items.keys()].sort() };
    default:
      return valueToken(value);
  }
}
