/** The log holds no generated columns: their values are asked for whenever a row changes, and never written. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { AdapterSuite } from '../../support/adapter-suite.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const suite = new AdapterSuite();
beforeAll(() => suite.start());
afterEach(() => suite.closeOpened());
afterAll(() => suite.stop());

const item = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', amount: 'int', price: 'int', total: 'int?', label: 'string?' },
};

const VIRTUAL_SINCE = 180_000;

it.for(['STORED', 'VIRTUAL'])('%s', async (kind, { skip }) => {
  const database = await suite.postgres.createDatabase();
  const [version] = await suite.postgres.query(database, 'SHOW server_version_num');
  if (kind === 'VIRTUAL' && Number(version?.server_version_num) < VIRTUAL_SINCE)
    skip('the server knows no virtual columns');
  await suite.postgres.query(
    database,
    `CREATE TABLE item (id bigint PRIMARY KEY, amount int NOT NULL, price int NOT NULL,
       total bigint GENERATED ALWAYS AS (amount::bigint * price) ${kind}, label text);
     INSERT INTO item VALUES (1, 2, 10)`,
  );
  const path = `/generated-${kind.toLowerCase()}`;
  const options = suite.options(database, {
    realmRegex: path,
    mapPostgresChangeToRealmPath: path,
    schema: [item],
  });
  await suite.load(options);
  await suite.adapter(options);
  const { realm } = await suite.device(path, [item]);
  const totals = (): unknown[] =>
    [...realm.objects('item')].map(({ id, total }) => [Number(id), Number(total)]).sort();

  await vi.waitFor(() => expect(totals()).toEqual([[1, 20]]), WAIT);
  await suite.postgres.query(database, 'UPDATE item SET amount = 3; INSERT INTO item VALUES (2, 5, 5)');
  await vi.waitFor(
    () =>
      expect(totals()).toEqual([
        [1, 30],
        [2, 25],
      ]),
    WAIT,
  );
  realm.write(() => {
    const second = realm.objectForPrimaryKey('item', 2);
    if (second !== undefined && second !== null) second.amount = 7;
    realm.create('item', { id: 3, amount: 1, price: 9 });
  });
  await vi.waitFor(
    () =>
      expect(totals()).toEqual([
        [1, 30],
        [2, 35],
        [3, 9],
      ]),
    WAIT,
  );
  const stored = await suite.postgres.query(database, 'SELECT id, total FROM item ORDER BY id');
  expect(stored.map(({ total }) => total)).toEqual(['30', '35', '9']);
});
