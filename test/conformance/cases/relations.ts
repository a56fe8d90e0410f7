/** Foreign keys and links, lists and join tables. */
import { expect } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import type { ConnectorOptions } from '../../../src/connector/options.ts';
import { sameNames } from '../../support/engine-options.ts';
import type { Cases } from '../run-conformance.ts';
import type { PortableTable } from '../target.ts';
import { albumClass, albumTable, artistClass, artistTable, shop } from './shop.ts';

const employeeTable: PortableTable = {
  name: 'employee',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'boss', type: 'int' },
  ],
  primaryKey: ['id'],
  foreignKeys: [{ columns: ['boss'], references: 'employee', referencedColumns: ['id'] }],
};

const employeeClass: ConnectorOptions['models'][number] = {
  name: 'employee',
  primaryKey: 'id',
  properties: { id: 'int', boss: 'employee?' },
};

const playlistTable: PortableTable = {
  name: 'playlist',
  columns: [{ name: 'id', type: 'int' }],
  primaryKey: ['id'],
};

const playlistAlbums: PortableTable = {
  name: 'playlist_albums',
  columns: [
    { name: 'oid', type: 'int' },
    { name: 'idx', type: 'int' },
    { name: 'target', type: 'int' },
  ],
  primaryKey: ['oid', 'idx'],
};

const playlistClass: ConnectorOptions['models'][number] = {
  name: 'playlist',
  primaryKey: 'id',
  properties: { id: 'int', albums: 'album[]' },
};

