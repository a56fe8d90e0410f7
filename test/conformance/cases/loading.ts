/** The loader: what is in the tables when the connector comes. */
import { expect } from 'vitest';
import type { Cases } from '../run-conformance.ts';
import { shop } from './shop.ts';

export const loadCases: Cases = {
  about: 'loading',
  declare: (declareCase) => {
    declareCase('brings every row, and what happens meanwhile comes through the feed', [], async (deploy) => {
      const deployment = await deploy(shop);
      const artists = Array.from({ length: 2_500 }, (_, index) => ({ id: index + 1, name: `n${index + 1}` }));
      await deployment.insert('artist', ...artists);
      await deployment.insert('album', { id: 1, title: 't', artist: 2_000 });
      const report = await deployment.load();
      expect(report.rowsLeftOut).toBe(0);
      await deployment.update('artist', { id: 1 }, { name: 'after the load' });
      await deployment.remove('artist', { id: 2 });
      await deployment.start();
      const device = deployment.device();
      await deployment.settle();
      const shown = device.shown('artist', 'id', 'name');
      expect(shown).toHaveLength(2_499);
      expect(shown[0]).toEqual(['1', 'after the load']);
      expect(device.shown('album', 'id', 'artist')).toEqual([['1', '2000']]);
      expect(deployment.synced.filter(({ direction }) => direction === 'toSql')).toEqual([]);
    });

    declareCase('again only writes differences', [], async (deploy) => {
      const deployment = await deploy(shop);
      await deployment.insert('artist', { id: 1, name: 'a', worth: '1.50' }, { id: 2, name: 'b' });
      await deployment.load();
      const again = await deployment.load();
      expect(again.tables.map(({ objectsWritten }) => objectsWritten)).toEqual([0, 0]);
      await deployment.start();
      const device = deployment.device();
      await deployment.settle();
      await deployment.stop();
      device.write((realm) => {
        const artist = realm.objectForPrimaryKey('artist', 2);
        if (artist !== null) artist.country = 'device';
      });
      await device.sync();
      await deployment.update('artist', { id: 2 }, { name: 'changed' });
      await deployment.load();
      await deployment.start();
      await deployment.settle();
      expect(await deployment.rows('artist', 'id', 'name', 'country')).toEqual([
        ['1', 'a', null],
        ['2', 'changed', 'device'],
      ]);
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([
        ['1', 'a', null],
        ['2', 'changed', 'device'],
      ]);
    });
  },
};
