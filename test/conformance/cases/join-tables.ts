/** Join tables between rows that the database numbers (reference, "Many to Many Relationships"). */
import { expect } from 'vitest';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import { sameNames } from '../../support/engine-options.ts';
import type { Deployment, Device } from '../deployment.ts';
import type { Cases, Deploy } from '../run-conformance.ts';
import type { PortableTable } from '../target.ts';

const numbered = (name: string): PortableTable => ({
  name,
  columns: [
    { name: `${name}Key`, type: 'int', generated: true },
    { name: 'RealmID', type: 'text', unique: true },
    { name: 'name', type: 'text' },
  ],
  primaryKey: [`${name}Key`],
});

const joinTable: PortableTable = {
  name: 'employeeRoute',
  columns: [
    { name: 'employeeKey', type: 'int' },
    { name: 'routeKey', type: 'int' },
    { name: 'note', type: 'text' },
  ],
  primaryKey: ['employeeKey', 'routeKey'],
  foreignKeys: [
    { columns: ['employeeKey'], references: 'employee', referencedColumns: ['employeeKey'] },
    { columns: ['routeKey'], references: 'route', referencedColumns: ['routeKey'] },
  ],
};

const numberedModel = (name: string): ConnectorOptions['models'][number] => ({
  name,
  primaryKey: 'RealmID',
  sqlserverPrimaryKey: `${name}Key`,
  properties: {
    RealmID: 'string',
    [`${name}Key`]: 'int?',
    name: 'string?',
    joins: { type: 'linkingObjects', objectType: 'employeeRoute', property: `${name}Key` },
  },
});

const joinModel: ConnectorOptions['models'][number] = {
  name: 'employeeRoute',
  primaryKey: 'PK',
  properties: { PK: 'string', employeeKey: 'employee', routeKey: 'route', note: 'string?' },
};

const compoundPrimaryKeys: ConnectorOptions['mapping']['compoundPrimaryKeys'] = new Map([
  [
    'employeeRoute',
    [
      { property: 'employeeKey', dbColumn: 'employeeKey', type: 'int' },
      { property: 'routeKey', dbColumn: 'routeKey', type: 'int' },
    ],
  ],
]);

/** Two employees and two routes, known by their names to the database and by the same keys to devices. */
async function started(deploy: Deploy): Promise<Deployment> {
  const deployment = await deploy({
    tables: [numbered('employee'), numbered('route'), joinTable],
    models: [numberedModel('employee'), numberedModel('route'), joinModel],
    options: { mapping: { ...sameNames, compoundPrimaryKeys }, ignoreSqlErrors: true },
  });
  await deployment.insert('employee', { RealmID: 'tom', name: 'Tom' }, { RealmID: 'ann', name: 'Ann' });
  await deployment.insert('route', { RealmID: 'east', name: 'East' }, { RealmID: 'west', name: 'West' });
  await deployment.load();
  return deployment.start();
}

async function numberOf(deployment: Deployment, table: string, key: string): Promise<string> {
  const rows = await deployment.rows(table, 'RealmID', `${table}Key`);
  return rows.find(([own]) => own === key)?.[1] ?? '';
}

/** Pairs of names, as rows and as objects. */
async function pairs(deployment: Deployment, device: Device) {
  const employees = new Map(await deployment.rows('employee', 'employeeKey', 'RealmID').then(entries));
  const routes = new Map(await deployment.rows('route', 'routeKey', 'RealmID').then(entries));
  const rows = await deployment.rows('employeeRoute', 'employeeKey', 'routeKey');
  return {
    sql: rows
      .map(([employee, route]) => `${employees.get(employee ?? '')} ${routes.get(route ?? '')}`)
      .sort(),
    device: device
      .shown('employeeRoute', 'employeeKey', 'routeKey')
      .map((names) => names.join(' '))
      .sort(),
    keysAgree:
      rows
        .map((texts) => texts.join('-'))
        .sort()
        .join(' ') === device.shown('employeeRoute', 'PK').flat().sort().join(' '),
  };
}

const entries = (rows: readonly (readonly (string | null)[])[]) =>
  rows.map(([a, b]): [string, string | null] => [a ?? '', b ?? null]);

