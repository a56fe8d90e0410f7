/** Arrays, documents, flattened columns and tables of items, loaded and followed in both directions. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SyncedTransaction } from '../../../src/connector/engine.ts';
import { stateToJs } from '../../../src/connector/mapping/js-values.ts';
import { sameNames } from '../../support/engine-options.ts';
import { type Place, Places } from './place.ts';

let places: Places;
beforeAll(async () => {
  places = await Places.start();
});
afterEach(() => places.closeAll());
afterAll(() => places.stop());

const key = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

/** What the device holds of an object, as plain values; dates and numbers as JavaScript has them. */
function held(place: Place, id = 1, table = 'thing'): Record<string, unknown> | undefined {
  const object = place.device.replica.object(table, key(id));
  if (object === undefined) return undefined;
  return Object.fromEntries([...object.fields].map(([name, value]) => [name, stateToJs(value)]));
}

function written(place: Place, direction: SyncedTransaction['direction']): number {
  return place.deployment.synced
    .filter((transaction) => transaction.direction === direction)
    .reduce((sum, transaction) => sum + transaction.instructions, 0);
}

const THING = {
  name: 'thing',
  primaryKey: 'id',
  properties: {
    id: 'int',
    tags: 'string[]',
    numbers: 'int?[]',
    members: 'string<>',
    settings: 'mixed{}',
    any: 'mixed',
    address: 'address?',
    visits: 'visit[]',
  },
};
const ADDRESS = {
  name: 'address',
  embedded: true,
  properties: { street: 'string?', number: 'int?', notes: 'string[]' },
};
const VISIT = { name: 'visit', embedded: true, properties: { what: 'string?', score: 'double?' } };
const MODELS = [THING, ADDRESS, VISIT];
const TABLE = `CREATE TABLE thing (id int PRIMARY KEY, tags text[], numbers int[], members text[], settings jsonb,
  any_placeholder int, "any" jsonb, address jsonb, visits jsonb)`;

