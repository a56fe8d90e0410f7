/** Classes and properties that an app adds: made in the database where that is allowed, named and left in the realm elsewhere. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { Bench, create, int, set, text } from '../../e2e/bad-input.ts';
import { POLL, SchemaBench } from './schema-bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

function newClass(name: string, kind: 'topLevel' | 'embedded' = 'topLevel'): Instruction[] {
  const label = { type: 'string', nullable: true, collection: 'single' } as const;
  const primaryKey = { field: 'id', type: 'int', nullable: false } as const;
  return [
    { op: 'AddTable', table: name, kind, ...(kind === 'topLevel' ? { primaryKey } : {}) },
    { op: 'AddColumn', table: name, field: 'label', column: label },
  ];
}

const stars = {
  op: 'AddColumn',
  table: 'item',
  field: 'stars',
  column: { type: 'int', nullable: true, collection: 'single' },
} as const;

test('tables and columns are made, and synced after a restart too', async () => {
  const at = await SchemaBench.started(bench, { applyRealmSchemaChangesToPostgres: true });
  at.device.replica.write([
    ...newClass('note'),
    ...create(int(1), { label: text('device') }, 'note'),
    stars,
    ...set(int(1), { stars: int(5) }),
  ]);
  await at.untilSame('item', 'name, stars');
  await at.untilSame('note', 'label');
  await at.stop();
  at.device.replica.write([
    ...create(int(2), { label: text('while stopped') }, 'note'),
    ...set(int(2), { stars: int(4) }),
  ]);
  await at.sql(`INSERT INTO note VALUES (3, 'sql while stopped'); UPDATE item SET stars = 3 WHERE id = 3`);
  await at.start();
  await at.untilSame('note', 'label');
  await at.untilSame('item', 'name, stars');
  expect(await at.sql('SELECT count(*) FROM note')).toEqual([{ count: '3' }]);
  expect(await at.sql('SELECT stars FROM item WHERE id IN (1, 2, 3) ORDER BY id')).toEqual([
    { stars: '5' },
    { stars: '4' },
    { stars: '3' },
  ]);
});

test('a table that was there already brings its rows, too', async () => {
  const at = await SchemaBench.started(bench, { applyRealmSchemaChangesToPostgres: true });
  await at.sql(
    `CREATE TABLE note (id integer PRIMARY KEY, label text); INSERT INTO note VALUES (1, 'sql'), (2, 'sql')`,
  );
  at.device.replica.write([...newClass('note'), ...create(int(2), { label: text('device') }, 'note')]);
  await at.untilSame('note', 'label');
  expect(await at.sql('SELECT * FROM note ORDER BY id')).toEqual([
    { id: '1', label: 'sql' },
    { id: '2', label: 'device' },
  ]);
});

test('a class that the database cannot take is named, and stops nothing', async () => {
  const at = await SchemaBench.started(bench, { applyRealmSchemaChangesToPostgres: true });
  await at.sql(`CREATE TABLE note (id integer PRIMARY KEY, label inet)`);
  at.device.replica.write([...newClass('note'), ...create(int(1), { label: text('x') }, 'note')]);
  at.device.replica.write([...newClass('other'), ...create(int(1), { label: text('y') }, 'other')]);
  at.device.replica.write(set(int(1), { name: text('goes on') }));
  await at.untilSame('item', 'name, amount');
  await expect.poll(() => at.sql('SELECT name FROM item WHERE id = 1'), POLL).toEqual([{ name: 'goes on' }]);
});

test('where it is not allowed, the class is named and nothing stops', async () => {
  const at = await SchemaBench.started(bench);
  at.device.replica.write([
    ...newClass('note'),
    ...create(int(1), { label: text('device') }, 'note'),
    stars,
    ...set(int(1), { stars: int(5), name: text('goes on') }),
  ]);
  const line = await at.place.untilLogged(/have no place in the database and stay in the realm/);
  expect(line).toContain('note');
  expect(line).toContain('item');
  await at.untilSame('item', 'name, amount');
  expect(await at.sql('SELECT name FROM item WHERE id = 1')).toEqual([{ name: 'goes on' }]);
});
