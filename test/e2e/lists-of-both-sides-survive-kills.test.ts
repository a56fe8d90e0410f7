/** Lists that both sides change while the adapter is killed, in PostgreSQL. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Bench } from './bad-input.ts';
import { describeListsThroughKills } from './lists-through-kills.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

/** Foreign keys and primary keys that somebody else was faster with, deadlocks. */
const RACES: readonly unknown[] = ['23503', '23505', '40001', '40P01'];

describeListsThroughKills({
  listTable: 'line_stops',
  place: async (tables) => {
    const place = await bench.place(tables);
    return {
      sql: (text) => place.sql(text),
      device: () => place.device(),
      load: (schema) => place.loader({ schema }).init(),
      adapter: (schema) => place.command('adapter', { schema }),
      lostRace: (error) => error instanceof Error && 'code' in error && RACES.includes(error.code),
    };
  },
});
