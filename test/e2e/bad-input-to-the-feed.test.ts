/** A slot, a publication or a whole server that goes away, while the adapter is stopped and while it runs. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { embedded } from '../support/postgres.ts';
import { Bench, create, failure, int, type Place, set, text, until, untilObjects } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

const row = (id: string, name: string) => ({ id, name, amount: null });

/** Loading compares; then both sides agree, also on what was written while nobody followed the log, and go on. */
async function expectRepairByLoad(place: Place, rows: readonly ReturnType<typeof row>[]): Promise<void> {
  await place.loader().init();
  const { device } = await place.synced();
  await untilObjects(device, rows);
  await place.untilRows(rows);
  device.replica.write(create(int(100), { name: text('device') }));
  await place.sql("INSERT INTO item VALUES (101, 'sql')");
  await place.untilRows([...rows, row('100', 'device'), row('101', 'sql')]);
  await untilObjects(device, [...rows, row('100', 'device'), row('101', 'sql')]);
}

async function dropSlot(place: Place): Promise<void> {
  await place.sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    place.slot,
  ]);
  await until(async () => {
    const dropped = await place
      .sql('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [
        place.slot,
      ])
      .catch(() => undefined); // held until the server has noticed, or taken again by the adapter
    return dropped !== undefined;
  });
}

describe('a replication slot that somebody drops', () => {
  test('while the adapter is stopped: exit code 4, and a load repairs', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced();
    device.replica.write(create(int(1), { name: text('kept') }));
    await place.untilRows([row('1', 'kept')]);
    await adapter.close();
    await dropSlot(place);
    await place.sql("INSERT INTO item VALUES (2, 'missed')");

    const stopped = place.command('adapter');
    expect(await stopped.exited).toBe(4);
    expect(stopped.log).toContain('[connector-stopped]');
    expect(stopped.log).toMatch(/change feed of adapter \w+ is gone/);
    expect(stopped.log).toContain('run `isthmus load --resume`');
    expect(stopped.log).not.toContain('    at ');
    // Another start must not forget what the first one found out.
    expect((await failure(place.adapter().start())).code).toBe('connector-stopped');

    await expectRepairByLoad(place, [row('1', 'kept'), row('2', 'missed')]);
  });

  test('while it runs: the adapter stops, and a load repairs', async () => {
    const place = await bench.place();
    const { adapter } = await place.synced();
    const stopped = failure(adapter.done);
    await dropSlot(place);
    const error = await stopped;
    expect(error.code).toBe('postgres-feed-lost');
    expect(error.message).toContain(`the replication slot ${place.slot} does not exist`);
    expect(error.remedy).toContain('run isthmus load --resume');
    await adapter.close();
    await place.sql("INSERT INTO item VALUES (1, 'missed')");
    await expectRepairByLoad(place, [row('1', 'missed')]);
  });

  test('and makes anew under its name: changes that it cannot have are not passed over', async () => {
    const place = await bench.place();
    const { adapter } = await place.synced();
    await adapter.close();
    await dropSlot(place);
    await place.sql("INSERT INTO item VALUES (1, 'missed')");
    await place.sql("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [place.slot]);
    const error = await failure(place.adapter().start());
    expect(error.message).toMatch(/those in between were missed/);
    expect(error.remedy).toContain('resetPostgresReplicationSlot: true');
    await place.loader({ resetPostgresReplicationSlot: true }).init();
    await expectRepairByLoad(place, [row('1', 'missed')]);
  });
});