export const joinTableCases: Cases = {
  about: 'join tables of numbered rows',
  declare: (declareCase) => {
    declareCase('join rows are keyed by the numbers of what they join', ['generatedKeys'], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      const [tom, ann] = [
        await numberOf(deployment, 'employee', 'tom'),
        await numberOf(deployment, 'employee', 'ann'),
      ];
      const [east, west] = [
        await numberOf(deployment, 'route', 'east'),
        await numberOf(deployment, 'route', 'west'),
      ];
      await deployment.insert('employeeRoute', { employeeKey: Number(tom), routeKey: Number(east) });
      await deployment.settle();
      expect(await pairs(deployment, device)).toEqual({
        sql: ['tom east'],
        device: ['tom east'],
        keysAgree: true,
      });
      device.write((realm) => {
        const employeeKey = realm.objectForPrimaryKey('employee', 'ann');
        const routeKey = realm.objectForPrimaryKey('route', 'west');
        realm.create('employeeRoute', { PK: `${ann}-${west}`, employeeKey, routeKey });
        // The key alone says enough.
        realm.create('employeeRoute', { PK: `${ann}-${east}` });
      });
      await deployment.settle();
      const three = ['ann east', 'ann west', 'tom east'];
      expect(await pairs(deployment, device)).toEqual({ sql: three, device: three, keysAgree: true });
      device.write((realm) => {
        const join = realm.objectForPrimaryKey('employeeRoute', `${tom}-${east}`);
        if (join !== null) realm.delete(join);
      });
      await deployment.remove('employeeRoute', { employeeKey: Number(ann), routeKey: Number(east) });
      await deployment.settle();
      expect(await pairs(deployment, device)).toEqual({
        sql: ['ann west'],
        device: ['ann west'],
        keysAgree: true,
      });
    });

    declareCase('links that contradict the key are refused', ['generatedKeys'], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      const tom = await numberOf(deployment, 'employee', 'tom');
      const [east, west] = [
        await numberOf(deployment, 'route', 'east'),
        await numberOf(deployment, 'route', 'west'),
      ];
      device.write((realm) => {
        const employeeKey = realm.objectForPrimaryKey('employee', 'tom');
        const routeKey = realm.objectForPrimaryKey('route', 'west');
        realm.create('employeeRoute', { PK: `${tom}-${east}`, employeeKey, routeKey });
      });
      await deployment.settle();
      expect(await deployment.rows('employeeRoute', 'employeeKey')).toEqual([]);
      expect(await deployment.refusals()).toEqual([
        expect.stringContaining(`create it with the key ${tom}-${west}`),
      ]);
    });

    declareCase('a join object cannot be turned to another pair', ['generatedKeys'], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      const tom = await numberOf(deployment, 'employee', 'tom');
      const east = await numberOf(deployment, 'route', 'east');
      await deployment.insert('employeeRoute', { employeeKey: Number(tom), routeKey: Number(east) });
      await deployment.settle();
      device.write((realm) => {
        const join = realm.objectForPrimaryKey('employeeRoute', `${tom}-${east}`);
        if (join !== null) join.routeKey = realm.objectForPrimaryKey('route', 'west');
      });
      await deployment.settle();
      expect(await deployment.rows('employeeRoute', 'employeeKey', 'routeKey')).toEqual([[tom, east]]);
      expect(await deployment.refusals()).toEqual([
        expect.stringContaining('delete the object and create another one'),
      ]);
      device.write((realm) => {
        const join = realm.objectForPrimaryKey('employeeRoute', `${tom}-${east}`);
        if (join !== null) join.note = 'may be changed';
      });
      await deployment.settle();
      expect(await deployment.rows('employeeRoute', 'note')).toEqual([['may be changed']]);
    });

    declareCase('what join rows refer to stays until they are gone', ['generatedKeys'], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      const tom = await numberOf(deployment, 'employee', 'tom');
      const east = await numberOf(deployment, 'route', 'east');
      await deployment.insert('employeeRoute', { employeeKey: Number(tom), routeKey: Number(east) });
      await deployment.settle();
      device.write((realm) => {
        const join = realm.objectForPrimaryKey('employeeRoute', `${tom}-${east}`);
        const route = realm.objectForPrimaryKey('route', 'east');
        if (join !== null) realm.delete(join);
        if (route !== null) realm.delete(route);
      });
      await deployment.settle();
      expect(await deployment.rows('employeeRoute', 'employeeKey')).toEqual([]);
      expect((await deployment.rows('route', 'RealmID')).flat()).toEqual(['west']);
      expect(await deployment.refusals()).toEqual([]);
    });

    declareCase(
      'an end that join rows still refer to stays, as the error policy says',
      ['generatedKeys'],
      async (deploy) => {
        const deployment = await started(deploy);
        const device = deployment.device();
        const tom = await numberOf(deployment, 'employee', 'tom');
        const east = await numberOf(deployment, 'route', 'east');
        await deployment.insert('employeeRoute', { employeeKey: Number(tom), routeKey: Number(east) });
        await deployment.settle();
        device.write((realm) => {
          const route = realm.objectForPrimaryKey('route', 'east');
          if (route !== null) realm.delete(route);
        });
        device.write((realm) => {
          const route = realm.objectForPrimaryKey('route', 'west');
          if (route !== null) route.name = 'goes on';
        });
        await deployment.settle();
        expect((await deployment.rows('route', 'RealmID')).flat().sort()).toEqual(['east', 'west']);
        expect((await deployment.rows('route', 'name')).flat()).toContain('goes on');
        expect(await deployment.rows('employeeRoute', 'routeKey')).toEqual([[east]]);
        expect(await deployment.refusals()).toEqual([
          expect.stringMatching(/route.*(foreign key|REFERENCE)/),
        ]);
      },
    );

    declareCase(
      'an end is deleted when what joins it goes with a later transaction',
      ['generatedKeys'],
      async (deploy) => {
        const deployment = await started(deploy);
        const device = deployment.device();
        const tom = await numberOf(deployment, 'employee', 'tom');
        const [east, west] = [
          await numberOf(deployment, 'route', 'east'),
          await numberOf(deployment, 'route', 'west'),
        ];
        const employeeKey = Number(tom);
        await deployment.insert(
          'employeeRoute',
          { employeeKey, routeKey: Number(east) },
          { employeeKey, routeKey: Number(west) },
        );
        await deployment.settle();
        const remove = (className: string, key: string) =>
          device.write((realm) => {
            const object = realm.objectForPrimaryKey(className, key);
            if (object !== null) realm.delete(object);
          });
        remove('route', 'east');
        remove('employeeRoute', `${tom}-${east}`);
        remove('route', 'west'); // still joined
        await deployment.settle();
        expect((await deployment.rows('route', 'RealmID')).flat()).toEqual(['west']);
        expect(await deployment.refusals()).toHaveLength(1);
      },
    );

    declareCase(
      'a device joins what it has just made and nobody has numbered',
      ['generatedKeys'],
      async (deploy) => {
        const deployment = await started(deploy);
        const device = deployment.device();
        await deployment.settle();
        device.write((realm) => {
          const employeeKey = realm.create('employee', { RealmID: 'new-employee', name: 'N' });
          const routeKey = realm.create('route', { RealmID: 'new-route', name: 'R' });
          const known = realm.objectForPrimaryKey('route', 'east');
          realm.create('employeeRoute', { PK: 'new-employee-new-route', employeeKey, routeKey, note: 'a' });
          realm.create('employeeRoute', { PK: 'new-employee-east', employeeKey, routeKey: known });
        });
        await deployment.settle();
        const both = ['new-employee east', 'new-employee new-route'];
        expect(await pairs(deployment, device)).toEqual({ sql: both, device: both, keysAgree: true });
        expect((await deployment.rows('employeeRoute', 'note')).flat().sort()).toEqual([null, 'a'].sort());
        // What is there already is the same object.
        device.write((realm) => {
          const employeeKey = realm.objectForPrimaryKey('employee', 'new-employee');
          const routeKey = realm.objectForPrimaryKey('route', 'east');
          realm.create('employeeRoute', { PK: 'new-employee-east', employeeKey, routeKey });
        });
        await deployment.settle();
        expect(await pairs(deployment, device)).toEqual({ sql: both, device: both, keysAgree: true });
        device.write((realm) => {
          for (const join of [...realm.objects('employeeRoute')]) realm.delete(join);
          const employeeKey = realm.create('employee', { RealmID: 'next', name: 'N' });
          const routeKey = realm.objectForPrimaryKey('route', 'east');
          realm.create('employeeRoute', { PK: 'next-east', employeeKey, routeKey });
        });
        await device.sync();
        await deployment.carryAll();
        device.write((realm) => {
          const join = realm.objectForPrimaryKey('employeeRoute', 'next-east');
          if (join !== null) realm.delete(join);
        });
        await deployment.settle();
        const { sql, device: objects } = await pairs(deployment, device);
        expect(objects).toEqual(sql);
        expect(await deployment.refusals()).toEqual([]);
      },
    );
  },
};
