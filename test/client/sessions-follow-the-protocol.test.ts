/** The sync client against a server that follows a script (wire-protocol.md §5, §7). */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { decodeChangeset } from '../../src/changeset/codec.ts';
import type { SyncSessionError } from '../../src/client/client-errors.ts';
import { decompressBody } from '../../src/protocol/compression.ts';
import { parseUploadBody } from '../../src/protocol/entry-bodies.ts';
import type { ClientMessage } from '../../src/protocol/messages.ts';
import { received } from '../store/replica/items.ts';
import { createItem, SCHEMA, setItem } from '../store/server/changes.ts';
import { connectClient } from './support/client.ts';
import { ScriptedServer } from './support/scripted-server.ts';

const entriesOf = async (upload: Extract<ClientMessage, { type: 'upload' }>) =>
  parseUploadBody(await decompressBody(upload.body));

test('a session binds, takes its ident, uploads what is there and resolves with the acknowledgement', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/p1');
  replica.write([...SCHEMA, createItem(1)]);
  const session = client.open(replica);
  const connection = await server.connection();
  expect(connection.token).toBe(server.tokens[0]);
  expect(connection.extensions).toBeUndefined();
  expect(connection.offer).toMatch(/^com\.mongodb\.realm-sync#14,\s?com\.mongodb\.realm-sync#13.*#2$/);

  expect(await connection.next('bind')).toMatchObject({ path: '"/p1"', needFileIdent: true, token: '' });
  connection.send({ type: 'ident', session: 1, fileIdent: 2, fileIdentSalt: 99n });
  expect(await connection.next('ident')).toMatchObject({
    fileIdent: 2,
    fileIdentSalt: 99n,
    downloadServerVersion: 0,
  });
  connection.download(1);
  const upload = await connection.next('upload');
  const [entry] = await entriesOf(upload);
  expect(decodeChangeset(entry!.changeset).instructions).toEqual([...SCHEMA, createItem(1)]);

  const uploaded = session.uploadCompletion();
  const downloaded = session.downloadCompletion();
  const mark = await connection.next('mark');
  const uploadClientVersion = upload.progressClientVersion;
  const [set] = [received(2, [setItem(1, 5)], { clientVersion: uploadClientVersion })];
  connection.download(1, {
    downloadServerVersion: 2,
    downloadClientVersion: uploadClientVersion,
    uploadClientVersion,
    entries: [set!],
  });
  await uploaded;
  connection.send({ type: 'mark', session: 1, request: mark.request });
  await downloaded;
  expect(replica.object('Item', { type: 'int', value: 1n })?.fields.get('n')).toEqual({
    type: 'int',
    value: 5n,
  });
  // What was integrated is acknowledged by an upload without entries.
  expect(await connection.next('upload')).toMatchObject({ progressServerVersion: 2, body: { size: 0 } });
  await client.closeSession(session);
  await connection.next('unbind');
});

test('a commit is uploaded at once, several before any is acknowledged', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/p1');
  replica.write(SCHEMA);
  client.open(replica);
  const connection = await server.connection();
  await connection.bindNew();
  await connection.next('upload');
  for (const id of [1, 2, 3]) {
    replica.write([createItem(id)]);
    expect(await entriesOf(await connection.next('upload'))).toHaveLength(1);
  }
});

test('unacknowledged uploads are sent again on a new connection, with the same ident', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/p1');
  replica.write(SCHEMA);
  const session = client.open(replica);
  const first = await server.connection();
  await first.bindNew(5);
  const sent = await first.next('upload');
  const downloaded = session.downloadCompletion();
  await first.next('mark');
  first.socket.terminate();
  const second = await server.connection();
  expect(await second.next('bind')).toMatchObject({ session: 2, needFileIdent: false });
  expect(await second.next('ident')).toMatchObject({ fileIdent: 5 });
  const [mark, again] = [await second.next('mark'), await second.next('upload')];
  expect(await entriesOf(again)).toEqual(await entriesOf(sent));
  second.download(2);
  second.send({ type: 'mark', session: 2, request: mark.request });
  await downloaded;
});