describe('columns that hold a property whole', () => {
  it('are loaded, written and read', async () => {
    const place = await places.open(TABLE, MODELS, {
      filled: `INSERT INTO thing (id, tags, numbers, members, settings, "any", address, visits) VALUES
        (1, '{a,"b c"}', '{1,NULL,3}', '{x,y}', '{"on": true, "name": "n", "deep": [1, {"a": null}]}', '["any", 2]',
         '{"street": "Main", "number": 5, "notes": ["n"]}', '[{"what": "w", "score": 1.5}]'), (2, NULL, '{}', NULL, NULL, NULL, NULL, NULL)`,
    });
    expect(held(place)).toEqual({
      tags: ['a', 'b c'],
      numbers: [1, null, 3],
      members: ['x', 'y'],
      settings: { on: true, name: 'n', deep: [1, { a: null }] },
      any: ['any', 2],
      address: { street: 'Main', number: 5, notes: ['n'] },
      visits: [{ what: 'w', score: 1.5 }],
    });
    expect(held(place, 2)).toEqual({});
    place.device.write((realm) => {
      realm.create('thing', {
        id: 3,
        tags: ['"', '{', 'NULL', ''],
        numbers: [7, null],
        members: ['m'],
        settings: { k: 'v', l: [true, null] },
        any: { nested: ['x'] },
        address: { street: 'Side', notes: ['a', 'b'] },
        visits: [{ what: 'first' }, { score: 2 }],
      });
      realm.create('thing', { id: 4 });
    });
    await place.deployment.settle();
    const [row, empty] = await place.sql(
      `SELECT tags::text, numbers::text, members::text, settings->>'k' AS k, settings->'l' AS l, "any"->'nested' AS nested,
        address->>'street' AS street, address->'notes' AS notes, jsonb_array_length(visits) AS visits FROM thing WHERE id > 2 ORDER BY id`,
    );
    expect(row).toEqual({
      tags: '{"\\"","{","NULL",""}',
      numbers: '{7,NULL}',
      members: '{m}',
      k: 'v',
      l: '[true, null]',
      nested: '["x"]',
      street: 'Side',
      notes: '["a", "b"]',
      visits: '2',
    });
    expect(Object.values(empty ?? {})).toEqual(Object.values(empty ?? {}).map(() => null));
    expect(written(place, 'toRealm')).toBe(0); // what comes back of our own is no change
    await place.sql(`UPDATE thing SET tags = array_append(tags, 'new'), address = address || '{"number": 9}',
      settings = settings - 'k', members = '{m,n}', "any" = NULL, visits = jsonb_set(visits, '{1,what}', '"set"') WHERE id = 3`);
    await place.deployment.settle();
    expect(held(place, 3)).toEqual({
      tags: ['"', '{', 'NULL', '', 'new'],
      numbers: [7, null],
      members: ['m', 'n'],
      settings: { l: [true, null] },
      any: null,
      address: { street: 'Side', number: 9, notes: ['a', 'b'] },
      visits: [{ what: 'first' }, { what: 'set', score: 2 }],
    });
    // An element, a field, a key, a member, NULL, a field of an element.
    expect(written(place, 'toRealm')).toBe(6);
  });

  it('keep what both sides do to different elements at once', async () => {
    const place = await places.open(TABLE, MODELS);
    await place.sql(`INSERT INTO thing (id, tags, settings, address) VALUES (1, '{a,b,c}', '{"x": "1", "y": "1"}',
      '{"street": "Main", "number": 5, "notes": ["n"]}')`);
    await place.deployment.settle();
    // The device is away while the database changes; its own changes were made before it heard of that.
    place.device.write((realm) => {
      const thing = realm.objectForPrimaryKey('thing', 1) as unknown as {
        tags: { splice(at: number, count: number): unknown };
        settings: { set(entries: object): void };
        address: { number: number; notes: { push(note: string): void } };
      };
      thing.tags.splice(0, 1);
      thing.settings.set({ y: 'device' });
      thing.address.number = 6;
      thing.address.notes.push('device');
    });
    await place.sql(`UPDATE thing SET tags = '{a,b,c,d}', settings = settings || '{"x": "sql", "z": "sql"}',
      address = '{"street": "SQL", "number": 5, "notes": ["sql", "n"]}' WHERE id = 1`);
    await place.deployment.settle();
    const expected = {
      tags: ['b', 'c', 'd'],
      settings: { x: 'sql', y: 'device', z: 'sql' },
      address: { street: 'SQL', number: 6, notes: ['sql', 'n', 'device'] },
    };
    expect(held(place)).toMatchObject(expected);
    const [row] = await place.sql('SELECT tags::text, settings, address FROM thing');
    expect(row?.tags).toBe('{b,c,d}');
    expect(JSON.parse(row?.settings ?? '')).toEqual(expected.settings);
    expect(JSON.parse(row?.address ?? '')).toEqual(expected.address);
  });

  it('are not touched when the feed leaves a large document out', async () => {
    const place = await places.open(TABLE, MODELS);
    // Random, so that it is too large to stay in the row even when compressed.
    const street = Array.from({ length: 6000 }, () => Math.random().toString(36).slice(2, 3)).join('');
    await place.sql('INSERT INTO thing (id, address) VALUES (1, jsonb_build_object($$street$$, $1::text))', [
      street,
    ]);
    await place.sql("UPDATE thing SET tags = '{t}'");
    await place.deployment.settle();
    expect(held(place)).toMatchObject({ tags: ['t'], address: { street } });
    await place.sql("UPDATE thing SET id = 2, tags = '{u}'");
    await place.deployment.settle();
    expect(held(place)).toBeUndefined();
    expect(held(place, 2)).toMatchObject({ tags: ['u'], address: { street } });
  });

  it('are made with the tables from the models', async () => {
    const place = await places.open('', MODELS, { createTables: true });
    place.device.write((realm) => {
      realm.create('thing', { id: 1, tags: ['t'], settings: { a: 1n }, address: { number: 3 }, any: 'x' });
    });
    await place.deployment.settle();
    await place.sql('UPDATE thing SET address = address || \'{"street": "s"}\'');
    await place.deployment.settle();
    expect(held(place)).toMatchObject({
      tags: ['t'],
      settings: { a: 1 },
      address: { number: 3, street: 's' },
      any: 'x',
    });
  });
});

