/** A small realm with a property of every kind, to ask queries about. */

import type { QueryObject, QueryWorld } from '../../src/query/contract.ts';
import { decimalFromText } from '../../src/schema/decimal128.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../src/schema/definition.ts';
import { keyToken, NULL, type PrimaryKey, type ScalarValue, sameKey } from '../../src/schema/value.ts';
import type { ObjectState, StateValue } from '../../src/store/state/object-state.ts';
import { valueToken } from '../../src/store/state/value-token.ts';

export const int = (value: number | bigint): ScalarValue => ({ type: 'int', value: BigInt(value) });
export const text = (value: string): ScalarValue => ({ type: 'string', value });
export const double = (value: number): ScalarValue => ({ type: 'double', value });
export const float = (value: number): ScalarValue => ({ type: 'float', value: Math.fround(value) });
export const decimal = (value: string): ScalarValue => decimalFromText(value);
export const bool = (value: boolean): ScalarValue => ({ type: 'bool', value });
export const date = (seconds: number, nanoseconds = 0): ScalarValue => ({
  type: 'date',
  seconds: BigInt(seconds),
  nanoseconds,
});
export const data = (value: string): ScalarValue => ({
  type: 'data',
  value: new Uint8Array(Buffer.from(value)),
});
export const oid = (digit: string): ScalarValue => ({ type: 'objectId', value: digit.repeat(24) });
export const uuid = (digit: string): ScalarValue => ({
  type: 'uuid',
  value: [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join('-'),
});
export const link = (table: string, key: PrimaryKey): ScalarValue => ({ type: 'link', table, key });
export const list = (...items: StateValue[]): StateValue => ({ type: 'list', items });
export const dictionary = (entries: Record<string, StateValue>): StateValue => ({
  type: 'dictionary',
  entries: new Map(Object.entries(entries)),
});
export const set = (...items: ScalarValue[]): StateValue => ({
  type: 'set',
  items: new Map(items.map((item): [string, ScalarValue] => [valueToken(item), item])),
});
export const embedded = (fields: Record<string, StateValue>): StateValue => ({
  type: 'object',
  fields: new Map(Object.entries(fields)),
});

type Shape =
  | `${'' | '?'}${ColumnDefinition['type']}`
  | { to: string; collection?: ColumnDefinition['collection'] };

function column(shape: string | Shape): ColumnDefinition {
  if (typeof shape === 'object') {
    const collection = shape.collection ?? 'single';
    return {
      type: 'link',
      nullable: collection !== 'list' && collection !== 'set',
      collection,
      linkTarget: shape.to,
    };
  }
  const match = /^(\?)?(\w+)(\[\]|\{\}|<>)?$/.exec(shape)!;
  const kinds = { '[]': 'list', '{}': 'dictionary', '<>': 'set' } as const;
  const suffix = match[3] as keyof typeof kinds | undefined;
  return {
    type: match[2] as ColumnDefinition['type'],
    nullable: match[1] === '?' || match[2] === 'mixed',
    collection: suffix === undefined ? 'single' : kinds[suffix],
  };
}

function definition(
  name: string,
  key: ClassDefinition['primaryKey'] | undefined,
  columns: Record<string, string | Shape>,
): ClassDefinition {
  return {
    name,
    kind: key === undefined ? 'embedded' : 'topLevel',
    ...(key === undefined ? {} : { primaryKey: key }),
    columns: new Map(Object.entries(columns).map(([field, shape]) => [field, column(shape)])),
  };
}

const definitions: readonly ClassDefinition[] = [
  definition(
    'Person',
    { field: '_id', type: 'int', nullable: false },
    {
      name: '?string',
      age: 'int',
      height: '?double',
      weight: 'float',
      money: '?decimal128',
      married: '?bool',
      born: '?date',
      photo: '?data',
      badge: '?objectId',
      token: '?uuid',
      anything: 'mixed',
      nick_names: 'string[]',
      scores: '?int[]',
      marks: 'double[]',
      extras: 'mixed[]',
      labels: 'string<>',
      numbers: 'int<>',
      settings: 'mixed{}',
      limits: 'int{}',
      friend: { to: 'Person' },
      dogs: { to: 'Dog', collection: 'list' },
      pets: { to: 'Dog', collection: 'dictionary' },
      address: { to: 'Address' },
      homes: { to: 'Address', collection: 'list' },
      'full name': '?string',
      in: 'int',
      between: 'int',
      sort: '?string',
    },
  ),
  definition(
    'Dog',
    { field: 'tag', type: 'string', nullable: false },
    {
      name: 'string',
      legs: 'int',
      price: '?double',
      owner: { to: 'Person' },
      tricks: 'string[]',
    },
  ),
  definition(
    'Note',
    { field: '', type: 'globalKey', nullable: false },
    {
      body: 'string',
      about: { to: 'Person' },
    },
  ),
  definition('Address', undefined, { street: 'string', number: '?int', keeper: { to: 'Person' } }),
];

export const SCHEMA: RealmSchema = new Map(definitions.map((entry) => [entry.name, entry]));

const person = (id: number): PrimaryKey => ({ type: 'int', value: BigInt(id) });
const dog = (tag: string): PrimaryKey => ({ type: 'string', value: tag });
const note = (lo: number): PrimaryKey => ({ type: 'globalKey', hi: 1n, lo: BigInt(lo) });

type Rows = readonly (readonly [PrimaryKey, Record<string, StateValue>])[];

const PEOPLE: Rows = [
  [
    person(1),
    {
      name: text('Anna'),
      age: int(30),
      height: double(1.7),
      weight: float(60.5),
      money: decimal('0.1'),
      married: bool(true),
      born: date(1000, 5),
      photo: data('knife'),
      badge: oid('a'),
      token: uuid('1'),
      anything: int(5),
      nick_names: list(text('An'), text('Nana')),
      scores: list(int(1), int(2), NULL),
      marks: list(double(1.5), double(2.5)),
      extras: list(int(1), text('one'), NULL),
      labels: set(text('x'), text('y')),
      numbers: set(int(3), int(1)),
      settings: dictionary({ color: text('red'), size: int(4), deep: dictionary({ on: bool(true) }) }),
      limits: dictionary({ low: int(1), high: int(9) }),
      friend: link('Person', person(2)),
      dogs: list(link('Dog', dog('rex')), link('Dog', dog('fifi')), link('Dog', dog('rex'))),
      pets: dictionary({ first: link('Dog', dog('rex')), second: NULL }),
      address: embedded({ street: text('Main'), number: int(7), keeper: link('Person', person(3)) }),
      homes: list(embedded({ street: text('A'), number: int(1) }), embedded({ street: text('B') })),
      'full name': text('Anna A'),
      in: int(100),
      between: int(1),
      sort: text('b'),
    },
  ],
  [
    person(2),
    {
      name: text('bob'),
      age: int(25),
      height: double(1.8),
      weight: float(0.1),
      money: decimal('100.00'),
      married: bool(false),
      born: date(-1, -1),
      photo: data('fork'),
      badge: oid('b'),
      token: uuid('2'),
      anything: text('five'),
      nick_names: list(text('Bo')),
      scores: list(int(5)),
      marks: list(),
      extras: list(double(1), list(int(7), int(8))),
      labels: set(text('y')),
      numbers: set(int(3)),
      settings: dictionary({ color: text('blue') }),
      limits: dictionary({ low: int(5) }),
      friend: link('Person', person(3)),
      dogs: list(link('Dog', dog('ace'))),
      pets: dictionary({}),
      in: int(101),
      sort: text('a'),
    },
  ],
  [
    person(3),
    {
      name: text('Émile'),
      age: int(25),
      height: double(Number.NaN),
      money: decimal('25'),
      anything: dictionary({ kind: text('cat'), list: list(int(1), int(2)), who: link('Person', person(1)) }),
      nick_names: list(text('')),
      friend: link('Person', person(99)),
      dogs: list(link('Dog', dog('gone'))),
      pets: dictionary({ first: link('Dog', dog('ace')), name: link('Dog', dog('fifi')) }),
      address: embedded({ street: text('Side') }),
    },
  ],
  // Everything as it is before it was ever written.
  [person(4), {}],
];

const DOGS: Rows = [
  [dog('ace'), { name: text('Ace'), legs: int(4), price: double(10), owner: link('Person', person(2)) }],
  [
    dog('fifi'),
    { name: text('Fifi'), legs: int(3), owner: link('Person', person(1)), tricks: list(text('sit')) },
  ],
  [dog('rex'), { name: text('Rex'), legs: int(4), price: double(99.5), owner: link('Person', person(1)) }],
];

const NOTES: Rows = [
  [note(1), { body: text('hello'), about: link('Person', person(1)) }],
  [note(2), { body: text('bye'), about: link('Person', person(1)) }],
];

export class MemoryWorld implements QueryWorld {
  readonly schema: RealmSchema;
  readonly #tables: ReadonlyMap<string, readonly QueryObject[]>;

  constructor(schema: RealmSchema, tables: ReadonlyMap<string, readonly QueryObject[]>) {
    this.schema = schema;
    this.#tables = tables;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#tables.get(table)?.find((object) => sameKey(object.key, key))?.state;
  }

  objects(table: string): readonly QueryObject[] {
    return this.#tables.get(table) ?? [];
  }

  linking(table: string, field: string, target: { table: string; key: PrimaryKey }): QueryObject[] {
    const leads = (value: StateValue | undefined): boolean => {
      if (value?.type === 'link') return value.table === target.table && sameKey(value.key, target.key);
      if (value?.type === 'list') return value.items.some(leads);
      return value?.type === 'dictionary' && [...value.entries.values()].some(leads);
    };
    return this.objects(table).filter(({ state }) => leads(state.fields.get(field)));
  }
}

function objects(rows: Rows): QueryObject[] {
  return rows.map(([key, fields]) => ({ key, state: { fields: new Map(Object.entries(fields)) } }));
}

export const ZOO: QueryWorld = new MemoryWorld(
  SCHEMA,
  new Map([
    ['Person', objects(PEOPLE)],
    ['Dog', objects(DOGS)],
    ['Note', objects(NOTES)],
  ]),
);

/** Keys as they are written in expectations: `1 2`, `ace rex`. */
export function keysOf(found: Iterable<QueryObject>): string {
  return [...found]
    .map(({ key }) => (key.type === 'globalKey' ? `${key.lo}` : keyToken(key).slice(1)))
    .join(' ');
}
