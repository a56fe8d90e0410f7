import { ObjectId } from 'bson';
import { expect, test } from 'vitest';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { ObjectRealm as Realm } from '../../../src/client/realm/object-realm.ts';
import { openStore } from '../../store/replica/items.ts';
import { openMemoryRealm } from './memory-realm.ts';

const SCHEMA = [
  {
    name: 'Dog',
    primaryKey: '_id',
    properties: { _id: 'objectId', name: 'string', age: 'int', born: 'date?', owner: 'Person?' },
  },
  {
    name: 'Person',
    primaryKey: 'name',
    properties: {
      name: 'string',
      dogs: { type: 'linkingObjects', objectType: 'Dog', property: 'owner' },
    },
  },
];
type Dog = { _id: ObjectId; name: string; age: number };

function kennel(realm: ObjectRealm): ObjectRealm {
  realm.write(() => {
    const ann = realm.create('Person', { name: 'Ann' });
    const bob = realm.create('Person', { name: 'Bob' });
    for (const [index, [name, age, owner]] of (
      [
        ['Rex', 7, ann],
        ['Ada', 3, bob],
        ['Bea', 7, null],
        ['Sam', 1, ann],
      ] as const
    ).entries()) {
      realm.create('Dog', { _id: new ObjectId(String(index).padStart(24, '0')), name, age, owner });
    }
  });
  return realm;
}

const names = (dogs: Iterable<Dog>): string[] => [...dogs].map(({ name }) => name);

test.each([
  ['in memory', () => openMemoryRealm(SCHEMA).realm],
  [
    'over a replica',
    () => {
      const replica = openStore().replica('/r');
      return new Realm({ reader: replica, write: (changes) => replica.write(changes), schema: SCHEMA });
    },
  ],
])('queries find objects %s, in and out of transactions', (_, open) => {
  const realm = kennel(open());
  const dogs = realm.objects<Dog>('Dog');
  const old = dogs.filtered('age > $0', 5);
  expect(names(old)).toEqual(['Rex', 'Bea']);
  expect(old.length).toBe(2);
  expect(old[1]?.name).toBe('Bea');
  expect(names(dogs.filtered('owner.name == "Ann"'))).toEqual(['Rex', 'Sam']);
  expect(names(dogs.filtered('owner == $0', realm.objectForPrimaryKey('Person', 'Bob')))).toEqual(['Ada']);
  expect(names(dogs.filtered('name IN $0', ['Sam', 'Ada']))).toEqual(['Ada', 'Sam']);
  expect(names(dogs.filtered('_id == $0', new ObjectId('000000000000000000000002')))).toEqual(['Bea']);
  expect(names(dogs.filtered('born == $0', null))).toHaveLength(4);
  expect(
    realm
      .objects('Person')
      .filtered('@links.Dog.owner.age > 5')
      .map((person) => person.name),
  ).toEqual(['Ann']);

  const sorted = dogs.sorted([['age', true], 'name']);
  expect(names(sorted)).toEqual(['Bea', 'Rex', 'Ada', 'Sam']);
  expect(names(dogs.sorted('owner.name').filtered('age < 7'))).toEqual(['Sam', 'Ada']);
  expect(names(sorted.filtered('TRUEPREDICATE LIMIT(3)').filtered('age != 7'))).toEqual(['Ada']);
  const rex = dogs.filtered('age > 5').filtered('_id == $0 SORT(name ASC)', dogs[0]?._id);
  expect(names(rex)).toEqual(['Rex']);
  expect(names(dogs.filtered('age < 5').filtered('_id == $0 LIMIT(1)', dogs[0]?._id))).toEqual([]);

  realm.write(() => {
    for (const dog of dogs.filtered('name == "Ada"')) dog.age = 9;
    expect(names(old)).toEqual(['Rex', 'Ada', 'Bea']);
    realm.create('Dog', { _id: new ObjectId('0'.repeat(23).concat('9')), name: 'New', age: 8 });
    expect(names(old)).toEqual(['Rex', 'Ada', 'Bea', 'New']);
    expect(realm.objects('Person').filtered('ANY @links.Dog.owner.age == 9')).toHaveLength(1);
  });
  expect(names(old)).toEqual(['Rex', 'Ada', 'Bea', 'New']);
  const anns = realm.objectForPrimaryKey<{ dogs: typeof dogs }>('Person', 'Ann')!.dogs;
  expect(names(anns.filtered('age > 5'))).toEqual(['Rex']);
});

test('a mistake in a query is named at its place', () => {
  const dogs = kennel(openMemoryRealm(SCHEMA).realm).objects('Dog');
  expect(() => dogs.filtered('age >')).toThrow(/column/);
  expect(() => dogs.filtered('agee > 1')).toThrow(/agee/);
  expect(() => dogs.filtered('age > $1', 3)).toThrow(/\$1 is missing/);
  expect(() => dogs.filtered('age > $0', { no: 'value' })).toThrow();
});
