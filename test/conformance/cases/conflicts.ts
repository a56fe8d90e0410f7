/** Both sides write at once (DESIGN §6). */
import { expect } from 'vitest';
import type { Cases } from '../run-conformance.ts';
import { shop } from './shop.ts';

export const conflictCases: Cases = {
  about: 'conflicts',
  declare: (declareCase) => {
    declareCase('changes of different columns of a row both survive', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'old', country: 'old' });
      await deployment.settle();
      device.write((realm) => {
        const artist = realm.objectForPrimaryKey('artist', 1);
        if (artist !== null) artist.name = 'device';
      });
      await deployment.update('artist', { id: 1 }, { country: 'application' });
      await deployment.settle();
      expect(await deployment.rows('artist', 'name', 'country')).toEqual([['device', 'application']]);
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([['1', 'device', 'application']]);
    });

    declareCase('a change that was committed before ours loses to ours', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'old' });
      await deployment.settle();
      await deployment.stop();
      await deployment.update('artist', { id: 1 }, { name: 'application' });
      device.write((realm) => {
        const artist = realm.objectForPrimaryKey('artist', 1);
        if (artist !== null) artist.name = 'device';
      });
      await device.sync();
      await deployment.start();
      await deployment.settle();
      const [[inSql] = []] = await deployment.rows('artist', 'name');
      expect(device.shown('artist', 'id', 'name')).toEqual([['1', inSql]]);
    });

    declareCase('a change that was committed after ours wins', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      device.write((realm) => realm.create('artist', { id: 1, name: 'device' }));
      await deployment.settle();
      await deployment.update('artist', { id: 1 }, { name: 'application' });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name')).toEqual([['1', 'application']]);
      expect(await deployment.rows('artist', 'name')).toEqual([['application']]);
    });

    declareCase('the same key made on both sides is one row and one object', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      device.write((realm) => realm.create('artist', { id: 1, name: 'device' }));
      await deployment.insert('artist', { id: 1, country: 'application' });
      await deployment.settle();
      const rows = await deployment.rows('artist', 'id', 'name', 'country');
      expect(rows).toEqual([['1', 'device', 'application']]);
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual(rows);
    });

    declareCase('what one side deleted while the other changed it is deleted', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'a' }, { id: 2, name: 'b' });
      await deployment.settle();
      device.write((realm) => {
        const [first, second] = [1, 2].map((id) => realm.objectForPrimaryKey('artist', id));
        if (first != null) realm.delete(first);
        if (second != null) second.name = 'changed';
      });
      await deployment.database.transaction(async (application) => {
        await application.update('artist', { id: 1 }, { name: 'changed' });
        await application.remove('artist', { id: 2 });
      });
      await deployment.settle();
      expect(await deployment.rows('artist', 'id')).toEqual([]);
      expect(device.shown('artist', 'id')).toEqual([]);
    });

    declareCase('a key that was deleted can be made again by either side', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'first', country: 'first' });
      await deployment.settle();
      await deployment.remove('artist', { id: 1 });
      await deployment.settle();
      device.write((realm) => realm.create('artist', { id: 1, name: 'second' }));
      await deployment.settle();
      expect(await deployment.rows('artist', 'name', 'country')).toEqual([['second', null]]);
      await deployment.database.transaction(async (application) => {
        await application.remove('artist', { id: 1 });
        await application.insert('artist', { id: 1, country: 'third' });
      });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([['1', null, 'third']]);
    });
  },
};
