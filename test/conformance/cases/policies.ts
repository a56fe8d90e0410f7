/** Values that one side holds and the other cannot (DESIGN §7). */
import { expect } from 'vitest';
import type { Cases } from '../run-conformance.ts';
import { artistClass, artistTable, shop } from './shop.ts';

const tooNarrow = {
  tables: [
    {
      ...artistTable,
      columns: artistTable.columns.map((column) =>
        column.name === 'name' ? { ...column, nullable: false } : column,
      ),
    },
  ],
  models: [artistClass],
};

export const policyCases: Cases = {
  about: 'policies',
  declare: (declareCase) => {
    declareCase(
      'what the database refuses becomes a dead letter, and the rest goes on',
      [],
      async (deploy) => {
        const deployment = await (await deploy({ ...tooNarrow, options: { ignoreSqlErrors: true } })).start();
        const device = deployment.device();
        device.write((realm) => realm.create('artist', { id: 1, name: null }));
        device.write((realm) => realm.create('artist', { id: 2, name: 'fine' }));
        await deployment.settle();
        expect(await deployment.rows('artist', 'id', 'name')).toEqual([['2', 'fine']]);
        device.write((realm) => {
          const artist = realm.objectForPrimaryKey('artist', 1);
          if (artist !== null) artist.name = 'mended';
        });
        await deployment.settle();
        expect(await deployment.rows('artist', 'id', 'name')).toEqual([
          ['1', 'mended'],
          ['2', 'fine'],
        ]);
      },
    );

    declareCase('or stops the connector there, which goes on when it is mended', [], async (deploy) => {
      const columns = artistTable.columns.map((column) =>
        column.name === 'name' ? { ...column, unique: true } : column,
      );
      const tables = [{ ...artistTable, columns }];
      const given = { tables, models: [artistClass], options: { ignoreSqlErrors: false } };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      device.write((realm) => realm.create('artist', { id: 1, name: 'taken' }));
      await deployment.insert('artist', { id: 2, name: 'taken' });
      await device.sync();
      expect(String(await deployment.stopped())).toMatch(/artist/);
      await deployment.restart();
      expect(String(await deployment.stopped())).toMatch(/artist/);
      await deployment.stop();
      await deployment.update('artist', { id: 2 }, { name: 'free' });
      await deployment.start();
      await deployment.settle();
      const expected = [
        ['1', 'taken'],
        ['2', 'free'],
      ];
      expect(await deployment.rows('artist', 'id', 'name')).toEqual(expected);
      expect(device.shown('artist', 'id', 'name')).toEqual(expected);
    });

    declareCase('rows that the realm cannot hold are left out until they are mended', [], async (deploy) => {
      const required = {
        name: 'artist',
        primaryKey: 'id',
        properties: { id: 'int', name: 'string', country: 'string?' },
      };
      const given = { tables: [artistTable], models: [required], options: { ignoreSqlErrors: true } };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, country: 'no name' }, { id: 2, name: 'fine' });
      await deployment.settle();
      expect(device.shown('artist', 'id')).toEqual([['2']]);
      await deployment.update('artist', { id: 1 }, { name: 'named' });
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name', 'country')).toEqual([
        ['1', 'named', 'no name'],
        ['2', 'fine', null],
      ]);
    });

    declareCase('a reference to a row that does not exist is refused without harm', [], async (deploy) => {
      const deployment = await (await deploy({ ...shop, options: { ignoreSqlErrors: true } })).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'a' });
      await deployment.settle();
      device.write((realm) => {
        const artist = realm.objectForPrimaryKey('artist', 1);
        realm.create('album', { id: 10, title: 't', artist });
      });
      await deployment.remove('artist', { id: 1 });
      await deployment.settle();
      expect(await deployment.rows('album', 'id', 'artist')).toEqual([['10', null]]);
      expect(device.shown('album', 'id', 'artist')).toEqual([['10', null]]);
    });
  },
};
