/** What tells rows and objects apart. */
import { expect } from 'vitest';
import type { Cases } from '../run-conformance.ts';
import type { PortableTable, PortableType } from '../target.ts';
import { artistClass, artistTable } from './shop.ts';

const keyed = (type: PortableType): PortableTable => ({
  name: 'thing',
  columns: [
    { name: 'id', type },
    { name: 'name', type: 'text' },
  ],
  primaryKey: ['id'],
});

const KINDS = [
  { type: 'bigint', property: 'int', inSql: 9_007_199_254_740_993n, onDevice: -9_007_199_254_740_995n },
  { type: 'text', property: 'string', inSql: 'ключ-1', onDevice: "o'key" },
  {
    type: 'uuid',
    property: 'uuid',
    inSql: 'c0ffee00-1111-4222-8333-444455556666',
    onDevice: '00000000-1111-4222-8333-444455556666',
  },
  {
    type: 'text',
    property: 'objectId',
    inSql: '6560f0b5c0ffee0123456789',
    onDevice: '0123456789abcdef01234567',
  },
] as const;

export const keyCases: Cases = {
  about: 'keys',
  declare: (declareCase) => {
    for (const { type, property, inSql, onDevice } of KINDS) {
      declareCase(`a key of type ${type} as ${property}`, [], async (deploy) => {
        const model = { name: 'thing', primaryKey: 'id', properties: { id: property, name: 'string?' } };
        const deployment = await (await deploy({ tables: [keyed(type)], models: [model] })).start();
        const device = deployment.device();
        await deployment.insert('thing', { id: inSql, name: 'sql' });
        device.write((realm) => realm.create('thing', { id: onDevice, name: 'device' }));
        await deployment.settle();
        const byName = (rows: readonly (readonly (string | null)[])[]) =>
          Object.fromEntries(rows.map(([id, name]) => [name, id]));
        const expected = { sql: String(inSql), device: String(onDevice) };
        expect(byName(await deployment.rows('thing', 'id', 'name'))).toEqual(expected);
        expect(byName(device.shown('thing', 'id', 'name'))).toEqual(expected);
        await deployment.remove('thing', { id: inSql });
        device.write((realm) => {
          for (const thing of [...realm.objects('thing')]) if (thing.name === 'device') realm.delete(thing);
        });
        await deployment.settle();
        expect(await deployment.rows('thing', 'id')).toEqual([]);
        expect(device.shown('thing', 'id')).toEqual([]);
      });
    }

    declareCase('a key that changes its value is another object', ['keyUpdates'], async (deploy) => {
      const deployment = await (await deploy({ tables: [artistTable], models: [artistClass] })).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'a', country: 'x' }, { id: 2, name: 'b' });
      await deployment.settle();
      await deployment.database.transaction(async (application) => {
        await application.update('artist', { id: 1 }, { id: 3 });
        await application.update('artist', { id: 2 }, { id: 1 });
      });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([
        ['1', 'b', null],
        ['3', 'a', 'x'],
      ]);
    });

    declareCase('keys that the database makes flow back to the device', ['generatedKeys'], async (deploy) => {
      const table: PortableTable = {
        name: 'person',
        columns: [
          { name: 'PersonId', type: 'int', generated: true },
          { name: 'RealmId', type: 'text', unique: true },
          { name: 'name', type: 'text' },
          { name: 'parent', type: 'int' },
        ],
        primaryKey: ['PersonId'],
        foreignKeys: [{ columns: ['parent'], references: 'person', referencedColumns: ['PersonId'] }],
      };
      const model = {
        name: 'person',
        primaryKey: 'RealmId',
        sqlserverPrimaryKey: 'PersonId',
        properties: { RealmId: 'string', PersonId: 'int?', name: 'string?', parent: 'person?' },
      };
      const deployment = await (await deploy({ tables: [table], models: [model] })).start();
      const device = deployment.device();
      device.write((realm) => {
        const mother = realm.create('person', { RealmId: 'mother', name: 'M' });
        realm.create('person', { RealmId: 'child', name: 'C', parent: mother });
      });
      await deployment.settle();
      const ids = new Map((await deployment.rows('person', 'RealmId', 'PersonId')).map(([a, b]) => [a, b]));
      expect(device.shown('person', 'RealmId', 'PersonId', 'parent')).toEqual([
        ['child', ids.get('child'), 'mother'],
        ['mother', ids.get('mother'), null],
      ]);
      expect(await deployment.rows('person', 'RealmId', 'parent')).toEqual([
        ['child', ids.get('mother')],
        ['mother', null],
      ]);
      await deployment.insert('person', { name: 'made in SQL', parent: Number(ids.get('child')) });
      await deployment.settle();
      const [made] = (await deployment.rows('person', 'name', 'RealmId')).filter(
        ([name]) => name === 'made in SQL',
      );
      expect(made?.[1]).toBeTruthy();
      const objects = device.shown('person', 'RealmId', 'name', 'parent');
      expect(objects.find(([id]) => id === made?.[1])).toEqual([made?.[1], 'made in SQL', 'child']);
      await deployment.remove('person', { name: 'made in SQL' });
      await deployment.settle();
      expect(device.shown('person', 'RealmId')).toHaveLength(2);
    });
  },
};
