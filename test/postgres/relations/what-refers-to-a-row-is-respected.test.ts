/** Deletions that foreign keys restrict, items of collections that refer to rows, and links seen from their targets. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { stateToJs } from '../../../src/connector/mapping/js-values.ts';
import { readField } from '../../../src/store/state/default-value.ts';
import { Random, testSeed } from '../../support/random.ts';
import { type Place, Places } from '../collections/place.ts';

let places: Places;
beforeAll(async () => {
  places = await Places.start();
});
afterEach(() => places.closeAll());
afterAll(() => places.stop());

const PARENT = {
  name: 'parent',
  primaryKey: 'id',
  properties: {
    id: 'int',
    children: { type: 'linkingObjects', objectType: 'child', property: 'parent' },
  },
};
const CHILD = { name: 'child', primaryKey: 'id', properties: { id: 'int', parent: 'parent?' } };
const int = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

function remove(realm: ObjectRealm, className: string, id: number): void {
  const object = realm.objectForPrimaryKey(className, id);
  if (object !== null) realm.delete(object);
}

function ids(place: Place, className: string): number[] {
  return [...place.device.replica.objects(className)].map(({ key }) =>
    'value' in key ? Number(key.value) : 0,
  );
}

describe('a foreign key that restricts deletions', () => {
  it('lets a row go whose children may stay without it', async () => {
    const place = await places.open(
      `CREATE TABLE parent (id int PRIMARY KEY);
       CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE RESTRICT)`,
      [PARENT, CHILD],
      { filled: 'INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (10, 1), (20, 2)' },
    );
    // Not all clients take the links away with their target.
    place.device.replica.write([{ op: 'EraseObject', table: 'parent', key: int(1) }]);
    await place.deployment.settle();
    expect(await place.sql('SELECT * FROM child ORDER BY id')).toEqual([
      { id: '10', parent: null },
      { id: '20', parent: '2' },
    ]);
    expect(ids(place, 'parent')).toEqual([2]);
    expect(place.device.objects.objectForPrimaryKey('child', 10)?.parent).toBeNull();
    await expect(place.sql('DELETE FROM parent WHERE id = 2')).rejects.toThrow(/child/);
    await place.sql('DELETE FROM child WHERE parent = 2; DELETE FROM parent WHERE id = 2');
    await place.deployment.settle();
    expect([ids(place, 'parent'), ids(place, 'child')]).toEqual([[], [10]]);
  });

  it('keeps a row whose children cannot, and says so', async () => {
    const place = await places.open(
      `CREATE TABLE parent (id int PRIMARY KEY);
       CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent ON DELETE RESTRICT)`,
      [PARENT, CHILD],
      { filled: 'INSERT INTO parent VALUES (1); INSERT INTO child VALUES (10, 1)', ignoreSqlErrors: true },
    );
    place.device.write((realm) => remove(realm, 'parent', 1));
    await place.deployment.settle();
    expect(await place.sql('SELECT id FROM parent')).toEqual([{ id: '1' }]);
    const [letter] = await place.sql('SELECT reason FROM isthmus.dead_letter');
    expect(letter?.reason).toMatch(/child/);
    place.device.write((realm) => {
      remove(realm, 'child', 10);
      realm.create('parent', { id: 3 });
    });
    await place.deployment.settle();
    expect(await place.sql('SELECT * FROM child')).toEqual([]);
    expect(await place.sql('SELECT id FROM parent WHERE id = 3')).toEqual([{ id: '3' }]);
  });

  it('shows links from their targets', async () => {
    const place = await places.open(
      `CREATE TABLE parent (id int PRIMARY KEY);
       CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)`,
      [PARENT, CHILD],
    );
    await place.sql('INSERT INTO parent VALUES (1); INSERT INTO child VALUES (10, 1), (11, 1), (12, NULL)');
    await place.deployment.settle();
    const children = (): unknown[] => {
      const found = place.device.objects.objectForPrimaryKey('parent', 1)?.children;
      return [...(found as Iterable<{ id: number }>)].map(({ id }) => id);
    };
    expect(children()).toEqual([10, 11]);
    await place.sql('UPDATE child SET parent = CASE id WHEN 12 THEN 1 END');
    await place.deployment.settle();
    expect(children()).toEqual([12]);
  });
});

describe('items that refer to rows', () => {
  const OWNER = {
    name: 'owner',
    primaryKey: 'id',
    properties: { id: 'int', list: 'thing[]', members: 'thing<>', map: 'thing?{}' },
  };
  const THING = { name: 'thing', primaryKey: 'id', properties: { id: 'int' } };
  const TABLES = `
    CREATE TABLE owner (id int PRIMARY KEY);
    CREATE TABLE thing (id int PRIMARY KEY);
    CREATE TABLE owner_list (oid int REFERENCES owner, idx int, target int REFERENCES thing, PRIMARY KEY (oid, idx));
    CREATE TABLE owner_members (oid int REFERENCES owner, target int REFERENCES thing, PRIMARY KEY (oid, target));
    CREATE TABLE owner_map (oid int REFERENCES owner, key text, target int REFERENCES thing, PRIMARY KEY (oid, key))`;

  const seed = testSeed();
  it(`keep their order, and go with their rows (ISTHMUS_TEST_SEED=${seed})`, {
    timeout: 200_000,
  }, async () => {
    const random = new Random(seed);
    const place = await places.open(TABLES, [OWNER, THING], {
      filled: 'INSERT INTO owner VALUES (1), (2); INSERT INTO thing SELECT generate_series(1, 6)',
    });
    for (let round = 0; round < 40; round += 1) {
      place.device.write((realm) => change(random, realm));
      if (random.chance(0.3)) await place.deployment.carryAll();
      if (random.chance(0.2)) await place.deployment.settle();
    }
    await place.deployment.settle();
    for (const id of [1, 2]) {
      const items = async (table: string, order: string): Promise<unknown[]> =>
        (await place.sql(`SELECT * FROM owner_${table} WHERE oid = ${id} ORDER BY ${order}`)).map(
          Object.values,
        );
      const { list, members, map } = shown(place, id);
      expect(await items('list', 'idx')).toEqual(list.map((target, index) => [`${id}`, `${index}`, target]));
      expect(await items('members', 'target')).toEqual(members.map((target) => [`${id}`, target]));
      expect(await items('map', 'key')).toEqual(map.map(([key, target]) => [`${id}`, key, target]));
    }
  });

  function change(random: Random, realm: ObjectRealm): void {
    const owner = realm.objectForPrimaryKey('owner', 1 + random.below(2)) as unknown as {
      list: { length: number; splice(at: number, count: number, ...items: unknown[]): unknown };
      members: { add(item: unknown): unknown; delete(item: unknown): unknown };
      map: { set(entries: object): unknown; remove(key: string): unknown };
    };
    const id = 1 + random.below(8);
    const thing = realm.objectForPrimaryKey('thing', id) ?? realm.create('thing', { id });
    const key = random.pick(['a', 'b', 'c']);
    random.pick([
      () => owner.list.splice(random.below(owner.list.length + 1), random.below(2), thing),
      () => owner.list.splice(random.below(owner.list.length + 1), 0, thing, thing),
      () => owner.list.splice(0, random.below(3)),
      () => owner.members.add(thing),
      () => owner.members.delete(thing),
      () => owner.map.set({ [key]: thing }),
      () => owner.map.remove(key),
      () => realm.delete(thing),
    ])();
  }

  /** The items as texts. Links to nothing read as null, and are no members. */
  function shown(place: Place, id: number) {
    const { replica } = place.device;
    const object = replica.object('owner', int(id));
    const columns = replica.schema.get('owner')?.columns;
    if (object === undefined || columns === undefined) throw new Error('no owner');
    const value = (field: string) => readField(object, field, columns.get(field)!);
    const text = (item: unknown): string | null => {
      const target = item as number | null;
      return target === null || replica.object('thing', int(target)) === undefined ? null : String(target);
    };
    const list = stateToJs(value('list')) as unknown[];
    const members = stateToJs(value('members')) as number[];
    const map = stateToJs(value('map')) as Record<string, unknown>;
    return {
      list: list.map(text),
      members: members.toSorted().flatMap((item) => text(item) ?? []),
      map: Object.entries(map)
        .map(([key, item]): [string, string | null] => [key, text(item)])
        .toSorted(),
    };
  }
});
