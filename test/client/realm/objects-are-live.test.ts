import { ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import type { RealmReader } from '../../../src/client/realm/realm-core.ts';
import { RealmUsageError } from '../../../src/client/realm/realm-error.ts';
import { SchemaError } from '../../../src/schema/schema-error.ts';
import { ValueError } from '../../../src/schema/value-error.ts';
import { MemoryReader, openMemoryRealm } from './memory-realm.ts';

type Person = {
  _id: number;
  name: string;
  boss: Person | null;
  friends: Person[];
  tags: Set<unknown>;
  scores: Record<string, number>;
  home: { street: string; owner: Person | null } | null;
  homes: { street: string; owner: Person | null }[];
  any: unknown;
  staff: Iterable<Person> & { length: number };
};

const schema = [
  {
    name: 'Person',
    primaryKey: '_id',
    properties: {
      _id: 'int',
      name: { type: 'string', default: () => 'nobody' },
      boss: 'Person?',
      friends: 'Person[]',
      tags: 'string<>',
      scores: 'int{}',
      home: 'Home?',
      homes: 'Home[]',
      any: 'mixed',
      staff: { type: 'linkingObjects', objectType: 'Person', property: 'boss' },
    },
  },
  { name: 'Home', embedded: true, properties: { street: 'string', owner: 'Person?' } },
];

function open(): { realm: ObjectRealm; reader: MemoryReader; person: (id: number) => Person } {
  const opened = openMemoryRealm(schema);
  const person = (id: number): Person => {
    const found = opened.realm.objectForPrimaryKey<Person>('Person', id);
    if (found === null) throw new Error(`no person ${id}`);
    return found;
  };
  return { ...opened, person };
}

const lastWritten = (reader: MemoryReader): readonly Instruction[] => reader.written.at(-1) ?? [];
const key = (value: bigint) => ({ type: 'int', value }) as const;

describe('reading', () => {
  test('an object shows its values, the defaults of what was never written, and its inverse links', () => {
    const { realm, person } = open();
    realm.write(() => {
      const boss = realm.create<Person>('Person', { _id: 1 });
      realm.create('Person', { _id: 2, name: 'Ann', boss, scores: { chess: 3 } });
    });
    const ann = person(2);
    expect(ann.name).toBe('Ann');
    expect(ann.boss?.name).toBe('nobody');
    expect([...ann.friends]).toEqual([]);
    expect(ann.home).toBeNull();
    expect({ ...ann.scores }).toEqual({ chess: 3 });
    expect([...person(1).staff].map(({ _id }) => _id)).toEqual([2]);
    expect(realm.objects<Person>('Person').map(({ _id }) => _id)).toEqual([1, 2]);
    expect(realm.objects<Person>('Person')[1]?.name).toBe('Ann');
    expect(realm.objectForPrimaryKey('Person', 3)).toBeNull();
  });

  test('what a transaction wrote is seen inside it and gone when it is cancelled', () => {
    const { realm, reader, person } = open();
    realm.write(() => realm.create('Person', { _id: 1, name: 'Ann' }));
    const ann = person(1);
    expect(() =>
      realm.write(() => {
        ann.name = 'Bob';
        realm.create('Person', { _id: 2 });
        expect(person(1).name).toBe('Bob');
        expect(realm.objects('Person').length).toBe(2);
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    expect(ann.name).toBe('Ann');
    expect(realm.objects('Person').length).toBe(1);
    expect(reader.written).toHaveLength(2);
    expect(realm.isInTransaction).toBe(false);
  });

  test('accessors see what others changed since', () => {
    const { realm, reader, person } = open();
    realm.write(() => realm.create('Person', { _id: 1, friends: [] }));
    const ann = person(1);
    const { friends } = ann;
    const onAnn = { table: 'Person', key: key(1n) };
    reader.write([
      { op: 'CreateObject', table: 'Person', key: key(2n) },
      {
        op: 'ArrayInsert',
        ...onAnn,
        field: 'friends',
        path: [0],
        value: { type: 'link', ...onAnn },
        priorSize: 0,
      },
      {
        op: 'Update',
        ...onAnn,
        field: 'name',
        path: [],
        value: { type: 'string', value: 'X' },
        isDefault: false,
      },
    ]);
    expect(ann.name).toBe('X');
    expect(friends.length).toBe(1);
    expect(friends[0]?._id).toBe(1);
  });
});

describe('sets', () => {
  test('members are added once, removed and cleared', () => {
    const { realm, reader, person } = open();
    realm.write(() => realm.create('Person', { _id: 1, tags: ['a', 'b'] }));
    realm.write(() => {
      const { tags } = person(1);
      tags.add('b').add('c');
      expect(tags.delete('a')).toBe(true);
      expect(tags.delete('z')).toBe(false);
    });
    expect([...person(1).tags]).toEqual(['b', 'c']);
    expect(person(1).tags.has('c')).toBe(true);
    expect(lastWritten(reader).map(({ op }) => op)).toEqual(['SetInsert', 'SetErase']);
    realm.write(() => person(1).tags.clear());
    expect(person(1).tags.size).toBe(0);
    expect(lastWritten(reader)).toMatchObject([{ op: 'Clear', collection: 'set' }]);
  });

  test('clearing a set of links keeps the objects', () => {
    const { realm } = openMemoryRealm([
      { name: 'A', primaryKey: '_id', properties: { _id: 'int', bs: 'A<>' } },
    ]);
    realm.write(() => {
      const a = realm.create<{ bs: Set<unknown> }>('A', { _id: 1 });
      a.bs.add(a);
      a.bs.clear();
    });
    expect(realm.objects('A').length).toBe(1);
  });
});

describe('deleting', () => {
  test('links to the object disappear from other objects, also inside embedded ones', () => {
    const { realm, reader, person } = open();
    realm.write(() => {
      const gone = realm.create<Person>('Person', { _id: 1 });
      const kept = realm.create<Person>('Person', { _id: 2 });
      realm.create('Person', {
        _id: 3,
        boss: gone,
        friends: [gone, kept, gone],
        home: { street: 'here', owner: gone },
        homes: [
          { street: 'a', owner: gone },
          { street: 'b', owner: kept },
          { street: 'c', owner: gone },
        ],
        any: [1, gone, { x: gone }],
      });
    });
    const gone = person(1);
    realm.write(() => realm.delete(gone));
    const rest = person(3);
    expect(rest.boss).toBeNull();
    expect([...rest.friends].map(({ _id }) => _id)).toEqual([2]);
    expect(rest.home?.owner).toBeNull();
    expect([...rest.homes].map(({ owner }) => owner?._id)).toEqual([undefined, 2, undefined]);
    expect(JSON.parse(JSON.stringify(rest.any))).toEqual([1, { x: null }]);
    expect(lastWritten(reader).at(-1)).toMatchObject({ op: 'EraseObject', key: key(1n) });
    expect(() => gone.name).toThrow(RealmUsageError);
  });

  test('an object that was linked to in the same transaction is unlinked, too', () => {
    const { realm, person } = open();
    realm.write(() => {
      const first = realm.create<Person>('Person', { _id: 1 });
      const second = realm.create<Person>('Person', { _id: 2 });
      realm.delete(first);
      const third = realm.create<Person>('Person', { _id: 3 });
      second.boss = third;
      realm.delete(third);
    });
    expect(person(2).boss).toBeNull();
    expect(realm.objects('Person').length).toBe(1);
  });

  test('links that waited for an object are set anew when the reader can tell them', () => {
    const reader = new MemoryReader();
    const knowing: RealmReader = {
      get schema() {
        return reader.schema;
      },
      object: (table, id) => reader.object(table, id),
      objects: (table) => reader.objects(table),
      count: (table) => reader.count(table),
      incomingLinks: () => [{ table: 'Person', key: key(1n) }],
    };
    const realm = new ObjectRealm({ reader: knowing, write: (written) => reader.write(written), schema });
    const waiting = { type: 'link', table: 'Person', key: key(9n) } as const;
    const onOne = { table: 'Person', key: key(1n) };
    reader.write([
      { op: 'CreateObject', ...onOne },
      { op: 'Update', ...onOne, field: 'boss', path: [], value: waiting, isDefault: false },
      { op: 'ArrayInsert', ...onOne, field: 'friends', path: [0], value: waiting, priorSize: 0 },
    ]);
    realm.write(() => realm.create('Person', { _id: 9, name: 'late' }));
    expect(lastWritten(reader)).toMatchObject([
      { op: 'CreateObject', key: key(9n) },
      { op: 'Update', ...onOne, field: 'boss', path: [], value: waiting },
      { op: 'Update', ...onOne, field: 'friends', path: [0], value: waiting, priorSize: 1 },
      { op: 'Update', key: key(9n), field: 'name' },
    ]);
  });
});

test('a list hides links to nothing and still names raw indexes', () => {
  const { realm, reader, person } = open();
  const onOne = { table: 'Person', key: key(1n), field: 'friends' };
  const linkTo = (id: bigint) => ({ type: 'link', table: 'Person', key: key(id) }) as const;
  reader.write([
    { op: 'CreateObject', table: 'Person', key: key(1n) },
    { op: 'CreateObject', table: 'Person', key: key(2n) },
    { op: 'ArrayInsert', ...onOne, path: [0], value: linkTo(8n), priorSize: 0 },
    { op: 'ArrayInsert', ...onOne, path: [1], value: linkTo(2n), priorSize: 1 },
    { op: 'ArrayInsert', ...onOne, path: [2], value: linkTo(9n), priorSize: 2 },
  ]);
  const { friends } = person(1);
  expect(friends.length).toBe(1);
  realm.write(() => {
    friends.push(person(1));
    friends[0] = person(1);
    friends.splice(0, 1);
  });
  expect(lastWritten(reader)).toMatchObject([
    { op: 'ArrayInsert', path: [3], priorSize: 3 },
    { op: 'Update', path: [1], priorSize: 4 },
    { op: 'ArrayErase', path: [1], priorSize: 4 },
  ]);
});

test('an embedded object of a list stays itself when others are inserted before it', () => {
  const { realm, person } = open();
  realm.write(() => {
    const { homes } = realm.create<Person>('Person', { _id: 1, homes: [{ street: 'old' }] });
    const [old] = homes;
    homes.unshift({ street: 'new', owner: null });
    if (old !== undefined) old.street = 'changed';
  });
  expect([...person(1).homes].map(({ street }) => street)).toEqual(['new', 'changed']);
});

describe('mistakes', () => {
  test('are named and change nothing', () => {
    const { realm, person } = open();
    realm.write(() => realm.create('Person', { _id: 1 }));
    const ann = person(1);
    expect(() => realm.create('Person', { _id: 2 })).toThrow(RealmUsageError);
    expect(() => Object.assign(ann, { name: 'x' })).toThrow(/write transaction/);
    const mistakes: [() => unknown, typeof RealmUsageError | typeof ValueError, RegExp][] = [
      [() => realm.create('Person', { _id: 1 }), RealmUsageError, /Person.*primary key '1'/],
      [() => realm.create('Person', { _id: 'one' }), ValueError, /Person\._id/],
      [() => realm.create('Person', { _id: 3, nmae: 'x' }), RealmUsageError, /no property 'nmae'/],
      [() => realm.create('Persn', {}), RealmUsageError, /no class 'Persn'/],
      [() => realm.create('Home', { street: 'x' }), RealmUsageError, /embedded/],
      [() => Object.assign(ann, { home: {} }), RealmUsageError, /Home\.street is required/],
      [() => Object.assign(ann, { name: null }), ValueError, /Person\.name/],
      [() => Object.assign(ann, { name: 7 }), ValueError, /Person\.name/],
      [() => Object.assign(ann, { _id: 7 }), RealmUsageError, /primary key/],
      [() => Object.assign(ann, { friends: 7 }), ValueError, /takes an array/],
      [() => Object.assign(ann, { any: new Set([1]) }), ValueError, /set/],
      [() => realm.delete(new ObjectId()), RealmUsageError, /deleted/],
    ];
    for (const [mistake, kind, message] of mistakes) {
      expect(() => realm.write(mistake)).toThrow(kind);
      expect(() => realm.write(mistake)).toThrow(message);
    }
    expect(realm.objects('Person').length).toBe(1);
  });

  test('a closed realm says so', () => {
    const { realm, person } = open();
    realm.write(() => realm.create('Person', { _id: 1 }));
    const ann = person(1);
    realm.close();
    expect(() => ann.name).toThrow(/closed/);
    expect(() => realm.write(() => undefined)).toThrow(/closed/);
  });
});

describe('the schema', () => {
  test('grows when a realm is opened with more classes and properties', () => {
    const reader = new MemoryReader();
    openMemoryRealm([{ name: 'B', primaryKey: '_id', properties: { _id: 'int', x: 'int' } }], reader);
    openMemoryRealm(
      [
        { name: 'C', primaryKey: '_id', properties: { _id: 'int' } },
        { name: 'B', primaryKey: '_id', properties: { _id: 'int', x: 'int', c: 'C?' } },
        { name: 'A', embedded: true, properties: { y: 'int' } },
      ],
      reader,
    );
    expect(lastWritten(reader)).toMatchObject([
      { op: 'AddTable', table: 'A', kind: 'embedded' },
      { op: 'AddTable', table: 'C' },
      { op: 'AddColumn', table: 'A', field: 'y' },
      { op: 'AddColumn', table: 'B', field: 'c' },
    ]);
    openMemoryRealm([{ name: 'B', primaryKey: '_id', properties: { _id: 'int', x: 'int' } }], reader);
    expect(reader.written).toHaveLength(2);
  });

  test('that contradicts the realm is refused', () => {
    const { reader } = open();
    const changed = [{ name: 'Person', primaryKey: '_id', properties: { _id: 'int', name: 'int' } }];
    expect(() => openMemoryRealm(changed, reader)).toThrow(SchemaError);
    expect(() => openMemoryRealm(changed, reader)).toThrow(/Person\.name.*required string.*required int/);
  });
});