describe('embedded objects in columns of their own', () => {
  const models = [
    { name: 'thing', primaryKey: 'id', properties: { id: 'int', home: 'place?', home_town: 'string?' } },
    { name: 'place', embedded: true, properties: { street: 'string?', at: 'point?', owner: 'thing?' } },
    { name: 'point', embedded: true, properties: { x: 'double', y: 'double' } },
  ];
  const table = `CREATE TABLE thing (id int PRIMARY KEY, home_street text, home_at_x float8, home_at_y float8,
    home_owner int REFERENCES thing, home_town text)`;

  it('are one object, and no object when all of them are NULL', async () => {
    const place = await places.open(table, models, {
      filled: `INSERT INTO thing VALUES (1, 'Main', 1, 2, NULL, 'town'), (2, NULL, NULL, NULL, NULL, 'alone')`,
    });
    expect(held(place)).toEqual({
      home: { street: 'Main', at: { x: 1, y: 2 }, owner: null },
      home_town: 'town',
    });
    expect(held(place, 2)).toEqual({ home_town: 'alone' });
    place.device.write((realm) => {
      const one = realm.objectForPrimaryKey('thing', 1);
      const two = realm.objectForPrimaryKey('thing', 2);
      if (one === null || two === null) throw new Error('not loaded');
      one.home = null;
      two.home = { at: { x: 5, y: 0 }, owner: one };
    });
    await place.deployment.settle();
    const rows = () => place.sql('SELECT * FROM thing ORDER BY id');
    expect(await rows()).toEqual([
      { id: '1', home_street: null, home_at_x: null, home_at_y: null, home_owner: null, home_town: 'town' },
      { id: '2', home_street: null, home_at_x: '5', home_at_y: '0', home_owner: '1', home_town: 'alone' },
    ]);
    await place.sql("UPDATE thing SET home_street = 'New' WHERE id = 2");
    await place.deployment.settle();
    expect(held(place, 2)).toMatchObject({ home: { street: 'New', at: { x: 5, y: 0 }, owner: 1 } });
    expect(written(place, 'toRealm')).toBe(1);
  });

  it('stay as they are when all their fields are null', async () => {
    const place = await places.open(table, models);
    place.device.write((realm) => realm.create('thing', { id: 1, home: {} }));
    await place.deployment.settle();
    expect(held(place)).toEqual({ home: {} });
    expect(written(place, 'toRealm')).toBe(0);
  });
});

