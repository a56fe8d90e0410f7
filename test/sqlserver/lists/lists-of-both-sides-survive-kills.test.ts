/** Lists that both sides change while the adapter is killed, in SQL Server. */
import { describeListsThroughKills } from '../../e2e/lists-through-kills.ts';
import { benchSuite } from '../bench.ts';

const bench = benchSuite();

/** Foreign keys and primary keys that somebody else was faster with, deadlocks, conflicts of snapshots. */
const RACES: readonly unknown[] = [547, 1205, 1222, 2627, 3960];

describeListsThroughKills({
  listTable: '__line__stops',
  place: async (tables) => {
    const place = await bench().place(tables);
    return {
      sql: (text) => place.sql(text),
      device: () => place.device(),
      load: (schema) => place.load({}, { schema }),
      adapter: (schema) => place.command('adapter', { schema }),
      lostRace: (error) => error instanceof Error && 'number' in error && RACES.includes(error.number),
    };
  },
});
