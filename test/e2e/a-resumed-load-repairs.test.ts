/** `isthmus load --resume`: whatever became of slot and database, both sides agree again, and nobody's work is lost. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { embedded } from '../support/postgres.ts';
import { Bench, create, failure, int, type Place, set, text, until, untilObjects } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const row = (id: string, name: string) => ({ id, name, amount: null });

async function dropSlot(place: Place): Promise<void> {
  await until(async () => {
    const dropped = await place
      .sql(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${place.slot}';
         SELECT pg_drop_replication_slot('${place.slot}')`,
      )
      .catch(() => undefined); // held until the server has noticed, or taken again by the adapter
    return dropped !== undefined;
  });
}

test('changes of devices that no adapter has applied yet are kept, and those of the tables arrive', async () => {
  const place = await bench.place();
  const { adapter, device } = await place.synced();
  device.replica.write(create(int(1), { name: text('one') }));
  await place.untilRows([row('1', 'one')]);
  await adapter.close();
  await dropSlot(place);
  await place.sql(`SELECT pg_create_logical_replication_slot('${place.slot}', 'pgoutput')`);
  await place.sql("UPDATE item SET amount = 5 WHERE id = 1; INSERT INTO item VALUES (2, 'sql')");
  device.replica.write([
    ...set(int(1), { name: text('changed') }),
    ...create(int(3), { name: text('device') }),
  ]);
  await device.session.uploadCompletion();

  const refused = place.command('adapter');
  expect(await refused.exited).toBe(3);
  expect(refused.log).toContain('isthmus load --resume');

  expect((await failure(place.loader().init())).message).toContain('those in between were missed');

  const resumed = place.command('load', {}, {}, ['--resume']);
  expect(await resumed.exited).toBe(0);
  await place.started();
  const both = [
    { id: '1', name: 'changed', amount: '5' },
    { id: '2', name: 'sql', amount: null },
    { id: '3', name: 'device', amount: null },
  ];
  await place.untilRows(both);
  await untilObjects(device, both);
});

test('what was written to the tables without being shown back does not hide later changes there', async () => {
  const place = await bench.place();
  const { adapter, device } = await place.synced();
  const stopped = failure(adapter.done);
  await dropSlot(place);
  expect((await stopped).code).toBe('postgres-feed-lost');
  // The feed has stopped; until somebody closes the adapter, devices' changes still reach the tables.
  device.replica.write(create(int(1), { name: text('device') }));
  await place.untilRows([row('1', 'device')]);
  await adapter.close();
  await place.loader().init({ resume: true });
  await place.started();
  await place.sql("UPDATE item SET name = 'sql' WHERE id = 1");
  await untilObjects(device, [row('1', 'sql')]);
});

test('a database that was made anew under its name is not loaded over the realms unless told to', async () => {
  const place = await bench.place();
  const { adapter, device } = await place.synced();
  device.replica.write(create(int(1), { name: text('one') }));
  await place.untilRows([row('1', 'one')]);
  await adapter.close();
  await dropSlot(place);
  const { database } = place;
  await bench.postgres.query('postgres', `DROP DATABASE ${database} WITH (FORCE)`);
  await bench.postgres.query('postgres', `CREATE DATABASE ${database}`);
  await place.sql('CREATE TABLE item (id integer PRIMARY KEY, name varchar(10) NOT NULL, amount integer)');
  await place.sql("INSERT INTO item VALUES (9, 'restored')");

  for (const attempt of [() => place.adapter().start(), () => place.loader().init()]) {
    const error = await failure(attempt());
    expect(error.code).toBe('postgres-feed-lost');
    expect(error.message).toContain('made anew under its name');
    expect(error.remedy).toContain('isthmus load --resume');
  }
  await untilObjects(device, [row('1', 'one')]);

  await place.loader().init({ resume: true });
  await place.started();
  await untilObjects(device, [row('9', 'restored')]);
  await place.untilRows([row('9', 'restored')]);
});

const ALTERATIONS: readonly (readonly [what: string, statement: string])[] = [
  ['lacks the table', 'SET TABLE isthmus.checkpoint'],
  ['publishes only deletions', "SET (publish = 'delete')"],
  // Since version 15; the embedded server is newer.
  ...(embedded ? [['leaves out rows', 'SET TABLE isthmus.checkpoint, item WHERE (id > 5)'] as const] : []),
];

for (const [what, statement] of ALTERATIONS) {
  test(`a publication that somebody altered so that it ${what} is mended, and what it left out arrives`, async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced();
    await adapter.close();
    await place.sql(`ALTER PUBLICATION ${place.slot} ${statement}`);
    await place.sql("INSERT INTO item VALUES (1, 'missed')");
    await place.started();
    await untilObjects(device, [row('1', 'missed')]);
  });
}
