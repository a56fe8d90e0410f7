import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeChangeset, encodeChangeset } from '../../src/changeset/codec.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { Api } from './support/api.ts';
import {
  createChangeset,
  entriesOf,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { ADMIN, startTestServer, temporaryDirectory } from './support/test-server.ts';

const SCHEMA_WITH_DATA: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: 'T',
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  {
    op: 'AddColumn',
    table: 'T',
    field: 'd',
    column: { type: 'data', nullable: false, collection: 'single' },
  },
];

async function developmentServer(limits = {}) {
  const server = await startTestServer({ development: true, limits });
  const { accessToken: token } = await new Api(server.url).anonymous();
  return { server, connect: () => RawClient.connect({ url: server.url, token }) };
}

test('only the newest of the MARKs that wait is answered, after everything was sent', async () => {
  const { connect } = await developmentServer({ download: 1 });
  const writer = await connect();
  await writer.bindNew(1, '"x"');
  const body = Buffer.concat([
    uploadEntry(2, 0, SCHEMA_CHANGESET),
    ...Array.from({ length: 20 }, (_, id) => uploadEntry(3 + id, 0, createChangeset(id))),
  ]);
  writer.send(uploadHead(1, body, '22 0'), body);
  await writer.downloadUpTo(21);

  const reader = await connect();
  reader.send('bind 1 3 0 1 0', '"x"');
  const [, , ident, salt] = (await reader.next('ident')).fields;
  reader.send(`ident 1 ${ident} ${salt} 0 0 0 0`);
  for (const request of [1, 2, 3]) reader.send(`mark 1 ${request}`);
  const entries = await reader.downloadUpTo(21);
  expect(entries.map(({ serverVersion }) => serverVersion)).toEqual(
    Array.from({ length: 21 }, (_, i) => i + 1),
  );
  expect((await reader.next('mark')).fields).toEqual(['mark', '1', '3']);
});

// So small backlogs that sockets are paused again and again.
const SMALL_BACKLOGS = [
  { uploadBacklog: 100 },
  { serverBacklog: 100 },
  { uploadBacklog: 0, serverBacklog: 0 },
];

test.each(SMALL_BACKLOGS)(
  'a stream of uploads is integrated in order and acknowledged, with %o',
  async (limits) => {
    const { connect } = await developmentServer({ ...limits, integratedTogether: 64 });
    const writer = await connect();
    const reader = await connect();
    await writer.bindNew(1, '"x"');
    await reader.bindNew(1, '"x"');
    const first = uploadEntry(2, 0, SCHEMA_CHANGESET);
    writer.send(uploadHead(1, first, '2 0'), first);
    const count = 60;
    for (let id = 0; id < count; id++) {
      const body = uploadEntry(3 + id, 0, createChangeset(id));
      if (id % 2 === 0) {
        writer.send(uploadHead(1, body, `${3 + id} 0`), body);
      } else {
        const deflated = deflateSync(body, { level: 1 });
        writer.send(`upload 1 1 ${body.length} ${deflated.length} ${3 + id} 0 0`, deflated);
      }
    }
    const entries = await reader.downloadUpTo(count + 1);
    expect(entries.slice(1).map(({ changeset }) => changeset)).toEqual(
      Array.from({ length: count }, (_, id) => createChangeset(id)),
    );
    let acknowledged = 0;
    while (acknowledged < count + 2) acknowledged = Number((await writer.next('download')).fields[6]);
  },
);

test('a client that does not read holds up nobody, and gets everything later', async () => {
  const { connect } = await developmentServer({ download: 64 * 1024, sendBuffer: 64 * 1024 });
  const [writer, slow, fast] = [await connect(), await connect(), await connect()];
  for (const client of [writer, slow, fast]) await client.bindNew(1, '"x"');
  slow.socket.pause();
  const count = 200;
  for (let index = 0; index < count; index++) {
    const key = { type: 'int', value: BigInt(index) } as const;
    const changeset = encodeChangeset([
      ...(index === 0 ? SCHEMA_WITH_DATA : []),
      { op: 'CreateObject', table: 'T', key },
      {
        op: 'Update',
        table: 'T',
        key,
        field: 'd',
        path: [],
        // Random, so that it cannot be deflated into the buffers of the socket.
        value: { type: 'data', value: randomBytes(64 * 1024) },
        isDefault: false,
      },
    ]);
    const body = uploadEntry(2 + index, 0, Buffer.from(changeset).toString('hex'));
    writer.send(uploadHead(1, body, `${2 + index} 0`), body);
  }
  expect(await fast.downloadUpTo(count)).toHaveLength(count);
  expect(slow.frames.length).toBeLessThan(count);
  slow.socket.resume();
  expect(await slow.downloadUpTo(count)).toHaveLength(count);
});

test('uploads before UNBIND are kept, and UNBIND is answered', async () => {
  const { connect } = await developmentServer();
  const client = await connect();
  const file = await client.bindNew(1, '"x"');
  const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
  client.send(uploadHead(1, body, '2 0'), body);
  client.send('unbind 1');
  let frame = await client.nextOfAny();
  while (frame.fields[0] === 'download') frame = await client.nextOfAny();
  expect(frame.head).toBe('unbound 1');
  client.send('bind 1 3 0 0 0', '"x"');
  client.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
  expect((await client.next('download')).fields.slice(2, 8).filter((_, i) => i !== 3)).toEqual([
    '1',
    '2',
    '1',
    '2',
    '0',
  ]);
});

