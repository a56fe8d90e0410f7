import { describe, expect, test } from 'vitest';
import { classDefinitions } from '../../src/schema/definitions.ts';
import { parseSchema } from '../../src/schema/notation.ts';
import { SchemaError } from '../../src/schema/schema-error.ts';

const columnsOf = (properties: Record<string, unknown>) => {
  const models = [
    { name: 'A', primaryKey: '_id', properties: { _id: 'int', ...properties } },
    { name: 'B', primaryKey: '_id', properties: { _id: 'string', a: 'A' } },
    { name: 'E', embedded: true, properties: { x: 'int' } },
  ];
  return Object.fromEntries(classDefinitions(parseSchema(models)).get('A')?.columns ?? []);
};

describe('short and long forms', () => {
  test.each([
    ['int', { type: 'int', nullable: false, collection: 'single' }],
    ['int?', { type: 'int', nullable: true, collection: 'single' }],
    [
      { type: 'int', optional: true },
      { type: 'int', nullable: true, collection: 'single' },
    ],
    ['string[]', { type: 'string', nullable: false, collection: 'list' }],
    ['string?[]', { type: 'string', nullable: true, collection: 'list' }],
    [
      { type: 'list', objectType: 'string', optional: true },
      { type: 'string', nullable: true, collection: 'list' },
    ],
    [
      { type: 'list', objectType: 'string?' },
      { type: 'string', nullable: true, collection: 'list' },
    ],
    [{ type: 'int[]' }, { type: 'int', nullable: false, collection: 'list' }],
    ['int<>', { type: 'int', nullable: false, collection: 'set' }],
    [
      { type: 'set', objectType: 'int' },
      { type: 'int', nullable: false, collection: 'set' },
    ],
    ['date?{}', { type: 'date', nullable: true, collection: 'dictionary' }],
    ['mixed', { type: 'mixed', nullable: true, collection: 'single' }],
    ['mixed[]', { type: 'mixed', nullable: true, collection: 'list' }],
    ['B', { type: 'link', nullable: true, collection: 'single', linkTarget: 'B' }],
    ['B?', { type: 'link', nullable: true, collection: 'single', linkTarget: 'B' }],
    [
      { type: 'object', objectType: 'B' },
      { type: 'link', nullable: true, collection: 'single', linkTarget: 'B' },
    ],
    ['B[]', { type: 'link', nullable: false, collection: 'list', linkTarget: 'B' }],
    [
      { type: 'list', objectType: 'B', watch_table: true },
      { type: 'link', nullable: false, collection: 'list', linkTarget: 'B' },
    ],
    ['B<>', { type: 'link', nullable: false, collection: 'set', linkTarget: 'B' }],
    ['B{}', { type: 'link', nullable: true, collection: 'dictionary', linkTarget: 'B' }],
    ['E[]', { type: 'link', nullable: false, collection: 'list', linkTarget: 'E' }],
  ])('%j', (notation, column) => {
    expect(columnsOf({ p: notation })).toEqual({ p: column });
  });

  test('inverse properties, keys and mapped names become what the realm stores', () => {
    const inverse = { type: 'linkingObjects', objectType: 'B', property: 'a' };
    expect(Object.keys(columnsOf({ bs: inverse, long: { type: 'int', mapTo: 'short' } }))).toEqual(['short']);
  });
});

test('classes, kinds, defaults and the keys of the connector are kept', () => {
  class Route {
    RealmID = '';
    static schema = {
      name: 'Route',
      primaryKey: 'RealmID',
      sqlserverPrimaryKey: 'RouteKey',
      properties: {
        RealmID: 'string',
        RouteKey: { type: 'int', optional: true },
        Stops: { type: 'list', objectType: 'Stop', watch_table: true },
        count: { type: 'int', default: 3, indexed: true, presentation: 'counter' },
      },
    };
  }
  const stop = {
    name: 'Stop',
    asymmetric: false,
    embedded: false,
    primaryKey: 'id',
    properties: { id: 'uuid' },
  };
  const [route] = parseSchema([Route, stop]);
  expect(route).toMatchObject({ name: 'Route', primaryKey: 'RealmID', sqlserverPrimaryKey: 'RouteKey' });
  expect(route?.properties.get('Stops')).toMatchObject({ watchTable: true, linkTarget: 'Stop' });
  expect(route?.properties.get('count')).toMatchObject({ default: 3, indexed: true, counter: true });
});

