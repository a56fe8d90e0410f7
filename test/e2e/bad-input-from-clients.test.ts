/** What clients say to the object server while an adapter watches every realm: it and all others go on. */
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { Api } from '../server/support/api.ts';
import { RawClient, uploadHead } from '../server/support/raw-client.ts';
import type { Device } from '../support/isthmus-processes.ts';
import { Bench, create, failure, int, type Place, text, until, untilObjects } from './bad-input.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

/** An adapter of every realm of a place, which brings the rows to one of them. */
function watchAll(place: Place): Partial<PostgresOptions> {
  return { realmRegex: `^${place.path}(/|$)`, mapPostgresChangeToRealmPath: () => place.path };
}

async function expectBothWays(place: Place, device: Device, key: number): Promise<void> {
  device.replica.write(create(int(key), { name: text('device') }));
  await until(async () => (await place.sql('SELECT id FROM item WHERE id = $1', [key])).length === 1);
  await place.sql('INSERT INTO item VALUES ($1, $2)', [key + 1, 'sql']);
  await until(() => device.replica.object('item', int(key + 1)) !== undefined);
}

async function rawClient(): Promise<RawClient> {
  const { accessToken } = await new Api(bench.server.url).anonymous();
  return RawClient.connect({ url: bench.server.url, token: accessToken });
}

const TABLE = 'item';
const OTHER_KEY: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: TABLE,
    kind: 'topLevel',
    primaryKey: { field: 'id', type: 'string', nullable: false },
  },
];
const OTHER_TYPE: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: TABLE,
    kind: 'topLevel',
    primaryKey: { field: 'id', type: 'int', nullable: false },
  },
  {
    op: 'AddColumn',
    table: TABLE,
    field: 'name',
    column: { type: 'int', nullable: false, collection: 'single' },
  },
];

test('names of realms that are none are refused, and odd ones that are some are synced', async () => {
  const place = await bench.place();
  const everything = { ...watchAll(place), realmRegex: '.*' };
  const { adapter, device } = await place.synced(everything);
  const client = await rawClient();
  let session = 0;
  for (const path of ['/../../etc/passwd', '/a/../b', '/nul\0', `/${'long'.repeat(1000)}`, '']) {
    session += 1;
    const partition = JSON.stringify(path);
    client.send(`bind ${session} ${Buffer.byteLength(partition)} 0 1 0`, partition);
    const { fields } = await client.next('json_error');
    expect(fields[3]).toBe(String(session));
  }
  const odd = await place.device('/odd; DROP TABLE item; -- $1 %s {}/ü');
  await until(() => odd.replica.schema.has(TABLE));
  odd.replica.write(create(int(50), { name: text(`'"$$`) }));
  await until(async () => (await place.sql('SELECT id FROM item WHERE id = 50')).length === 1);
  await expectBothWays(place, device, 1);

  await adapter.close();
  await place.started(everything);
  await expectBothWays(place, device, 10);
});

test('garbage and bombs end their own connection only', async () => {
  const place = await bench.place();
  const { device } = await place.synced(watchAll(place));
  const bomb = deflateSync(Buffer.alloc(512 * 1024 * 1024));
  const says: ((client: RawClient) => void)[] = [
    (client) => client.sendRaw(Buffer.alloc(100_000, 0xff)),
    (client) => client.send('bogus 1'),
    (client) => client.send(`upload 1 1 ${512 * 1024 * 1024} ${bomb.length} 2 0 0`, bomb),
    (client) =>
      client.send(uploadHead(1, Buffer.from('1 0 0 0 5 \xff\xff\xff'), '2 0'), '1 0 0 0 5 \xff\xff\xff'),
  ];
  for (const say of says) {
    const client = await rawClient();
    await client.bindNew(1, JSON.stringify(`${place.path}/garbage`));
    say(client);
    await until(() => client.frames.some(({ fields }) => fields[0] === 'json_error'));
  }
  await expectBothWays(place, device, 1);
});

describe('a schema change that cannot be', () => {
  test.each([
    ['a property of another type', OTHER_TYPE, /property item\.name: is a required string .* required int/],
    ['a class with another key', OTHER_KEY, /class item: its primary key is id \(int\) .* id \(string\)/],
  ])('%s: its client is told, the realm and the others go on', async (_what, instructions, told) => {
    const place = await bench.place();
    const { device } = await place.synced(watchAll(place));
    const wrong = await place.unsyncedDevice();
    wrong.replica.write(instructions);
    const error = await failure(wrong.session.uploadCompletion());
    expect(error.code).toBe('sync-session-failed');
    expect(error.message).toMatch(told);
    await expectBothWays(place, device, 1);
    await untilObjects(device, [
      { id: '1', name: 'device', amount: null },
      { id: '2', name: 'sql', amount: null },
    ]);
  });

  test('a realm whose classes are not those of the models is left out, and the others go on', async () => {
    const place = await bench.place();
    const { adapter, device } = await place.synced(watchAll(place));
    const strange = await place.unsyncedDevice(`${place.path}/strange`);
    strange.replica.write([...OTHER_TYPE, ...create(int(9), { name: int(9) })]);
    await strange.session.uploadCompletion();
    await place.untilLogged(/^error A realm is not synced any more.*strange.*property item\.name/);
    await expectBothWays(place, device, 1);
    await adapter.close();
    await place.started(watchAll(place));
    await expectBothWays(place, device, 10);
    expect(await place.sql('SELECT id FROM item WHERE id = 9')).toEqual([]);
  });
});