describe('collections in tables of their own', () => {
  const models = [
    {
      name: 'thing',
      primaryKey: 'id',
      properties: { id: 'int', tags: 'string[]', members: 'int<>', settings: 'double{}', friends: 'thing<>' },
    },
  ];

  it('are loaded from them and written to them', async () => {
    const place = await places.open(
      `CREATE TABLE thing (id int PRIMARY KEY);
       CREATE TABLE thing_tags (oid int REFERENCES thing, idx int, target text, PRIMARY KEY (oid, idx));
       CREATE TABLE thing_members (oid int REFERENCES thing, target int, PRIMARY KEY (oid, target));
       CREATE TABLE thing_friends (oid int REFERENCES thing, target int REFERENCES thing, PRIMARY KEY (oid, target));
       CREATE TABLE thing_settings (oid int REFERENCES thing, key text, target float8, PRIMARY KEY (oid, key))`,
      models,
      {
        filled: `INSERT INTO thing VALUES (1), (2);
          INSERT INTO thing_tags VALUES (1, 0, 'a'), (1, 1, 'b'), (2, 0, 'c');
          INSERT INTO thing_members VALUES (1, 10), (1, 2); INSERT INTO thing_friends VALUES (1, 2);
          INSERT INTO thing_settings VALUES (1, 'k', 1.5)`,
      },
    );
    expect(held(place)).toEqual({
      tags: ['a', 'b'],
      members: [2, 10],
      settings: { k: 1.5 },
      friends: [2],
    });
    expect(held(place, 2)).toEqual({ tags: ['c'] });
    place.device.write((realm) => {
      const one = realm.objectForPrimaryKey('thing', 1) as unknown as {
        tags: { unshift(tag: string): void };
        members: { delete(member: number): void };
        settings: { set(entries: object): void };
      };
      one.tags.unshift('first');
      one.members.delete(10);
      one.settings.set({ l: 2 });
      const three = realm.create('thing', { id: 3, tags: ['x', 'x'], members: [1] });
      Object.assign(three, { friends: [realm.objectForPrimaryKey('thing', 1), three] });
      const two = realm.objectForPrimaryKey('thing', 2);
      if (two !== null) realm.delete(two);
    });
    await place.deployment.settle();
    const rows = (table: string) =>
      place
        .sql(`SELECT * FROM ${table} ORDER BY 1, 2`)
        .then((found) => found.map((row) => Object.values(row).join(' ')));
    expect(await rows('thing_tags')).toEqual(['1 0 first', '1 1 a', '1 2 b', '3 0 x', '3 1 x']);
    expect(await rows('thing_members')).toEqual(['1 2', '3 1']);
    expect(await rows('thing_settings')).toEqual(['1 k 1.5', '1 l 2']);
    expect(await rows('thing_friends')).toEqual(['3 1', '3 3']);
    await place.sql('DELETE FROM thing_tags WHERE oid = 3');
    await place.sql('DELETE FROM thing_members WHERE oid = 3; DELETE FROM thing_friends WHERE oid = 3');
    await place.sql('DELETE FROM thing WHERE id = 3');
    await place.deployment.settle();
    expect(held(place, 3)).toBeUndefined();
  });

  it('are made where the options name them', async () => {
    const hasItemTable = (_: string, property: string): boolean => property !== 'tags';
    const mapping = { ...sameNames, hasItemTable };
    const place = await places.open('', models, { createTables: true, mapping });
    place.device.write((realm) =>
      realm.create('thing', { id: 1, tags: ['t'], members: [4], settings: { a: 1 } }),
    );
    await place.deployment.settle();
    expect(await place.sql('SELECT oid, key, target FROM thing_settings')).toEqual([
      { oid: '1', key: 'a', target: '1' },
    ]);
    expect(await place.sql('SELECT oid, target FROM thing_members')).toEqual([{ oid: '1', target: '4' }]);
    expect(
      await place.sql("SELECT count(*) FROM information_schema.tables WHERE table_name = 'thing_tags'"),
    ).toEqual([{ count: '0' }]);
  });
});

describe('lists of links in a column', () => {
  it('are written whole and compared element by element', async () => {
    const models = [{ name: 'thing', primaryKey: 'id', properties: { id: 'int', next: 'thing[]' } }];
    const place = await places.open('CREATE TABLE thing (id int PRIMARY KEY, next int[])', models, {
      filled: "INSERT INTO thing VALUES (1, '{2,3}'), (2, NULL), (3, '{}')",
    });
    expect(held(place)).toEqual({ next: [2, 3] });
    place.device.write((realm) => {
      const one = realm.objectForPrimaryKey('thing', 1) as unknown as { next: { push(item: unknown): void } };
      one.next.push(realm.objectForPrimaryKey('thing', 1));
    });
    await place.deployment.settle();
    expect(await place.sql('SELECT next::text FROM thing WHERE id = 1')).toEqual([{ next: '{2,3,1}' }]);
    await place.sql("UPDATE thing SET next = '{2,1}' WHERE id = 1");
    await place.deployment.settle();
    expect(held(place)).toEqual({ next: [2, 1] });
    expect(written(place, 'toRealm')).toBe(1);
  });
});