test('unacknowledged bytes are bounded', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/p1');
  const column = { type: 'string', nullable: false, collection: 'single' } as const;
  replica.write([...SCHEMA, { op: 'AddColumn', table: 'Item', field: 'text', column }, createItem(1)]);
  for (let count = 0; count < 12; count++) {
    const value = { type: 'string', value: String(count).repeat(1024 * 1024) } as const;
    const key = { type: 'int', value: 1n } as const;
    replica.write([{ op: 'Update', table: 'Item', key, field: 'text', path: [], value, isDefault: false }]);
  }
  client.open(replica);
  const connection = await server.connection();
  const session = await connection.bindNew();
  let bytes = 0;
  let clientVersion = 0;
  while (bytes < 8 * 1024 * 1024) {
    const upload = await connection.next('upload');
    expect(upload.body.size).toBeLessThan(16 * 1024 * 1024);
    bytes += upload.body.size;
    clientVersion = upload.progressClientVersion;
  }
  connection.send({ type: 'log_message', session: 0, json: '{}' });
  await sleep(100);
  expect(connection.isQuiet).toBe(true);
  connection.download(session, { uploadClientVersion: clientVersion });
  await connection.next('upload');
});

test('to a server on this machine uploads travel as they are', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/p1');
  const column = { type: 'string', nullable: false, collection: 'single' } as const;
  const value = { type: 'string', value: 'a'.repeat(100_000) } as const;
  const update = { op: 'Update', table: 'Item', key: { type: 'int', value: 1n }, field: 'text' } as const;
  replica.write([...SCHEMA, { op: 'AddColumn', table: 'Item', field: 'text', column }, createItem(1)]);
  replica.write([{ ...update, path: [], value, isDefault: false }]);
  client.open(replica);
  const connection = await server.connection();
  await connection.bindNew();
  const { body } = await connection.next('upload');
  expect(body.compressed).toBe(false);
  expect(body.size).toBeGreaterThan(100_000);
});

describe('tokens', () => {
  test('one that the server refuses is renewed once and used at once; then the client backs off', async () => {
    const server = await ScriptedServer.start();
    server.refuse = (token) => (token === server.tokens[0] ? 401 : undefined);
    const { client, store } = await connectClient(server.url);
    client.open(store.replica('/p1'));
    const connection = await server.connection();
    expect(connection.token).toBe(server.tokens[1]);
    expect(server.requests.filter((line) => line.startsWith('WEBSOCKET'))).toEqual([
      'WEBSOCKET 401',
      'WEBSOCKET 101',
    ]);
  });

  test('a server that refuses every token is not asked in a hot loop', async () => {
    const server = await ScriptedServer.start();
    server.refuse = () => 401;
    const backOff = { firstMilliseconds: 60_000, maxMilliseconds: 60_000 };
    const { client, store } = await connectClient(server.url, { backOff });
    client.open(store.replica('/p1'));
    await expect.poll(() => server.tokens.length).toBe(3);
    await sleep(100);
    expect(server.requests.filter((line) => line.startsWith('WEBSOCKET'))).toHaveLength(2);
  });

  test('close code 4001 is answered in the same way', async () => {
    const server = await ScriptedServer.start();
    const { client, store } = await connectClient(server.url);
    client.open(store.replica('/p1'));
    (await server.connection()).socket.close(4001);
    expect((await server.connection()).token).toBe(server.tokens[1]);
  });

  test('one that has expired is renewed before connecting', async () => {
    const server = await ScriptedServer.start();
    server.tokenSeconds = -60;
    const { client, store } = await connectClient(server.url);
    server.tokenSeconds = 60;
    client.open(store.replica('/p1'));
    expect((await server.connection()).token).toBe(server.tokens[1]);
  });

  test('403 ends the sessions; so does a refresh token that is no longer good', async () => {
    const server = await ScriptedServer.start();
    for (const [handshake, refresh] of [
      [403, 201],
      [401, 401],
    ] as const) {
      server.refuse = () => handshake;
      server.refreshStatus = refresh;
      const { client, store } = await connectClient(server.url);
      const failed = new Promise<SyncSessionError>((onFailed) =>
        client.open(store.replica('/p1'), { onFailed }),
      );
      expect((await failed).code).toBe('sync-session-failed');
      server.refuse = () => undefined;
      client.open(store.replica('/p2')); // a later session tries anew
      await server.connection();
    }
  });
});

