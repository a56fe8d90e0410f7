/** Lists whose members a foreign key tells, in PostgreSQL. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Bench } from './bad-input.ts';
import { verify } from './verify.ts';
import { describeListsAreVerified } from './verify-lists.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

describeListsAreVerified({
  listTable: 'line_stops',
  numbered: 'serial',
  place: async (tables) => {
    const place = await bench.place(tables);
    return {
      sql: (text) => place.sql(text),
      device: () => place.device(),
      load: (schema) => place.loader({ schema }).init(),
      verify: (schema, request) => verify(place.options({ schema }), request),
      start: (schema) => place.started({ schema }),
    };
  },
});
