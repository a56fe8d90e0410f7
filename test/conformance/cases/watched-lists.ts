/** Lists that are kept from both sides: their order by a list table, their members by a foreign key. */
import { expect } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import type { Deployment } from '../deployment.ts';
import type { Cases, Deploy } from '../run-conformance.ts';
import { lines, lineTable, models, numberedLines, ORDER, shown, stopsOf, stopTable } from './lines.ts';

/** Line 1 with the stops 10, 20 and 30, line 2 with the stop 40. */
async function started(deploy: Deploy): Promise<Deployment> {
  const deployment = await (await deploy(lines)).start();
  await deployment.insert('line', { id: 1 }, { id: 2 });
  await deployment.insert(
    'stop',
    { id: 10, line: 1 },
    { id: 20, line: 1 },
    { id: 30, line: 1 },
    { id: 40, line: 2 },
  );
  return deployment;
}

export const watchedListCases: Cases = {
  about: 'lists that both sides change',
  declare: (declareCase) => {
    declareCase('a device and the database tell each other who is in which list', [], async (deploy) => {
      const deployment = await (await deploy(lines)).start();
      const device = deployment.device();
      await deployment.insert('line', { id: 1, name: 'Marina' }, { id: 2, name: 'SOMA' });
      await deployment.insert('stop', { id: 3, line: 1 }, { id: 2, line: 1 }, { id: 4, line: 2 });
      await deployment.settle();
      expect(await shown(deployment, device)).toEqual({
        device: { 1: '[2 3]', 2: '[4]' },
        table: { 1: '[2 3]', 2: '[4]' },
        members: { 1: '2 3', 2: '4' },
        indexes: '0 1 0',
      });
      device.write((realm) => {
        const [first] = [...stopsOf(realm, 2)];
        stopsOf(realm, 2).remove(0);
        stopsOf(realm, 1).unshift(first);
        stopsOf(realm, 2).push(realm.create('stop', { id: 9, name: 'new' }));
      });
      await deployment.settle();
      expect(await shown(deployment, device)).toEqual({
        device: { 1: '[4 2 3]', 2: '[9]' },
        table: { 1: '[4 2 3]', 2: '[9]' },
        members: { 1: '2 3 4', 2: '9' },
        indexes: '0 1 2 0',
      });
      await deployment.update('stop', { id: 2 }, { line: 2 });
      await deployment.update('stop', { id: 9 }, { line: null });
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[4 3]', 2: '[2]' },
        table: { 1: '[4 3]', 2: '[2]' },
        members: { 1: '3 4', 2: '2' },
      });
      expect(device.shown('stop', 'id')).toHaveLength(4);
    });

    declareCase('the order of a device is the order of the list table', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      const table = async (): Promise<string | undefined> => (await shown(deployment, device)).table['1'];
      device.write((realm) => stopsOf(realm, 1).move(2, 0));
      await deployment.settle();
      expect(await table()).toBe('[30 10 20]');
      device.write((realm) => stopsOf(realm, 1).set(1, realm.create('stop', { id: 50 })));
      await deployment.settle();
      expect(await table()).toBe('[30 50 20]');
      expect((await shown(deployment, device)).members).toEqual({ 1: '20 30 50', 2: '40' });
      device.write((realm) => stopsOf(realm, 1).splice(0));
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({ table: { 2: '[40]' }, members: { 2: '40' } });
      expect(await deployment.rows('stop', 'id')).toHaveLength(5);
    });

    declareCase('the order of the list table is the order of the device', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      await deployment.database.transaction(async (application) => {
        await application.update(ORDER, { oid: 1, idx: 0 }, { target: 30 });
        await application.update(ORDER, { oid: 1, idx: 2 }, { target: 10 });
      });
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[30 20 10]', 2: '[40]' },
        table: { 1: '[30 20 10]', 2: '[40]' },
      });
    });

    declareCase('gaps, repetitions and strangers in the list table are tidied', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      await deployment.database.transaction(async (application) => {
        await application.remove(ORDER, { oid: 1, idx: 0 });
        await application.insert(
          ORDER,
          { oid: 1, idx: 7, target: 20 },
          { oid: 1, idx: 9, target: 40 },
          { oid: 1, idx: 12, target: null },
          { oid: 1, idx: 20, target: 10 },
        );
      });
      await deployment.settle();
      expect(await shown(deployment, device)).toEqual({
        device: { 1: '[20 30 10]', 2: '[40]' },
        table: { 1: '[20 30 10]', 2: '[40]' },
        members: { 1: '10 20 30', 2: '40' },
        indexes: '0 1 2 0',
      });
      await deployment.remove(ORDER, {});
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[10 20 30]', 2: '[40]' },
        table: { 1: '[10 20 30]', 2: '[40]' },
        indexes: '0 1 2 0',
      });
    });

    declareCase('both sides change a list at once', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      device.write((realm) => {
        stopsOf(realm, 1).remove(1);
        stopsOf(realm, 1).unshift(realm.create('stop', { id: 60 }));
      });
      await deployment.insert('stop', { id: 70, line: 1 });
      await deployment.update('stop', { id: 30 }, { line: 2 });
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[60 10 70]', 2: '[40 30]' },
        table: { 1: '[60 10 70]', 2: '[40 30]' },
        members: { 1: '10 60 70', 2: '30 40' },
      });
    });

    declareCase('what is deleted leaves its list on both sides', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      device.write((realm) => {
        const stop = realm.objectForPrimaryKey('stop', 20);
        if (stop !== null) realm.delete(stop);
      });
      await deployment.remove('stop', { id: 10 });
      await deployment.settle();
      expect(await shown(deployment, device)).toEqual({
        device: { 1: '[30]', 2: '[40]' },
        table: { 1: '[30]', 2: '[40]' },
        members: { 1: '30', 2: '40' },
        indexes: '0 0',
      });
      device.write((realm) => {
        const line = realm.objectForPrimaryKey('line', 1);
        if (line !== null) realm.delete(line);
      });
      await deployment.database.transaction(async (application) => {
        await application.update('stop', { line: 2 }, { line: null });
        await application.remove('line', { id: 2 });
      });
      await deployment.settle();
      expect(await shown(deployment, device)).toEqual({ device: {}, table: {}, members: {}, indexes: '' });
      expect(device.shown('stop', 'id')).toEqual([['30'], ['40']]);
      // Under the same key it is another list.
      device.write((realm) =>
        realm.create('line', { id: 1, stops: [realm.objectForPrimaryKey('stop', 40)] }),
      );
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[40]' },
        table: { 1: '[40]' },
        members: { 1: '40' },
      });
    });

    declareCase('the last list that takes an item has it, and has it once', [], async (deploy) => {
      const deployment = await started(deploy);
      const device = deployment.device();
      await deployment.settle();
      device.write((realm) => {
        const stop = realm.objectForPrimaryKey('stop', 10);
        stopsOf(realm, 2).push(stop, stop);
      });
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[20 30]', 2: '[40 10]' },
        table: { 1: '[20 30]', 2: '[40 10]' },
        members: { 1: '20 30', 2: '10 40' },
      });
    });

    declareCase('what is there before is loaded in order', [], async (deploy) => {
      const deployment = await deploy(lines);
      await deployment.insert('line', { id: 1 }, { id: 2 });
      await deployment.insert('stop', { id: 20, line: 1 }, { id: 10, line: 1 }, { id: 100, line: 2 });
      await deployment.load();
      const table = (): Promise<unknown> => deployment.rows(ORDER, 'oid', 'idx', 'target');
      const written = [
        ['1', '0', '10'],
        ['1', '1', '20'],
        ['2', '0', '100'],
      ];
      expect(await table()).toEqual(written);
      await deployment.start();
      const device = deployment.device();
      await deployment.settle();
      expect((await shown(deployment, device)).device).toEqual({ 1: '[10 20]', 2: '[100]' });
      // What happened while nobody ran is found by another load, whichever side it happened on.
      await deployment.stop();
      await deployment.insert('stop', { id: 5, line: 1 });
      await deployment.update('stop', { id: 10 }, { line: 2 });
      await deployment.load();
      await deployment.start();
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[20 5]', 2: '[100 10]' },
        table: { 1: '[20 5]', 2: '[100 10]' },
      });
    });

    declareCase('a foreign key that must be given', [], async (deploy) => {
      const tables = [lineTable, stopTable({ nullable: false })];
      const options = { ignoreSqlErrors: true };
      const deployment = await (await deploy({ tables, models: models(true), options })).start();
      const device = deployment.device();
      device.write((realm) => {
        const stops = [10, 20].map((id) => realm.create('stop', { id }));
        realm.create('line', { id: 1, stops });
        realm.create('line', { id: 2 });
      });
      await deployment.settle();
      expect((await shown(deployment, device)).members).toEqual({ 1: '10 20' });
      device.write((realm) => {
        stopsOf(realm, 2).push(stopsOf(realm, 1).shift());
      });
      await deployment.settle();
      expect((await shown(deployment, device)).members).toEqual({ 1: '20', 2: '10' });
      // Nobody may leave for nowhere: the item is back in its list.
      device.write((realm) => stopsOf(realm, 1).splice(0));
      await deployment.settle();
      expect(await shown(deployment, device)).toMatchObject({
        device: { 1: '[20]', 2: '[10]' },
        table: { 1: '[20]', 2: '[10]' },
        members: { 1: '20', 2: '10' },
      });
      device.write((realm) => {
        const stop = realm.objectForPrimaryKey('stop', 20);
        stopsOf(realm, 1).splice(0);
        if (stop !== null) realm.delete(stop);
      });
      await deployment.settle();
      expect((await shown(deployment, device)).members).toEqual({ 2: '10' });
    });

    declareCase('without a foreign key the list table is followed alone', [], async (deploy) => {
      const tables = [lineTable, stopTable(undefined)];
      const deployment = await (await deploy({ tables, models: models(true) })).start();
      const device = deployment.device();
      await deployment.insert('line', { id: 1 });
      await deployment.insert('stop', { id: 10 }, { id: 20 }, { id: 30 });
      await deployment.insert(ORDER, { oid: 1, idx: 0, target: 20 }, { oid: 1, idx: 1, target: 20 });
      await deployment.settle();
      const lists = () => device.shown('line', 'id', 'stops');
      expect(lists()).toEqual([['1', '[20 20]']]);
      device.write((realm) => stopsOf(realm, 1).splice(1, 0, realm.objectForPrimaryKey('stop', 10)));
      await deployment.insert(ORDER, { oid: 1, idx: 2, target: 30 });
      await deployment.settle();
      expect(lists()).toEqual([['1', '[20 10 20 30]']]);
      const table = (): Promise<unknown> => deployment.rows(ORDER, 'idx', 'target');
      expect(await table()).toEqual([
        ['0', '20'],
        ['1', '10'],
        ['2', '20'],
        ['3', '30'],
      ]);
      await deployment.remove('stop', { id: 20 });
      await deployment.settle();
      expect(lists()).toEqual([['1', '[10 30]']]);
      expect(await table()).toEqual([
        ['0', '10'],
        ['1', '30'],
      ]);
    });

    declareCase('without a list table the order stays on the devices', [], async (deploy) => {
      const tables = [lineTable, stopTable({ nullable: true })];
      const deployment = await (await deploy({ tables, models: models(false) })).start();
      const device = deployment.device();
      await deployment.insert('line', { id: 1 });
      await deployment.insert('stop', { id: 10, line: 1 }, { id: 20, line: 1 });
      await deployment.settle();
      device.write((realm) => stopsOf(realm, 1).move(0, 1));
      await deployment.settle();
      await deployment.insert('stop', { id: 5, line: 1 });
      await deployment.settle();
      expect(device.shown('line', 'id', 'stops')).toEqual([['1', '[20 10 5]']]);
      device.write((realm) => stopsOf(realm, 1).shift());
      await deployment.settle();
      expect(await deployment.rows('stop', 'id', 'line')).toEqual([
        ['5', '1'],
        ['10', '1'],
        ['20', null],
      ]);
    });

    declareCase('lists of rows that the database numbers', ['generatedKeys'], async (deploy) => {
      const deployment = await deploy(numberedLines);
      await deployment.insert('line', { name: 'loaded' });
      const lineOf = async (name: string): Promise<number> =>
        Number((await deployment.rows('line', 'name', 'lineId')).find(([own]) => own === name)?.[1]);
      const [loaded] = [await lineOf('loaded')];
      await deployment.insert('stop', { name: 'a', lineId: loaded }, { name: 'b', lineId: loaded });
      await deployment.load();
      await deployment.start();
      const device = deployment.device();
      await deployment.settle();
      /** Names of the stops by the name of their line, in order. */
      const onDevice = () => {
        const names = new Map(device.shown('stop', 'RealmId', 'name').map(([id, name]) => [id, name]));
        return Object.fromEntries(
          device.shown('line', 'name', 'stops').map(([name, ids]) => [
            name,
            ids
              ?.slice(1, -1)
              .split(' ')
              .map((id) => names.get(id))
              .join(' '),
          ]),
        );
      };
      const inSql = async () => {
        const names = new Map(
          (await deployment.rows('stop', 'stopId', 'name')).map(([id, name]) => [id, name]),
        );
        const lineNames = new Map(
          (await deployment.rows('line', 'lineId', 'name')).map(([id, name]) => [id, name]),
        );
        const found: Record<string, string> = {};
        for (const [oid, , target] of await deployment.rows(ORDER, 'oid', 'idx', 'target')) {
          const line = lineNames.get(oid) ?? '';
          found[line] =
            found[line] === undefined ? `${names.get(target)}` : `${found[line]} ${names.get(target)}`;
        }
        return found;
      };
      expect(onDevice()).toEqual({ loaded: 'a b' });
      expect(await inSql()).toEqual({ loaded: 'a b' });
      device.write((realm) => {
        const [line] = [...realm.objects('line')];
        const list = line?.stops;
        if (!(list instanceof RealmList)) throw new Error('no list');
        const created = realm.create('stop', { RealmId: 'c', name: 'c' });
        realm.create('line', { RealmId: 'made', name: 'made', stops: [created, list.shift()] });
      });
      await deployment.settle();
      expect(onDevice()).toEqual({ loaded: 'b', made: 'c a' });
      expect(await inSql()).toEqual({ loaded: 'b', made: 'c a' });
      const made = await lineOf('made');
      await deployment.insert('stop', { name: 'd', lineId: made });
      await deployment.update('stop', { name: 'a' }, { lineId: null });
      await deployment.settle();
      expect(onDevice()).toEqual({ loaded: 'b', made: 'c d' });
      expect(await inSql()).toEqual({ loaded: 'b', made: 'c d' });
      device.write((realm) => {
        const line = realm.objectForPrimaryKey('line', 'made');
        if (line !== null) realm.delete(line);
      });
      await deployment.settle();
      expect(await inSql()).toEqual({ loaded: 'b' });
      expect((await deployment.rows('stop', 'name', 'lineId')).filter(([, line]) => line !== null)).toEqual([
        ['b', String(loaded)],
      ]);
    });
  },
};