describe('conversion hooks', () => {
  it('bridge a column of one value and a collection', async () => {
    const models = [
      { name: 'thing', primaryKey: 'id', properties: { id: 'int', tags: 'string[]', first: 'string?' } },
    ];
    const mapping = {
      ...sameNames,
      valueToRealm: (_table: string, column: string, value: unknown) => {
        if (column === 'tags') return String(value).split(',');
        return column === 'first' && Array.isArray(value) ? value[0] : value;
      },
      valueToSql: (_className: string, property: string, value: unknown) => {
        if (property === 'tags' && Array.isArray(value)) return value.join(',');
        return property === 'first' ? [value] : value;
      },
    };
    const place = await places.open(
      'CREATE TABLE thing (id int PRIMARY KEY, tags text, first text[])',
      models,
      { mapping, filled: "INSERT INTO thing VALUES (1, 'a,b', '{x,y}')" },
    );
    expect(held(place)).toEqual({ tags: ['a', 'b'], first: 'x' });
    place.device.write((realm) => {
      realm.create('thing', { id: 2, tags: ['c', 'd'], first: 'f' });
    });
    await place.sql("UPDATE thing SET tags = 'a,z,b' WHERE id = 1");
    await place.deployment.settle();
    expect(held(place)).toMatchObject({ tags: ['a', 'z', 'b'] });
    expect(await place.sql('SELECT * FROM thing WHERE id = 2')).toEqual([
      { id: '2', tags: 'c,d', first: '{f}' },
    ]);
    expect(written(place, 'toRealm')).toBe(1);
  });

  it('see what is in a document', async () => {
    const models = [
      { name: 'thing', primaryKey: 'id', properties: { id: 'int', names: 'string[]', total: 'int?' } },
    ];
    const mapping = {
      ...sameNames,
      valueToRealm: (_table: string, column: string, value: unknown) => {
        if (column === 'names') return (value as { name: string }[]).map(({ name }) => name);
        return column === 'total' ? (value as { sum: number }).sum : value;
      },
      valueToSql: (_className: string, property: string, value: unknown) => {
        if (property === 'names') return (value as string[]).map((name) => ({ name, length: name.length }));
        return property === 'total' ? { sum: value } : value;
      },
    };
    const place = await places.open(
      'CREATE TABLE thing (id int PRIMARY KEY, names jsonb, total jsonb)',
      models,
      { mapping, filled: `INSERT INTO thing VALUES (1, '[{"name": "a"}, {"name": "b"}]', '{"sum": 3}')` },
    );
    expect(held(place)).toEqual({ names: ['a', 'b'], total: 3 });
    place.device.write((realm) => realm.create('thing', { id: 2, names: ['abc'], total: 4 }));
    await place.deployment.settle();
    const [row] = await place.sql('SELECT names, total FROM thing WHERE id = 2');
    expect(row).toEqual({ names: '[{"name": "abc", "length": 3}]', total: '{"sum": 4}' });
    expect(written(place, 'toRealm')).toBe(0);
  });
});

describe('models made from the tables', () => {
  it('have lists for arrays and collections for tables of items', async () => {
    const place = await places.open(
      `CREATE TABLE thing (id int PRIMARY KEY, tags text[], scores float8[]);
       CREATE TABLE thing_friends (oid int, idx int, target int REFERENCES thing, PRIMARY KEY (oid, idx));
       CREATE TABLE thing_facts (oid int, key text, target int NOT NULL, PRIMARY KEY (oid, key))`,
      [],
      {
        initializeRealm: true,
        filled: `INSERT INTO thing VALUES (1, '{a}', '{1.5,NULL}'), (2, NULL, NULL);
          INSERT INTO thing_friends VALUES (1, 0, 2); INSERT INTO thing_facts VALUES (1, 'k', 5)`,
      },
    );
    expect(held(place)).toEqual({ tags: ['a'], scores: [1.5, null], friends: [2], facts: { k: 5 } });
    await place.sql("UPDATE thing SET tags = '{a,b}'");
    await place.deployment.settle();
    expect(held(place)).toMatchObject({ tags: ['a', 'b'] });
  });
});
