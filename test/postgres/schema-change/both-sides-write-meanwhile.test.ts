/** Random writes of both sides through one change of the table after another, some of them while nothing runs: in the end every row equals its object. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Bench, create, int, set, text } from '../../e2e/bad-input.ts';
import { Random, testSeed } from '../../support/random.ts';
import { SchemaBench } from './schema-bench.ts';

const KEYS = 60;
const WRITES = 12;

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

/** What is done to the table, what the key and the amount are called by then, and whether the class still fits. */
const STEPS = [
  { sql: 'ALTER TABLE item ALTER amount TYPE bigint USING amount + 1', key: 'id' },
  { sql: 'ALTER TABLE item RENAME id TO number', key: 'number' },
  { sql: 'ALTER TABLE item RENAME number TO id', key: 'id' },
  { sql: 'ALTER TABLE item ADD note text DEFAULT $$n$$', key: 'id' },
  { sql: 'ALTER TABLE item ALTER amount TYPE text', key: 'id' },
  { sql: 'ALTER TABLE item ALTER amount TYPE integer USING amount::integer', key: 'id' },
  {
    sql: `BEGIN; CREATE TABLE other AS SELECT * FROM item; DROP TABLE item CASCADE;
      CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, amount integer);
      INSERT INTO item SELECT id, name, amount FROM other; DROP TABLE other; COMMIT`,
    key: 'id',
  },
] as const;

test('every row equals its object after all changes', async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const at = await SchemaBench.started(bench);
  const amount = (): number => random.below(1000);
  const device = (): void => {
    const key = int(1 + random.below(KEYS));
    const exists = at.device.replica.object('item', key) !== undefined;
    if (!exists) at.device.replica.write(create(key, { name: text(`d${amount()}`), amount: int(amount()) }));
    else if (random.below(5) === 0) at.device.replica.write([{ op: 'EraseObject', table: 'item', key }]);
    else if (random.below(2) === 0) at.device.replica.write(set(key, { name: text(`d${amount()}`) }));
    else at.device.replica.write(set(key, { amount: int(amount()) }));
  };
  const database = async (key: string): Promise<void> => {
    const id = 1 + random.below(KEYS);
    const statements = [
      `UPDATE item SET name = 's${amount()}' WHERE ${key} = ${id}`,
      `UPDATE item SET amount = ${amount()} WHERE ${key} = ${id}`,
      `UPDATE tag SET item = NULL WHERE item = ${id}; DELETE FROM item WHERE ${key} = ${id}`,
      `INSERT INTO item (${key}, name, amount) VALUES (${id}, 's${amount()}', ${amount()}) ON CONFLICT DO NOTHING`,
    ];
    await at.sql(statements[random.below(statements.length)] ?? '');
  };
  const write = async (key: string): Promise<void> => {
    for (let count = 0; count < WRITES; count += 1) {
      device();
      await database(key);
    }
  };
  try {
    await write('id');
    for (const { sql, key } of STEPS) {
      const isAway = random.chance(0.3);
      if (isAway) await at.stop();
      await at.sql(sql);
      await write(key);
      if (isAway) await at.start();
    }
    await at.untilSame('item', 'name, amount');
    await at.untilSame('tag', 'label');
    expect(at.device.replica.count('item')).toBeGreaterThan(0);
  } catch (error) {
    throw new Error(`with ISTHMUS_TEST_SEED=${seed}\n${at.place.log.join('\n')}`, { cause: error });
  }
});
