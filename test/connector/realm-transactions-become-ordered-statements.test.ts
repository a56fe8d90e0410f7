import { describe, expect, it } from 'vitest';
import type { MergedInstruction } from '../../src/adapter/merged-instruction.ts';
import { type PlanStyle, planStatements } from '../../src/connector/apply/plan.ts';
import type { ApplyStatement } from '../../src/connector/dialect.ts';
import { create, insert, int, link, MemoryReplica, mapping, remove, set } from './harness.ts';

function plan(instructions: MergedInstruction[], replica = new MemoryReplica(), style?: PlanStyle): string[] {
  return planStatements(instructions, mapping, replica, style).map(show);
}

function show(statement: ApplyStatement): string {
  const table = statement.table.table.name;
  switch (statement.kind) {
    case 'upsert':
    case 'update':
    case 'assign':
      return `${statement.kind} ${table}(${[...statement.keyColumns, ...statement.columns].join()}) ${statement.rows.map((row) => row.join()).join(' ')}`;
    case 'delete':
      return `delete ${table} ${statement.rows.map((row) => row.join()).join(' ')}`;
    case 'deleteAll':
      return `deleteAll ${table}`;
    case 'listInsert':
    case 'listSet':
      return `${statement.kind} ${table} ${statement.oid}[${statement.index}]=${statement.target}`;
    case 'listErase':
      return `listErase ${table} ${statement.oid}[${statement.index}]`;
    case 'listClear':
      return `listClear ${table} ${statement.oid}`;
    case 'replaceItems':
      return `replaceItems ${table} ${statement.oids.join()} by ${statement.rows.map((row) => row.join()).join(' ')}`;
  }
}

describe('realm transactions', () => {
  const withArtist = new MemoryReplica()
    .apply(create('Artist', 1))
    .apply(create('Artist', 2))
    .apply(create('Album', 5));

  it('insert parents before children and delete children before parents', () => {
    expect(
      plan(
        [insert('Album', 5, { title: 'T', artist: link('Artist', 1) }), insert('Artist', 1, { name: 'A' })],
        withArtist,
      ),
    ).toEqual(['upsert artist(id,name) 1,A', 'upsert album(id,title,artist) 5,T,1']);
    expect(plan([remove('Artist', 1), remove('Album', 5)])).toEqual([
      'delete album 5',
      'listClear artist_favourites 1',
      'delete artist 1',
    ]);
  });

  it('become one statement per table and set of columns', () => {
    expect(
      plan([
        set('Artist', 1, { name: 'a' }),
        set('Artist', 2, { name: 'b' }),
        set('Artist', 3, { country: 'c' }),
      ]),
    ).toEqual(['update artist(id,name) 1,a 2,b', 'update artist(id,country) 3,c']);
  });

  it('touch only the columns they name, with the last value', () => {
    expect(plan([set('Artist', 1, { name: 'a' }), set('Artist', 1, { name: 'b' })])).toEqual([
      'update artist(id,name) 1,b',
    ]);
    expect(plan([insert('Artist', 1, { name: 'a' }), set('Artist', 1, { country: 'x' })])).toEqual([
      'upsert artist(id,name,country) 1,a,x',
    ]);
  });

  it('leave nothing of a row that was deleted and made again', () => {
    expect(plan([remove('Artist', 1), insert('Artist', 1, { name: 'new' })])).toEqual([
      'upsert artist(id,name,country) 1,new,',
      'listClear artist_favourites 1',
    ]);
    const onList = { table: 'Artist', key: int(1), property: 'favourites' } as const;
    const item = { type: 'LIST_INSERT', ...onList, index: 0, target: link('Album', 5) } as const;
    expect(plan([item, remove('Artist', 1), insert('Artist', 1, {}), item], withArtist)).toEqual([
      'upsert artist(id,name,country) 1,,',
      'listClear artist_favourites 1',
      'listInsert artist_favourites 1[0]=5',
    ]);
  });

  it('end with the deletion, whatever came before', () => {
    expect(
      plan([insert('Artist', 1, { name: 'a' }), remove('Artist', 1), set('Artist', 1, { name: 'b' })]),
    ).toEqual(['listClear artist_favourites 1', 'delete artist 1']);
  });

  it('set links inside a cycle after all rows are there', () => {
    const staff = new MemoryReplica().apply(create('Employee', 1)).apply(create('Employee', 2));
    expect(
      plan(
        [
          insert('Employee', 1, { name: 'a', boss: link('Employee', 2) }),
          insert('Employee', 2, { boss: link('Employee', 1) }),
        ],
        staff,
      ),
    ).toEqual([
      'upsert employee(id,name,boss) 1,a,',
      'upsert employee(id,boss) 2,',
      'update employee(id,boss) 1,2 2,1',
    ]);
  });

  it('write a link to nothing as NULL, as it reads in the realm', () => {
    expect(plan([set('Album', 5, { artist: link('Artist', 99) })], withArtist)).toEqual([
      'update album(id,artist) 5,',
    ]);
  });

  it('can delete first, for rows that take over a unique value', () => {
    expect(
      plan([insert('Artist', 3, { name: 'x' }), remove('Artist', 1)], withArtist, { deletesFirst: true }),
    ).toEqual(['listClear artist_favourites 1', 'delete artist 1', 'upsert artist(id,name) 3,x']);
  });

  it('can free rows to be deleted from references that others made meanwhile', () => {
    expect(plan([remove('Artist', 1)], withArtist, { nullifyReferences: true })).toEqual([
      'listClear artist_favourites 1',
      'update album(artist,artist) 1,',
      'delete artist 1',
    ]);
  });

  it('change lists in order, and only of objects that are still there', () => {
    const onList = { table: 'Artist', key: int(1), property: 'favourites' } as const;
    const changes: MergedInstruction[] = [
      { type: 'LIST_INSERT', ...onList, index: 0, target: link('Album', 5) },
      { type: 'LIST_SET', ...onList, index: 0, target: link('Album', 6) },
      { type: 'LIST_ERASE', ...onList, index: 0 },
      { type: 'LIST_CLEAR', ...onList },
    ];
    expect(plan(changes, withArtist)).toEqual([
      'listInsert artist_favourites 1[0]=5',
      'listSet artist_favourites 1[0]=6',
      'listErase artist_favourites 1[0]',
      'listClear artist_favourites 1',
    ]);
    expect(plan(changes, new MemoryReplica())).toEqual(['listClear artist_favourites 1']);
  });

  it('empty a class children first', () => {
    expect(
      plan([
        { type: 'CLEAR', table: 'Artist' },
        { type: 'CLEAR', table: 'Album' },
      ]),
    ).toEqual(['deleteAll album', 'deleteAll artist_favourites', 'deleteAll artist']);
  });
});
