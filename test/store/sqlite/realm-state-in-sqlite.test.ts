import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { ClassDefinition } from '../../../src/schema/definition.ts';
import type { PrimaryKey, PrimaryKeyType } from '../../../src/schema/value.ts';
import { inTransaction, openDatabase } from '../../../src/store/sqlite/database.ts';
import { ObjectTable } from '../../../src/store/sqlite/object-table.ts';
import { SchemaTable } from '../../../src/store/sqlite/schema-table.ts';
import { STATE_TABLES } from '../../../src/store/sqlite/state-tables.ts';
import { WorkingView } from '../../../src/store/sqlite/working-view.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';

describe('a database file', () => {
  const notes = (...steps: string[]) => [{ component: 'notes', steps }];
  const first = 'CREATE TABLE notes (text TEXT)';
  const second = "INSERT INTO notes VALUES ('migrated')";

  test('runs each numbered step once, and none when one fails', () => {
    const file = join(temporaryDirectory(), 'deep', 'notes.db');
    openDatabase(file, notes(first)).close();
    expect(() => openDatabase(file, notes(first, second, 'NONSENSE'))).toThrow();
    openDatabase(file, notes(first, second)).close();
    const database = openDatabase(file, notes(first, second));
    expect(database.prepare('SELECT text FROM notes').all()).toEqual([{ text: 'migrated' }]);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    database.close();
  });

  test('of a newer version is refused with a remedy', () => {
    const file = join(temporaryDirectory(), 'notes.db');
    openDatabase(file, notes(first, second)).close();
    expect(() => openDatabase(file, notes(first))).toThrow(/have version 2, known is 1 — start the version/);
  });

  test('rolls back an inner part alone and an outer one with everything', () => {
    const database = openDatabase(join(temporaryDirectory(), 'notes.db'), notes(first));
    const note = (text: string) => database.prepare('INSERT INTO notes VALUES (?)').run(text);
    const fail = () => {
      throw new Error('refused');
    };
    inTransaction(database, () => {
      note('outer');
      expect(() =>
        inTransaction(database, () => {
          note('inner');
          inTransaction(database, () => note('innermost'));
          fail();
        }),
      ).toThrow('refused');
    });
    expect(() =>
      inTransaction(database, () => {
        inTransaction(database, () => note('inner'));
        fail();
      }),
    ).toThrow('refused');
    expect(database.prepare('SELECT text FROM notes').all()).toEqual([{ text: 'outer' }]);
    database.close();
  });
});

describe('a working view', () => {
  function openView(): { database: DatabaseSync; view: WorkingView; reopen: () => WorkingView } {
    const database = new DatabaseSync(':memory:');
    for (const step of STATE_TABLES.steps) database.exec(step);
    const open = () => new WorkingView(1, new SchemaTable(database), new ObjectTable(database));
    return { database, view: open(), reopen: open };
  }

  const int = (value: number | bigint) => ({ type: 'int', value: BigInt(value) }) as const;
  const keyed = (type: PrimaryKeyType): ClassDefinition => ({
    name: 'T',
    kind: 'topLevel',
    primaryKey: { field: type === 'globalKey' ? '' : '_id', type, nullable: type !== 'globalKey' },
    columns: new Map([['n', { type: 'int', nullable: true, collection: 'single' }]]),
  });

  const text = (value: string): PrimaryKey => ({ type: 'string', value });
  test.each<[PrimaryKeyType, PrimaryKey[]]>([
    ['int', [int(-(2n ** 63n)), int(-2), int(0), int(9), int(10), int(2n ** 63n - 1n)]],
    ['string', [text(''), text('10'), text('9'), text('a\0b'), text('é'), text('\u{1f600}')]],
    [
      'objectId',
      [
        { type: 'objectId', value: '000000000000000000000000' },
        { type: 'objectId', value: 'ff0000000000000000000000' },
      ],
    ],
    [
      'uuid',
      [
        { type: 'uuid', value: '00000000-0000-0000-0000-000000000001' },
        { type: 'uuid', value: 'ffffffff-0000-0000-0000-000000000000' },
      ],
    ],
    [
      'globalKey',
      [
        { type: 'globalKey', hi: 1n, lo: 2n },
        { type: 'globalKey', hi: 1n, lo: 256n },
        { type: 'globalKey', hi: 2n ** 64n - 1n, lo: 0n },
      ],
    ],
  ])('scans %s keys in order, from any point on', (type, keys) => {
    const { view, reopen } = openView();
    view.addClass(keyed(type));
    for (const key of keys.toReversed()) view.createObject('T', key);
    view.keep();
    const again = reopen();
    expect([...again.objects('T')].map(({ key }) => key)).toEqual(keys);
    expect([...again.objects('T', keys[0])].map(({ key }) => key)).toEqual(keys.slice(1));
    expect(again.count('T')).toBe(keys.length);
  });

  test('keeps a null key apart from all others', () => {
    const { view, reopen } = openView();
    view.addClass(keyed('string'));
    view.createObject('T', { type: 'null' });
    view.createObject('T', text(''));
    view.keep();
    expect([...reopen().objects('T')].map(({ key }) => key)).toContainEqual({ type: 'null' });
    expect(reopen().count('T')).toBe(2);
  });

  test('shows its own changes at once and forgets them when they are rolled back', () => {
    const { database, view, reopen } = openView();
    view.addClass(keyed('int'));
    view.createObject('T', int(1)).fields.set('n', int(5));
    view.createObject('T', int(2));
    view.keep();
    database.exec('BEGIN');
    view.touch('T', int(1))?.fields.set('n', int(6));
    view.eraseObject('T', int(2));
    view.createObject('T', int(3));
    view.addColumn('T', 'm', { type: 'int', nullable: true, collection: 'single' });
    view.addClass({ ...keyed('int'), name: 'U' });
    expect(view.object('T', int(1))?.fields.get('n')).toEqual(int(6));
    expect([...view.objects('T')].map(({ key }) => key)).toEqual([int(1), int(3)]);
    database.exec('ROLLBACK');
    view.discard();
    for (const state of [view, reopen()]) {
      expect(state.object('T', int(1))?.fields.get('n')).toEqual(int(5));
      expect([...state.objects('T')].map(({ key }) => key)).toEqual([int(1), int(2)]);
      expect([...state.schema.keys()]).toEqual(['T']);
      expect([...(state.schema.get('T')?.columns.keys() ?? [])]).toEqual(['n']);
    }
  });

  test('holds more changed objects than it keeps in memory', () => {
    const { view, reopen } = openView();
    view.addClass(keyed('int'));
    const count = 20_000;
    for (let id = 0; id < count; id++) view.createObject('T', int(id)).fields.set('n', int(id));
    for (let id = 0; id < count; id++) view.touch('T', int(id))?.fields.set('n', int(-id));
    for (let id = 0; id < count; id += 2) view.eraseObject('T', int(id));
    view.keep();
    let seen = 0;
    for (const { key, state } of reopen().objects('T')) {
      seen += 1;
      if (key.type === 'int') expect(state.fields.get('n')).toEqual(int(-key.value));
    }
    expect(seen).toBe(count / 2);
  });
});