describe('errors of the server', () => {
  async function bound() {
    const server = await ScriptedServer.start();
    const { client, store } = await connectClient(server.url);
    const replica = store.replica('/p1');
    let failure: SyncSessionError | undefined;
    const session = client.open(replica, { onFailed: (error) => (failure = error) });
    const connection = await server.connection();
    const ident = await connection.bindNew();
    return { server, client, replica, session, connection, ident, failure: () => failure };
  }

  test('with another try allowed, the session is bound again after a while', async () => {
    const { connection, ident } = await bound();
    connection.error(ident, 201, { message: 'busy', tryAgain: true, action: 'Transient' });
    await connection.next('unbind');
    expect(await connection.next('bind')).toMatchObject({ session: ident + 1, needFileIdent: false });
  });

  test('that are final end the session with code and text, and everybody who waits', async () => {
    const { connection, ident, session, failure } = await bound();
    const waiting = session.downloadCompletion();
    waiting.catch(() => {});
    connection.error(ident, 206, { message: 'no right', tryAgain: false, action: 'ApplicationBug' });
    await expect(waiting).rejects.toThrow(/\/p1: no right \(206\)/);
    expect(failure()).toMatchObject({ protocolCode: 206 });
    await expect(session.downloadCompletion()).rejects.toThrow('no right');
  });

  test('that concern the token make a new one first', async () => {
    const { connection, ident, server } = await bound();
    connection.error(ident, 201, { message: 'token', tryAgain: true, action: 'RefreshUser' });
    await connection.next('unbind');
    await connection.next('bind');
    expect(server.tokens).toHaveLength(2);
  });

  test('on the connection make a new one', async () => {
    const { connection, server } = await bound();
    connection.error(0, 101, { message: 'restart', tryAgain: true, action: 'Transient' });
    await connection.closed;
    await (await server.connection()).next('bind');
  });

  test('that are only warnings change nothing', async () => {
    const { connection, ident, session } = await bound();
    connection.error(ident, 231, { message: 'compensated', tryAgain: true, action: 'Warning' });
    const downloaded = session.downloadCompletion();
    const { request } = await connection.next('mark');
    connection.send({ type: 'mark', session: ident, request });
    await downloaded;
    expect(session.state).toBe('bound');
  });

  test('a client that cannot integrate says so, and does what the server answers', async () => {
    const { connection, ident, replica } = await bound();
    const broken = received(1, [createItem(1)]);
    connection.download(ident, { downloadServerVersion: 1, entries: [broken] });
    const report = await connection.next('json_error');
    expect(report).toMatchObject({ session: ident, errorCode: 212 });
    expect(JSON.parse(report.json)).toEqual({ message: expect.stringContaining('no such class') });
    connection.error(ident, 217, { message: 'start anew', tryAgain: false, action: 'ClientReset' });
    await connection.next('unbind');
    const fresh = await connection.bindNew(8);
    await connection.next('mark');
    connection.download(fresh, { downloadServerVersion: 1, entries: [received(1, SCHEMA)] });
    connection.send({ type: 'mark', session: fresh, request: 1 });
    await connection.next('unbind');
    connection.send({ type: 'unbound', session: fresh });
    expect(await connection.next('bind')).toMatchObject({ path: '"/p1"', needFileIdent: false });
    expect(await connection.next('ident')).toMatchObject({ fileIdent: 8, downloadServerVersion: 1 });
    expect(replica.schema.has('Item')).toBe(true);
  });

  test('messages that are none drop the connection', async () => {
    const { connection, server } = await bound();
    connection.socket.send(Buffer.from('download 1 2\n'));
    await connection.closed;
    await (await server.connection()).next('bind');
  });
});

test('a connection without sessions rests, and comes back with the next one', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url, { lingerMilliseconds: 1 });
  const session = client.open(store.replica('/p1'));
  const first = await server.connection();
  await first.bindNew();
  await client.closeSession(session);
  await first.closed;
  client.open(store.replica('/p2'));
  expect(await (await server.connection()).next('bind')).toMatchObject({ path: '"/p2"' });
});

test('sessions share the connection', async () => {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  for (const path of ['/a', '/b']) client.open(store.replica(path));
  const connection = await server.connection();
  expect([await connection.next('bind'), await connection.next('bind')]).toMatchObject([
    { session: 1, path: '"/a"' },
    { session: 2, path: '"/b"' },
  ]);
});
