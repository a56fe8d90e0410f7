/** Lists whose members a foreign key tells, in SQL Server. */
import { describeListsAreVerified } from '../../e2e/verify-lists.ts';
import { benchSuite } from '../bench.ts';

const bench = benchSuite();

describeListsAreVerified({
  listTable: '__line__stops',
  numbered: 'int IDENTITY',
  place: async (tables) => {
    const place = await bench().place(tables);
    return {
      sql: (text) => place.sql(text),
      device: () => place.device(),
      load: (schema) => place.load({}, { schema }),
      verify: (schema, request) => place.verify(request, { schema }),
      start: (schema) => place.started({ schema }),
    };
  },
});
