/** `isthmus load` brings what was never loaded and leaves the rest alone; it compares everything when nothing is new. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Bench, create, failure, int, set, text } from '../../e2e/bad-input.ts';
import { item, MODELS, SchemaBench } from './schema-bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

test('a class that was added to the models is loaded alone; a further load compares all, or what it is told', async () => {
  const at = await SchemaBench.started(bench, { schema: [item] });
  await at.stop();
  expect(await at.load({}, { schema: MODELS })).toEqual(['tag']);
  expect(at.place.log.join('\n')).toContain('Loading a part of the tables');
  expect(await at.load()).toEqual(['item', 'tag']);
  expect(await at.load({ only: ['item'] })).toEqual(['item']);
  expect((await failure(at.load({ only: ['items'] }))).message).toContain('did you mean item?');
  await at.start();
  await at.sql(`UPDATE tag SET label = 'sql' WHERE id = 1`);
  at.device.replica.write(set(int(2), { label: text('device') }, 'tag'));
  await at.untilSame('tag', 'label');
  await at.untilSame('item', 'name, amount');
});

test('all tables are compared on demand, whatever is new', async () => {
  const at = await SchemaBench.started(bench, { schema: [item] });
  await at.stop();
  expect(await at.load({ compare: true }, { schema: MODELS })).toEqual(['item', 'tag']);
});

test('a table whose changes went unnoticed is loaded alone, with what devices changed meanwhile', async () => {
  const at = await SchemaBench.started(bench);
  await at.stop();
  at.device.replica.write(create(int(50), { name: text('device'), amount: int(1) }));
  await at.device.session.uploadCompletion();
  await at.sql(
    `ALTER PUBLICATION "${at.place.slot}" DROP TABLE item; UPDATE item SET amount = -1 WHERE id < 10`,
  );
  expect(await at.load()).toEqual(['item']);
  await at.start();
  await at.untilSame('item', 'name, amount');
  await at.untilSame('tag', 'label');
});

test('a stopped table is left out, and the others are loaded', async () => {
  const at = await SchemaBench.started(bench);
  await at.stop();
  await at.sql('ALTER TABLE item RENAME id TO number');
  expect(await at.load({ compare: true })).toEqual(['tag']);
  expect(at.place.log.join('\n')).toContain('A table is not synced any more');
  await at.sql('ALTER TABLE item RENAME number TO id; UPDATE item SET amount = 7 WHERE id = 7');
  expect(await at.load()).toEqual(['item']);
  await at.start();
  await at.untilSame('item', 'name, amount');
});
