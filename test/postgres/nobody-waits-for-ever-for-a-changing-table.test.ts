/** A snapshot of ours holds up a change of a table, which holds up what asks for its rows: that must not last. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { dialectFor, tablesOf } from './feed-harness.ts';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

test('asking for rows gives up, for a while, when a change of the table waits for a snapshot', async () => {
  const database = await server.createDatabase();
  await server.query(
    database,
    'CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1)',
  );
  const dialect = dialectFor(server, database);
  const [item] = await tablesOf(dialect, 'item');
  if (item === undefined) throw new Error('no table');
  const snapshot = await dialect.openSnapshot();
  for await (const rows of snapshot.rows(item, ['id'], undefined)) expect(rows).toEqual([['1']]);
  const owner = new pg.Client({ connectionString: server.url(database) });
  await owner.connect();
  const change = owner.query('ALTER TABLE item ALTER id TYPE bigint');
  await vi.waitFor(async () => {
    const waiting = await server.query(
      database,
      "SELECT 1 AS one FROM pg_locks WHERE NOT granted AND relation = 'item'::regclass",
    );
    expect(waiting).toHaveLength(1);
  });
  const refused = await dialect.fetchRows(item, ['id'], [['1']]).catch((error: unknown) => error);
  expect(dialect.isTransient(refused)).toBe(true);
  await snapshot.close();
  await change;
  expect(await dialect.fetchRows(item, ['id'], [['1']])).toEqual([['1']]);
  await owner.end();
  await dialect.close();
});