describe('a publication that somebody drops', () => {
  test('while the adapter is stopped: the start is refused, and a load repairs', async () => {
    const place = await bench.place();
    const { adapter } = await place.synced();
    await adapter.close();
    await place.sql(`DROP PUBLICATION ${place.slot}`);
    await place.sql("INSERT INTO item VALUES (1, 'missed')");
    const error = await failure(place.adapter().start());
    expect(error.code).toBe('connector-stopped');
    expect(error.remedy).toContain('run `isthmus load --resume`');
    await expectRepairByLoad(place, [row('1', 'missed')]);
  });

  test('while it runs: the adapter stops instead of hearing nothing, and a load repairs', async () => {
    const place = await bench.place();
    const running = place.command('adapter');
    await until(() => running.log.includes('The adapter runs'));
    await place.sql(`DROP PUBLICATION ${place.slot}`);
    await place.sql("INSERT INTO item VALUES (1, 'missed')");
    expect(await running.exited).toBe(4);
    expect(running.log).toContain(`the publication of the slot ${place.slot} was dropped`);
    expect(running.log).toContain('run isthmus load --resume');
    expect(running.log).toContain('[postgres-feed-lost]');
    expect(running.log).not.toContain('    at ');
    await expectRepairByLoad(place, [row('1', 'missed')]);
  });
});

describe('two adapters of one name', () => {
  test('with one replica: the second is refused', async () => {
    const place = await bench.place();
    await place.started();
    const error = await failure(place.adapter().start());
    expect(error.code).toBe('replica/locked');
    expect(error.message).toContain(place.directory);
  });

  test('with a replica that was never loaded: the second is refused, as the feed has gone on without it', async () => {
    const place = await bench.place();
    await place.started();
    const second = place.command('adapter', { localPath: `${place.directory}/second` });
    expect(await second.exited).toBe(4);
    expect(second.log).toContain('was read before, but not into the replicas in');
    expect(second.log).toContain('isthmus load --resume');
  });

  test('with two replicas: the second says who holds the slot, writes nothing, and takes over', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced();
    expect(await place.command('load', { localPath: `${place.directory}/second` }).exited).toBe(0);
    const second = place.command('adapter', { localPath: `${place.directory}/second` });
    await until(() =>
      second.log.includes('Waiting for the replication slot, which another connection holds'),
    );
    expect(second.log).toContain('stop the other connector of this adapterName');
    expect(second.log).not.toContain('The adapter runs');
    device.replica.write(create(int(1), { name: text('one') }));
    await place.untilRows([row('1', 'one')]);
    await adapter.close();
    await until(() => second.log.includes('The adapter runs'));
    device.replica.write(create(int(2), { name: text('two') }));
    await place.untilRows([row('1', 'one'), row('2', 'two')]);
    expect(await second.stop()).toBe(0);
  });

  test('a waiting adapter stops when it is told to', async () => {
    const place = await bench.place();
    await place.started();
    for (const name of ['second', 'third']) {
      expect(await place.command('load', { localPath: `${place.directory}/${name}` }).exited).toBe(0);
    }
    const second = place.command('adapter', { localPath: `${place.directory}/second` });
    await until(() =>
      second.log.includes('Waiting for the replication slot, which another connection holds'),
    );
    expect(await second.stop()).toBe(0);
    const third = place.adapter({ localPath: `${place.directory}/third` });
    const never = failure(third.start());
    await place.untilLogged('Waiting for the replication slot');
    await third.close();
    expect((await never).code).toBe('connector-stopped');
    await third.done;
  });
});

describe.runIf(embedded)('a server that goes away', () => {
  test('and comes back: the running adapter waits and carries on with both sides', async () => {
    const place = await bench.place();
    const { device } = await place.synced();
    device.replica.write(create(int(1), { name: text('one') }));
    await place.untilRows([row('1', 'one')]);
    await bench.postgres.crash();
    device.replica.write(create(int(2), { name: text('two') }));
    device.replica.write(set(int(1), { name: text('changed') }));
    await place.untilLogged('The change feed broke off, will connect again');
    await place.untilLogged('Writing to the database failed, will try again');
    await bench.postgres.start();
    await place.sql("INSERT INTO item VALUES (3, 'three')");
    const both = [row('1', 'changed'), row('2', 'two'), row('3', 'three')];
    await place.untilRows(both);
    await untilObjects(device, both);
  });

  test('does not keep the adapter from stopping', async () => {
    const place = await bench.place();
    const running = place.command('adapter');
    await until(() => running.log.includes('The adapter runs'));
    await bench.postgres.crash();
    await until(() => running.log.includes('will connect again'));
    expect(await running.stop()).toBe(0);
    await bench.postgres.start();
  });
});