test('an upload sent again after a lost acknowledgement changes nothing', async () => {
  const { connect } = await developmentServer();
  const client = await connect();
  const file = await client.bindNew(1, '"x"');
  const body = Buffer.concat([uploadEntry(2, 0, SCHEMA_CHANGESET), uploadEntry(3, 0, createChangeset(1))]);
  client.send(uploadHead(1, body, '3 0'), body);
  await client.downloadUpTo(2);
  client.socket.terminate();

  const again = await connect();
  again.send('bind 1 3 0 0 0', '"x"');
  again.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
  expect((await again.next('download')).fields.slice(2, 4)).toEqual(['2', '3']);
  const more = Buffer.concat([body, uploadEntry(4, 0, createChangeset(2))]);
  again.send(uploadHead(1, more, '4 0'), more);
  expect((await again.next('download')).fields.slice(2, 4)).toEqual(['3', '4']);
});

test('a client that comes back replaces its own dead connection', async () => {
  const { connect } = await developmentServer();
  const dead = await connect();
  const file = await dead.bindNew(1, '"x"');
  const alive = await connect();
  alive.send('bind 1 3 0 0 0', '"x"');
  alive.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
  await alive.next('download');
  expect((await dead.closed).code).toBe(1006);
  await alive.settle();
});

test('one client file cannot be bound twice on a connection', async () => {
  const { connect } = await developmentServer();
  const client = await connect();
  const file = await client.bindNew(1, '"x"');
  client.send('bind 2 3 0 0 0', '"x"');
  client.send(`ident 2 ${file.ident} ${file.salt} 0 0 0 0`);
  expect((await client.next('json_error')).fields.slice(0, 2)).toEqual(['json_error', '108']);
});

test('a client file can be bound anew without waiting for UNBOUND, while its last upload is being integrated', async () => {
  const { connect } = await developmentServer();
  const client = await connect();
  const file = await client.bindNew(1, '"x"');
  const entries = Array.from({ length: 60 }, (_, id) => uploadEntry(3 + id, 0, createChangeset(id)));
  const body = Buffer.concat([uploadEntry(2, 0, SCHEMA_CHANGESET), ...entries]);
  client.send(uploadHead(1, body, '62 0'), body);
  client.send('unbind 1');
  client.send('bind 2 3 0 0 0', '"x"');
  client.send(`ident 2 ${file.ident} ${file.salt} 0 0 0 0`);
  client.send('mark 2 1');
  const heads: string[] = [];
  for (let frame = await client.nextOfAny(); frame.fields[0] !== 'mark'; frame = await client.nextOfAny()) {
    heads.push(frame.fields.slice(0, 2).join(' '));
    // What was uploaded before is known when the new session begins.
    if (heads.at(-1) === 'download 2') expect(frame.fields[6]).toBe('62');
  }
  expect(heads).toContain('unbound 1');
  expect(heads.at(-1)).toBe('download 2');
});

test('large downloads are deflated', async () => {
  const { connect } = await developmentServer();
  const writer = await connect();
  await writer.bindNew(1, '"x"');
  const entries = Array.from({ length: 60 }, (_, id) => uploadEntry(3 + id, 0, createChangeset(id)));
  const body = Buffer.concat([uploadEntry(2, 0, SCHEMA_CHANGESET), ...entries]);
  writer.send(uploadHead(1, body, '62 0'), body);
  await writer.downloadUpTo(61);
  const { download } = await (await connect()).bindNew(1, '"x"');
  expect(download.fields.at(-3)).toBe('1');
  expect(download.body[0]).toBe(0x78);
  expect(entriesOf(download)).toHaveLength(61);
});

test('every realm is listed in /__admin, and new ones arrive there through sync', async () => {
  const dataDirectory = await temporaryDirectory();
  const server = await startTestServer({ dataDirectory, development: true, flexibleSync: false });
  const api = new Api(server.url);
  const admin = await api.withPassword(ADMIN.user, ADMIN.password);
  const user = await api.anonymous();
  const watcher = await RawClient.connect({ url: server.url, token: admin.accessToken });
  const schema = entriesOf((await watcher.bindNew(1, '"/__admin"')).download);
  expect(schema.map(({ originFileIdent }) => originFileIdent)).toEqual([1]);

  const client = await RawClient.connect({ url: server.url, token: user.accessToken });
  for (const [index, partition] of ['"/~/todo"', '5', '"/~/todo"'].entries()) {
    await client.bindNew(index + 1, partition);
  }
  const listed = await watcher.downloadUpTo(3);
  const paths = listed.flatMap(({ changeset }) =>
    decodeChangeset(Buffer.from(changeset, 'hex')).instructions.flatMap((instruction) =>
      instruction.op === 'CreateObject' && instruction.key.type === 'string' ? [instruction.key.value] : [],
    ),
  );
  expect(paths).toEqual([`/${user.userId}/todo`, '/__partition/int/5']);
  const owners = listed.flatMap(({ changeset }) =>
    decodeChangeset(Buffer.from(changeset, 'hex')).instructions.filter(
      (instruction) => instruction.op === 'Update' && instruction.field === 'ownerId',
    ),
  );
  expect(owners).toMatchObject([{ value: { type: 'string', value: user.userId } }]);
  await server.close();

  const restarted = await startTestServer({ dataDirectory, development: true, flexibleSync: false });
  const again = await RawClient.connect({ url: restarted.url, token: admin.accessToken });
  expect((await again.bindNew(1, '"/__admin"')).download.fields[2]).toBe('3');
});
