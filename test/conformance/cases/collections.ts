/** Collections and embedded objects: in documents, in columns of their own, in tables of items. */
import { expect } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import { stateToJs } from '../../../src/connector/mapping/js-values.ts';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import type { Device } from '../deployment.ts';
import type { Cases } from '../run-conformance.ts';
import type { Capability, PortableTable } from '../target.ts';

const personClass: ConnectorOptions['models'][number] = {
  name: 'person',
  primaryKey: 'id',
  properties: {
    id: 'int',
    tags: 'string[]',
    facts: 'int{}',
    friends: 'person<>',
    address: 'address?',
    history: 'address[]',
  },
};
const addressClass: ConnectorOptions['models'][number] = {
  name: 'address',
  embedded: true,
  properties: { town: 'string?', number: 'int?' },
};
const models = [personClass, addressClass];

/** Documents and a spread embedded object; `facts` and `friends` have tables of their own. */
const tables: readonly PortableTable[] = [
  {
    name: 'person',
    columns: [
      { name: 'id', type: 'int' },
      { name: 'tags', type: 'document' },
      { name: 'history', type: 'document' },
      { name: 'address_town', type: 'text' },
      { name: 'address_number', type: 'int' },
    ],
    primaryKey: ['id'],
  },
  {
    name: 'person_facts',
    columns: [
      { name: 'oid', type: 'int' },
      { name: 'key', type: 'text' },
      { name: 'target', type: 'int' },
    ],
    primaryKey: ['oid', 'key'],
  },
  {
    name: 'person_friends',
    columns: [
      { name: 'oid', type: 'int' },
      { name: 'target', type: 'int' },
    ],
    primaryKey: ['oid', 'target'],
  },
];

function held(device: Device, id: number): Record<string, unknown> {
  const fields = device.replica.object('person', { type: 'int', value: BigInt(id) })?.fields ?? new Map();
  return Object.fromEntries([...fields].map(([name, value]) => [name, stateToJs(value)]));
}

export const collectionCases: Cases = {
  about: 'collections and embedded objects',
  declare: (declareCase) => {
    declareCase('are loaded from every place they may have', ['documents'], async (deploy) => {
      const deployment = await deploy({ tables, models });
      const person = { tags: '["a", "b"]', history: '[{"town": "x"}]', address_town: 't', address_number: 5 };
      await deployment.insert('person', { id: 1, ...person }, { id: 2 });
      await deployment.insert('person_facts', { oid: 1, key: 'k', target: 7 });
      await deployment.insert('person_friends', { oid: 1, target: 2 });
      await deployment.load();
      await deployment.start();
      const device = deployment.device();
      await deployment.settle();
      expect(held(device, 1)).toMatchObject({
        tags: ['a', 'b'],
        facts: { k: 7 },
        friends: [2],
        address: { town: 't', number: 5 },
        history: [{ town: 'x' }],
      });
      expect(held(device, 2)).toEqual({});
    });

    // A document is one value: what the application wrote is gone unless it was seen before ours took its place.
    const needs: readonly Capability[] = ['documents', 'everyChange'];
    declareCase('keep what both sides do to different elements at once', needs, async (deploy) => {
      const deployment = await (await deploy({ tables, models })).start();
      const device = deployment.device();
      await deployment.insert('person', { id: 1, tags: '["a", "b"]', address_town: 't', address_number: 5 });
      await deployment.settle();
      device.write((realm) => {
        const person = realm.objectForPrimaryKey('person', 1);
        if (!(person?.tags instanceof RealmList)) throw new Error('no list');
        Object.assign(person, { address: { town: 't', number: 6 }, facts: { k: 1 } });
        person.tags.shift();
        realm.create('person', { id: 2, friends: [person], history: [{ town: 'h' }] });
      });
      await deployment.update('person', { id: 1 }, { tags: '["a", "b", "c"]' });
      await deployment.settle();
      expect(held(device, 1)).toMatchObject({ tags: ['b', 'c'], address: { town: 't', number: 6 } });
      expect(await deployment.rows('person', 'id', 'address_town', 'address_number')).toEqual([
        ['1', 't', '6'],
        ['2', null, null],
      ]);
      const [first, second] = await deployment.rows('person', 'id', 'tags', 'history');
      expect(JSON.parse(first?.[1] ?? '')).toEqual(['b', 'c']);
      expect(JSON.parse(second?.[2] ?? '')).toMatchObject([{ town: 'h' }]);
      expect(await deployment.rows('person_facts', 'oid', 'key', 'target')).toEqual([['1', 'k', '1']]);
      expect(await deployment.rows('person_friends', 'oid', 'target')).toEqual([['2', '1']]);
      await deployment.update('person', { id: 1 }, { address_town: null, address_number: null });
      device.write((realm) => {
        const person = realm.objectForPrimaryKey('person', 2);
        if (person !== null) realm.delete(person);
      });
      await deployment.settle();
      expect(held(device, 1).address).toBeNull();
      expect(await deployment.rows('person_friends', 'oid')).toEqual([]);
    });

    declareCase('write nothing when they come back', ['documents'], async (deploy) => {
      const deployment = await (await deploy({ tables, models })).start();
      deployment.device().write((realm) => {
        realm.create('person', {
          id: 1,
          tags: ['', '"', 'ä'],
          address: { town: 't' },
          history: [{ number: 1 }, {}],
          facts: { b: 1, a: 2 },
        });
      });
      await deployment.settle();
      expect(deployment.synced.filter(({ direction }) => direction === 'toRealm')).toEqual([]);
    });
  },
};
