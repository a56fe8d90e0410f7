import { describe, expect, it } from 'vitest';
import { planStatements } from '../../src/connector/apply/plan.ts';
import { redirectStatements } from '../../src/connector/apply/redirect.ts';
import type { Catalog, TableInfo } from '../../src/connector/dialect.ts';
import { insert, MemoryReplica, mapping, remove } from './harness.ts';

const artist = mapping.forClass('Artist')!.table;
const archive: TableInfo = {
  ...artist,
  table: { schema: 'public', name: 'archive' },
  columns: [...artist.columns, { ...artist.columns[1]!, name: 'owner' }],
};
const catalog: Catalog = new Map([
  ['public.artist', artist],
  ['public.archive', archive],
]);
const statements = planStatements(
  [insert('Artist', 1, { name: 'x' }), remove('Artist', 2)],
  mapping,
  new MemoryReplica(),
);

describe('mapRealmChangeToPostgresTable', () => {
  it('moves rows to another table and fills further columns in', () => {
    const target = { tableName: 'archive', extraProperties: { owner: 'u1' } };
    const [upsert, , deletion] = redirectStatements(
      statements,
      '/u1/shop',
      () => target,
      catalog,
      'mapRealmChangeToTable',
    );
    expect(upsert).toMatchObject({ table: archive, columns: ['name', 'owner'], rows: [['1', 'x', 'u1']] });
    expect(deletion).toMatchObject({ kind: 'delete', table: archive });
  });

  it('leaves everything as it is when the function says nothing', () => {
    expect(redirectStatements(statements, '/shop', () => ({}), catalog, 'mapRealmChangeToTable')).toEqual(
      statements,
    );
  });

  it('names a table or column that does not exist', () => {
    const to = (target: object) => () =>
      redirectStatements(statements, '/shop', () => target, catalog, 'mapRealmChangeToTable');
    expect(to({ tableName: 'nowhere' })).toThrow('nowhere');
    expect(to({ extraProperties: { owner: 1 } })).toThrow('no column owner');
  });
});
