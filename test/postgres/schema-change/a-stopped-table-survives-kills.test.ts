/** What is held and compared for a stopped table while the adapter is killed, in PostgreSQL. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Bench } from '../../e2e/bad-input.ts';
import { describeStoppedTablesThroughKills } from '../../e2e/stopped-tables-through-kills.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

describeStoppedTablesThroughKills(async (tables) => {
  const place = await bench.place(tables);
  const options = { createPostgresSchema: false, schemaCheckInterval: 1, ignoreSQLerrors: false };
  return {
    sql: (text) => place.sql(text),
    device: () => place.device(),
    load: (schema) => place.loader({ ...options, schema }).init(),
    adapter: (schema) => place.command('adapter', { ...options, schema }),
    rename: (from, to) => place.sql(`ALTER TABLE item RENAME ${from} TO ${to}`),
  };
});
