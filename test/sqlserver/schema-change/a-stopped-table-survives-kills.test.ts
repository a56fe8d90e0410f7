/** What is held and compared for a stopped table while the adapter is killed, in SQL Server. */
import { describeStoppedTablesThroughKills } from '../../e2e/stopped-tables-through-kills.ts';
import { benchSuite } from '../bench.ts';

const bench = benchSuite();

describeStoppedTablesThroughKills(async (tables) => {
  const place = await bench().place(tables);
  const options = { createSQLServerSchema: false, schemaCheckInterval: 1, ignoreSQLerrors: false };
  return {
    sql: (text) => place.sql(text),
    device: () => place.device(),
    load: (schema) => place.load({}, { ...options, schema }),
    adapter: (schema) => place.command('adapter', { ...options, schema }),
    rename: (from, to) => place.sql(`EXEC sp_rename 'dbo.item.${from}', '${to}', 'COLUMN'`),
  };
});
