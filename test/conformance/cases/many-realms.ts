/** One table's rows spread over the realms of many users. */
import { expect } from 'vitest';
import type { RowProperties } from '../../../src/connector/options.ts';
import type { Cases } from '../run-conformance.ts';
import type { PortableTable } from '../target.ts';

const notes: PortableTable = {
  name: 'note',
  columns: [
    { name: 'id', type: 'int' },
    { name: 'owner', type: 'text' },
    { name: 'words', type: 'text' },
  ],
  primaryKey: ['id'],
};

const model = {
  name: 'note',
  primaryKey: 'id',
  properties: { id: 'int', owner: 'string?', words: 'string?' },
};

const options = {
  realmRegex: /^\/[a-z]+\/notes$/,
  fixedRealmPath: undefined,
  realmPathOfRow: (_table: string, row: RowProperties) =>
    typeof row.owner === 'string' ? `/${row.owner}/notes` : undefined,
};

export const realmCases: Cases = {
  about: 'many realms',
  declare: (declareCase) => {
    declareCase(
      'each row is in the realm that the function names, and moves with its owner',
      [],
      async (deploy) => {
        const deployment = await (await deploy({ tables: [notes], models: [model], options })).start();
        const [anna, ben] = [deployment.device('/anna/notes'), deployment.device('/ben/notes')];
        await deployment.insert(
          'note',
          { id: 1, owner: 'anna', words: 'a' },
          { id: 2, owner: 'ben', words: 'b' },
          { id: 3, owner: null, words: 'nobody’s' },
        );
        await deployment.settle();
        expect(anna.shown('note', 'id', 'words')).toEqual([['1', 'a']]);
        expect(ben.shown('note', 'id', 'words')).toEqual([['2', 'b']]);

        await deployment.update('note', { id: 1 }, { owner: 'ben' });
        await deployment.update('note', { id: 3 }, { owner: 'anna' });
        await deployment.settle();
        expect(anna.shown('note', 'id', 'words')).toEqual([['3', 'nobody’s']]);
        expect(ben.shown('note', 'id', 'words')).toEqual([
          ['1', 'a'],
          ['2', 'b'],
        ]);
        expect(await deployment.rows('note', 'id')).toEqual([['1'], ['2'], ['3']]);
      },
    );

    declareCase('objects of every realm are rows of the one table', [], async (deploy) => {
      const deployment = await (await deploy({ tables: [notes], models: [model], options })).start();
      const [anna, ben] = [deployment.device('/anna/notes'), deployment.device('/ben/notes')];
      await deployment.insert(
        'note',
        { id: 1, owner: 'anna', words: 'a' },
        { id: 2, owner: 'ben', words: 'b' },
      );
      await deployment.settle();
      anna.write((realm) => realm.create('note', { id: 11, owner: 'anna', words: 'new' }));
      ben.write((realm) => {
        const note = realm.objectForPrimaryKey('note', 2);
        if (note !== null) realm.delete(note);
      });
      await deployment.settle();
      expect(await deployment.rows('note', 'id', 'owner')).toEqual([
        ['1', 'anna'],
        ['11', 'anna'],
      ]);
    });

    declareCase('columns with fixed values for the realm that wrote', [], async (deploy) => {
      const short = { name: 'note', primaryKey: 'id', properties: { id: 'int', words: 'string?' } };
      const tableOfRealm = (path: string) => ({ extraProperties: { owner: path.split('/')[1] } });
      const given = { tables: [notes], models: [short], options: { ...options, tableOfRealm } };
      const deployment = await (await deploy(given)).start();
      await deployment.insert('note', { id: 1, owner: 'anna', words: 'a' });
      await deployment.settle();
      const anna = deployment.device('/anna/notes');
      await deployment.settle();
      anna.write((realm) => realm.create('note', { id: 2, words: 'mine' }));
      await deployment.settle();
      expect(await deployment.rows('note', 'id', 'owner', 'words')).toEqual([
        ['1', 'anna', 'a'],
        ['2', 'anna', 'mine'],
      ]);
      expect(anna.shown('note', 'id', 'words')).toEqual([
        ['1', 'a'],
        ['2', 'mine'],
      ]);
    });
  },
};
