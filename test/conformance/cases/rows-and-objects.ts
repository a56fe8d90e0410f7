/** What is written on one side is on the other, and nothing else is. */
import { expect } from 'vitest';
import type { Cases } from '../run-conformance.ts';
import { artistClass, artistTable, shop } from './shop.ts';

export const rowCases: Cases = {
  about: 'rows and objects',
  declare: (declareCase) => {
    declareCase('rows made, changed and deleted by an application reach the devices', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'Nina', active: true }, { id: 2, name: 'Miles' });
      await deployment.insert('album', { id: 10, title: 'Blue', artist: 2 });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name', 'country', 'active')).toEqual([
        ['1', 'Nina', null, 'true'],
        ['2', 'Miles', null, null],
      ]);
      expect(device.shown('album', 'id', 'title', 'artist')).toEqual([['10', 'Blue', '2']]);

      await deployment.update('artist', { id: 1 }, { name: null, country: 'US' });
      await deployment.remove('album', { id: 10 });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([
        ['1', null, 'US'],
        ['2', 'Miles', null],
      ]);
      expect(device.shown('album', 'id')).toEqual([]);
    });

    declareCase('objects made, changed and deleted on a device reach the tables', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      device.write((realm) => {
        const nina = realm.create('artist', { id: 1, name: 'Nina', worth: '12.50' });
        realm.create('album', { id: 10, title: 'Pastel', artist: nina });
        realm.create('artist', { id: 2, active: false });
      });
      await deployment.settle();
      expect(await deployment.rows('artist', 'id', 'name')).toEqual([
        ['1', 'Nina'],
        ['2', null],
      ]);
      expect(await deployment.rows('album', 'id', 'title', 'artist')).toEqual([['10', 'Pastel', '1']]);

      device.write((realm) => {
        const nina = realm.objectForPrimaryKey('artist', 1);
        if (nina !== null) nina.name = null;
        const second = realm.objectForPrimaryKey('artist', 2);
        if (second !== null) realm.delete(second);
      });
      await deployment.settle();
      expect(await deployment.rows('artist', 'id', 'name')).toEqual([['1', null]]);
    });

    declareCase('one transaction of an application is one write of the realm', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      await deployment.database.transaction(async (application) => {
        for (let id = 1; id <= 50; id += 1) await application.insert('artist', { id, name: `n${id}` });
        await application.update('artist', { id: 7 }, { name: 'seven' });
        await application.remove('artist', { id: 8 });
      });
      await deployment.settle();
      const captured = deployment.synced.filter(({ direction }) => direction === 'toRealm');
      expect(captured).toHaveLength(1);
      const device = deployment.device();
      await deployment.settle();
      const names = device.shown('artist', 'id', 'name');
      expect(names).toHaveLength(49);
      expect(names[6]).toEqual(['7', 'seven']);
    });

    declareCase('what was rolled back reaches nobody', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      const failure = new Error('the application changed its mind');
      const undone = deployment.database.transaction(async (application) => {
        await application.insert('artist', { id: 1, name: 'nobody' });
        throw failure;
      });
      await expect(undone).rejects.toBe(failure);
      await deployment.insert('artist', { id: 2, name: 'somebody' });
      await deployment.settle();
      expect(device.shown('artist', 'id')).toEqual([['2']]);
    });

    declareCase('our own writes come back to no device as writes', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      for (let id = 1; id <= 5; id += 1) {
        device.write((realm) => realm.create('artist', { id, name: `n${id}`, worth: '1.10', active: true }));
        await deployment.settle();
      }
      expect(deployment.synced.filter(({ direction }) => direction === 'toRealm')).toEqual([]);
    });

    declareCase('emptying a table empties the class', ['truncate'], async (deploy) => {
      const deployment = await (await deploy({ tables: [artistTable], models: [artistClass] })).start();
      const device = deployment.device();
      const rows = Array.from({ length: 300 }, (_, index) => ({ id: index + 1, name: `n${index}` }));
      await deployment.insert('artist', ...rows);
      await deployment.settle();
      expect(device.shown('artist', 'id')).toHaveLength(300);
      await deployment.database.transaction(async (application) => {
        await application.truncate('artist');
        await application.insert('artist', { id: 1000, name: 'after' });
      });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name')).toEqual([['1000', 'after']]);
    });

    declareCase('a connector that was stopped brings what happened meanwhile', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'before' }, { id: 2, name: 'before' });
      await deployment.settle();
      await deployment.stop();
      await deployment.update('artist', { id: 1 }, { name: 'meanwhile, in SQL' });
      await deployment.remove('artist', { id: 2 });
      device.write((realm) => realm.create('artist', { id: 3, name: 'meanwhile, on a device' }));
      await device.sync();
      await deployment.start();
      await deployment.settle();
      expect(await deployment.rows('artist', 'id', 'name')).toEqual([
        ['1', 'meanwhile, in SQL'],
        ['3', 'meanwhile, on a device'],
      ]);
      expect(device.shown('artist', 'id', 'name')).toEqual([
        ['1', 'meanwhile, in SQL'],
        ['3', 'meanwhile, on a device'],
      ]);
    });

    declareCase('a transaction larger than a batch arrives whole', [], async (deploy) => {
      const deployment = await (await deploy({ tables: [artistTable], models: [artistClass] })).start();
      const device = deployment.device();
      device.write((realm) => {
        for (let id = 1; id <= 12_000; id += 1) realm.create('artist', { id, name: `n${id}` });
      });
      await deployment.settle();
      expect(await deployment.rows('artist', 'id')).toHaveLength(12_000);
      await deployment.update('artist', {}, { country: 'all' });
      await deployment.settle();
      const countries = device.shown('artist', 'id', 'country').map(([, country]) => country);
      expect(countries.filter((country) => country === 'all')).toHaveLength(12_000);
    });

    declareCase('texts of every kind stay as they are', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      const texts = [
        '',
        ' ',
        "it's",
        'a"b\\c',
        'naïve Ω 漢字 🎷',
        'line\nbreak\ttab',
        '{}',
        'NULL',
        '$1',
        '%s',
      ];
      await deployment.insert('artist', ...texts.map((name, index) => ({ id: index, name })));
      device.write((realm) => {
        for (const [index, name] of texts.entries()) realm.create('artist', { id: 100 + index, name });
      });
      await deployment.settle();
      expect((await deployment.rows('artist', 'id', 'name')).map(([, name]) => name)).toEqual([
        ...texts,
        ...texts,
      ]);
      expect(device.shown('artist', 'id', 'name').map(([, name]) => name)).toEqual([...texts, ...texts]);
    });
  },
};
