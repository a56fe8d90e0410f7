/** Names and values on their way between the two sides. */
import { expect } from 'vitest';
import { MappingError } from '../../../src/connector/errors.ts';
import { sameNames } from '../../support/engine-options.ts';
import type { Cases } from '../run-conformance.ts';
import { artistTable } from './shop.ts';

const performer = {
  name: 'Performer',
  primaryKey: 'id',
  properties: { id: 'int', fullName: 'string?', country: 'string?' },
};

const renaming = {
  ...sameNames,
  classOfTable: (table: string) => (table === 'artist' ? 'Performer' : table),
  tableOfClass: (name: string) => (name === 'Performer' ? 'artist' : name),
  propertyOfColumn: (_table: string, column: string) => (column === 'name' ? 'fullName' : column),
  columnOfProperty: (_class: string, property: string) => (property === 'fullName' ? 'name' : property),
};

export const mappingCases: Cases = {
  about: 'mapping',
  declare: (declareCase) => {
    declareCase('classes and properties under other names than tables and columns', [], async (deploy) => {
      const given = { tables: [artistTable], models: [performer], options: { mapping: renaming } };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'sql' });
      device.write((realm) => realm.create('Performer', { id: 2, fullName: 'device' }));
      await deployment.settle();
      expect(device.shown('Performer', 'id', 'fullName')).toEqual([
        ['1', 'sql'],
        ['2', 'device'],
      ]);
      expect(await deployment.rows('artist', 'id', 'name')).toEqual([
        ['1', 'sql'],
        ['2', 'device'],
      ]);
    });

    declareCase('naming functions that are not inverse are refused by name', [], async (deploy) => {
      const mapping = { ...renaming, propertyOfColumn: (_table: string, column: string) => column };
      const given = { tables: [artistTable], models: [performer], options: { mapping } };
      const deployment = await deploy(given);
      const refused = await deployment.start().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(MappingError);
      expect(String(refused)).toContain('fullName');
    });

    declareCase('values converted by functions on their way', [], async (deploy) => {
      const mapping = {
        ...sameNames,
        valueToRealm: (_table: string, column: string, value: unknown) =>
          column === 'name' && typeof value === 'string' ? value.toUpperCase() : value,
        valueToSql: (_class: string, property: string, value: unknown) =>
          property === 'name' && typeof value === 'string' ? value.toLowerCase() : value,
      };
      const model = { name: 'artist', primaryKey: 'id', properties: { id: 'int', name: 'string?' } };
      const given = { tables: [artistTable], models: [model], options: { mapping } };
      const deployment = await (await deploy(given)).start();
      const device = deployment.device();
      await deployment.insert('artist', { id: 1, name: 'nina' });
      device.write((realm) => realm.create('artist', { id: 2, name: 'MILES' }));
      await deployment.settle();
      expect(device.shown('artist', 'id', 'name')).toEqual([
        ['1', 'NINA'],
        ['2', 'MILES'],
      ]);
      expect(await deployment.rows('artist', 'id', 'name')).toEqual([
        ['1', 'nina'],
        ['2', 'miles'],
      ]);
    });

    declareCase(
      'properties that stay in the realm, and columns that the models do not name',
      [],
      async (deploy) => {
        const model = {
          name: 'artist',
          primaryKey: 'id',
          properties: { id: 'int', name: 'string?', draft: 'string?' },
        };
        const ignores = (_class: string, property: string): boolean => property === 'draft';
        const given = {
          tables: [artistTable],
          models: [model],
          options: { mapping: { ...sameNames, ignores } },
        };
        const deployment = await (await deploy(given)).start();
        const device = deployment.device();
        device.write((realm) => realm.create('artist', { id: 1, name: 'a', draft: 'mine' }));
        await deployment.settle();
        await deployment.update('artist', { id: 1 }, { country: 'unseen', name: 'b' });
        await deployment.settle();
        expect(device.shown('artist', 'id', 'name', 'draft')).toEqual([['1', 'b', 'mine']]);
        device.write((realm) => {
          const artist = realm.objectForPrimaryKey('artist', 1);
          if (artist !== null) artist.name = 'c';
        });
        await deployment.settle();
        expect(await deployment.rows('artist', 'name', 'country')).toEqual([['c', 'unseen']]);
      },
    );
  },
};