test('classes are defined in the order of their names, as clients create them', () => {
  const named = (name: string) => ({ name, primaryKey: 'k', properties: { k: 'objectId?' } });
  const definitions = classDefinitions(parseSchema([named('b'), named('Z'), named('a')]));
  expect([...definitions.keys()]).toEqual(['Z', 'a', 'b']);
  expect(definitions.get('a')?.primaryKey).toEqual({ field: 'k', type: 'objectId', nullable: true });
});

describe('mistakes name the class, the property and the remedy', () => {
  const one = (properties: unknown, more: Record<string, unknown> = {}) => [
    { name: 'A', properties, ...more },
  ];
  test.each<[string, unknown[], RegExp]>([
    ['an unknown type', one({ a: 'strng' }), /A\.a: 'strng'.*did you mean 'string'/],
    ['a link to a missing class', one({ a: 'Persn' }), /A\.a: 'Persn'.*add the class/],
    [
      'an unknown key of a class',
      one({ a: 'int' }, { primarykey: 'a' }),
      /class A.*'primarykey'.*'primaryKey'/,
    ],
    ['an unknown key of a property', one({ a: { type: 'int', defualt: 1 } }), /A\.a.*'defualt'.*'default'/],
    ['a missing key property', one({ id: 'int' }, { primaryKey: 'ib' }), /class A.*"ib".*did you mean 'id'/],
    ['a key of a wrong type', one({ id: 'double' }, { primaryKey: 'id' }), /A\.id.*double.*use int/],
    ['a key that is a list', one({ id: 'int[]' }, { primaryKey: 'id' }), /A\.id.*int list/],
    [
      'an embedded class with a key',
      one({ id: 'int' }, { primaryKey: 'id', embedded: true }),
      /class A.*embedded/,
    ],
    ['an asymmetric class without key', one({ id: 'int' }, { asymmetric: true }), /class A.*asymmetric/],
    ['both kinds', one({ id: 'int' }, { asymmetric: true, embedded: true }), /class A.*both/],
    ['a class declared twice', [...one({ a: 'int' }), ...one({ b: 'int' })], /class A: is declared twice/],
    ['an optional collection', one({ a: 'int[]?' }), /A\.a.*int\?\[\]/],
    ['a nested collection', one({ a: 'list[]' }), /A\.a.*mixed/],
    ['a double question mark', one({ a: 'int??' }), /A\.a: 'int\?\?' is no type/],
    ['nulls in a list of objects', one({ a: 'A?[]' }), /A\.a.*no nulls/],
    ['a list without objectType', one({ a: { type: 'list' } }), /A\.a.*objectType/],
    [
      'an inverse of no link',
      one({ a: 'int', b: { type: 'linkingObjects', objectType: 'A', property: 'a' } }),
      /A\.b/,
    ],
    ['a name of a class beyond 57 bytes', [{ name: 'é'.repeat(29), properties: {} }], /57 bytes/],
    ['a name of a property beyond 63 bytes', one({ ['é'.repeat(32)]: 'int' }), /63 bytes.*mapTo/],
    ['two properties of one stored name', one({ a: 'int', b: { type: 'int', mapTo: 'a' } }), /A\.b.*taken/],
    ['no properties', [{ name: 'A' }], /class A.*no properties/],
    ['no name', [{ properties: {} }], /no name/],
    ['no model', [null], /neither an object nor a class/],
    ['a counter that may be null', one({ a: { type: 'int?', presentation: 'counter' } }), /A\.a.*counter/],
  ])('%s', (_, models, message) => {
    expect(() => parseSchema(models)).toThrow(SchemaError);
    expect(() => parseSchema(models)).toThrow(message);
  });

  test('a set of embedded objects and a link to an asymmetric class', () => {
    const inner = { name: 'I', embedded: true, properties: { x: 'int' } };
    const event = { name: 'V', asymmetric: true, primaryKey: 'x', properties: { x: 'int' } };
    expect(() => parseSchema([inner, { name: 'A', properties: { a: 'I<>' } }])).toThrow(
      /A\.a.*set of embedded/,
    );
    expect(() => parseSchema([event, { name: 'A', properties: { a: 'V' } }])).toThrow(/A\.a.*asymmetric/);
  });
});