export const relationCases: Cases = {
  about: 'relations',
  declare: (declareCase) => {
    declareCase(
      'parents and children of one transaction, in whatever order it made them',
      [],
      async (deploy) => {
        const deployment = await (await deploy(shop)).start();
        const device = deployment.device();
        device.write((realm) => {
          const album = realm.create('album', { id: 1, title: 'first the child' });
          album.artist = realm.create('artist', { id: 5, name: 'then the parent' });
        });
        await deployment.settle();
        expect(await deployment.rows('album', 'id', 'artist')).toEqual([['1', '5']]);
        device.write((realm) => {
          const artist = realm.objectForPrimaryKey('artist', 5);
          const album = realm.objectForPrimaryKey('album', 1);
          if (artist !== null) realm.delete(artist);
          if (album !== null) realm.delete(album);
        });
        await deployment.settle();
        expect(await deployment.rows('artist', 'id')).toEqual([]);
        expect(await deployment.rows('album', 'id')).toEqual([]);
      },
    );

    declareCase('a link that loses its target is NULL on both sides', [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'a' });
      await deployment.insert('album', { id: 10, title: 't', artist: 1 });
      await deployment.settle();
      device.write((realm) => {
        const artist = realm.objectForPrimaryKey('artist', 1);
        if (artist !== null) realm.delete(artist);
      });
      await deployment.settle();
      expect(await deployment.rows('artist', 'id')).toEqual([]);
      expect(await deployment.rows('album', 'id', 'artist')).toEqual([['10', null]]);
      expect(device.shown('album', 'id', 'artist')).toEqual([['10', null]]);
    });

    declareCase('rows that refer to their own table, in a circle', [], async (deploy) => {
      const given = { tables: [employeeTable], models: [employeeClass] };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      device.write((realm) => {
        const first = realm.create('employee', { id: 1 });
        const second = realm.create('employee', { id: 2, boss: first });
        first.boss = realm.create('employee', { id: 3, boss: second });
      });
      await deployment.settle();
      const circle = [
        ['1', '3'],
        ['2', '1'],
        ['3', '2'],
      ];
      expect(await deployment.rows('employee', 'id', 'boss')).toEqual(circle);
      await deployment.update('employee', { id: 1 }, { boss: 1 });
      await deployment.settle();
      expect(device.shown('employee', 'id', 'boss')).toEqual([['1', '1'], ...circle.slice(1)]);
      device.write((realm) => {
        for (const employee of [...realm.objects('employee')]) realm.delete(employee);
      });
      await deployment.settle();
      expect(await deployment.rows('employee', 'id')).toEqual([]);
    });

    declareCase('tables that require each other', ['deferredConstraints'], async (deploy) => {
      const side = (name: string, other: string): PortableTable => ({
        name,
        columns: [
          { name: 'id', type: 'int' },
          { name: 'other', type: 'int', nullable: false },
        ],
        primaryKey: ['id'],
        foreignKeys: [{ columns: ['other'], references: other, referencedColumns: ['id'], deferred: true }],
      });
      const model = (name: string, other: string) => ({
        name,
        primaryKey: 'id',
        properties: { id: 'int', other: `${other}?` },
      });
      const deployment = await deploy({
        tables: [side('left', 'right'), side('right', 'left')],
        models: [model('left', 'right'), model('right', 'left')],
      });
      await deployment.start();
      const device = deployment.device();
      device.write((realm) => {
        const left = realm.create('left', { id: 1 });
        left.other = realm.create('right', { id: 2, other: left });
      });
      await deployment.database.transaction(async (application) => {
        await application.insert('left', { id: 11, other: 12 });
        await application.insert('right', { id: 12, other: 11 });
      });
      await deployment.settle();
      expect(await deployment.rows('left', 'id', 'other')).toEqual([
        ['1', '2'],
        ['11', '12'],
      ]);
      expect(device.shown('right', 'id', 'other')).toEqual([
        ['2', '1'],
        ['12', '11'],
      ]);
    });

    for (const onDelete of ['cascade', 'setNull'] as const) {
      const what = onDelete === 'cascade' ? 'take their children along' : 'leave their children';
      declareCase(`deletions that ${what} in SQL do so on devices`, [], async (deploy) => {
        const [key] = albumTable.foreignKeys ?? [];
        const albums = { ...albumTable, foreignKeys: key === undefined ? [] : [{ ...key, onDelete }] };
        const given = { tables: [artistTable, albums], models: [artistClass, albumClass] };
        const deployment = await (await deploy(given)).start();
        const device = deployment.device();
        await deployment.insert('artist', { id: 1, name: 'a' }, { id: 2, name: 'b' });
        await deployment.insert(
          'album',
          { id: 10, title: 't', artist: 1 },
          { id: 20, title: 'u', artist: 2 },
        );
        await deployment.settle();
        await deployment.remove('artist', { id: 1 });
        device.write((realm) => {
          const artist = realm.objectForPrimaryKey('artist', 2);
          if (artist !== null) realm.delete(artist);
        });
        await deployment.settle();
        const rows = await deployment.rows('album', 'id', 'artist');
        // A deletion on a device nulls the links itself, before the database could cascade.
        expect(rows.filter(([id]) => id === '10')).toEqual(onDelete === 'cascade' ? [] : [['10', null]]);
        expect(device.shown('album', 'id', 'artist')).toEqual(rows);
      });
    }

    declareCase('a row may come before what it refers to', [], async (deploy) => {
      const albums = { ...albumTable, foreignKeys: [] };
      const given = { tables: [artistTable, albums], models: [artistClass, albumClass] };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      await deployment.insert('album', { id: 10, title: 'early', artist: 1 });
      await deployment.settle();
      expect(device.shown('album', 'id', 'artist')).toEqual([['10', null]]);
      await deployment.insert('artist', { id: 1, name: 'late' });
      await deployment.settle();
      expect(device.shown('album', 'id', 'artist')).toEqual([['10', '1']]);
      expect(await deployment.rows('album', 'artist')).toEqual([['1']]);
    });

    declareCase('lists of links keep their order in their table', [], async (deploy) => {
      const tables = [artistTable, albumTable, playlistTable, playlistAlbums];
      const deployment = await deploy({ tables, models: [artistClass, albumClass, playlistClass] });
      await deployment.start();
      const device = deployment.device();
      const change = (work: (albums: RealmList, album: (id: number) => unknown) => void): void =>
        device.write((realm) => {
          const list = realm.objectForPrimaryKey('playlist', 1)?.albums;
          if (!(list instanceof RealmList)) throw new Error('no list');
          work(list, (id) => realm.objectForPrimaryKey('album', id));
        });
      device.write((realm) => {
        const albums = [1, 2, 3, 4].map((id) => realm.create('album', { id, title: `t${id}` }));
        realm.create('playlist', { id: 1, albums: albums.slice(0, 3) });
      });
      await deployment.settle();
      const items = async () =>
        (await deployment.rows('playlist_albums', 'idx', 'target')).map(([, target]) => target).join(' ');
      expect(await items()).toBe('1 2 3');
      change((list, album) => list.splice(1, 0, album(4)));
      await deployment.settle();
      expect(await items()).toBe('1 4 2 3');
      change((list, album) => {
        list.splice(0, 2);
        list.push(album(1), album(1));
      });
      await deployment.settle();
      expect(await items()).toBe('2 3 1 1');
      device.write((realm) => {
        const playlist = realm.objectForPrimaryKey('playlist', 1);
        if (playlist !== null) realm.delete(playlist);
      });
      await deployment.settle();
      expect(await items()).toBe('');
    });

    declareCase('join tables are classes with a key of several parts', [], async (deploy) => {
      const joins: PortableTable = {
        name: 'credit',
        columns: [
          { name: 'artist', type: 'int' },
          { name: 'album', type: 'int' },
          { name: 'role', type: 'text' },
        ],
        primaryKey: ['artist', 'album'],
        foreignKeys: [
          { columns: ['artist'], references: 'artist', referencedColumns: ['id'] },
          { columns: ['album'], references: 'album', referencedColumns: ['id'] },
        ],
      };
      const model = {
        name: 'credit',
        primaryKey: 'pk',
        properties: { pk: 'string', artist: 'artist?', album: 'album?', role: 'string?' },
      };
      const compoundPrimaryKeys = new Map([
        [
          'credit',
          [
            { property: 'artist', dbColumn: 'artist', type: 'int' },
            { property: 'album', dbColumn: 'album', type: 'int' },
          ] as const,
        ],
      ]);
      const deployment = await deploy({
        tables: [artistTable, albumTable, joins],
        models: [artistClass, albumClass, model],
        options: { mapping: { ...sameNames, compoundPrimaryKeys } },
      });
      await deployment.start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'a' });
      await deployment.insert('album', { id: 10, title: 't' });
      await deployment.insert('credit', { artist: 1, album: 10, role: 'singer' });
      await deployment.settle();
      expect(device.shown('credit', 'pk', 'artist', 'album', 'role')).toEqual([
        ['1-10', '1', '10', 'singer'],
      ]);
      device.write((realm) => {
        const second = realm.create('album', { id: 20, title: 'u' });
        const artist = realm.objectForPrimaryKey('artist', 1);
        realm.create('credit', { pk: '1-20', artist, album: second, role: 'piano' });
        const first = realm.objectForPrimaryKey('credit', '1-10');
        if (first !== null) realm.delete(first);
      });
      await deployment.settle();
      expect(await deployment.rows('credit', 'artist', 'album', 'role')).toEqual([['1', '20', 'piano']]);
      await deployment.remove('credit', { artist: 1, album: 20 });
      await deployment.settle();
      expect(device.shown('credit', 'pk')).toEqual([]);
    });
  },
};
