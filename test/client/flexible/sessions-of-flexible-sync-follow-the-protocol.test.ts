/** The client against a server that follows a script (spec/wire-protocol.md §4, §5, §6.5, §7, §11, §12). */
import { expect, test, vi } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { encodeStandAloneKey } from '../../../src/changeset/stand-alone-key.ts';
import type { CompensatingWriteError } from '../../../src/client/flexible/compensating-write.ts';
import type { Download } from '../../../src/protocol/messages.ts';
import { received } from '../../store/replica/items.ts';
import { createItem, SCHEMA, setItem } from '../../store/server/changes.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import {
  answerMark,
  bindNewFlexible,
  instructionsOf,
  NOTHING,
  sendBatch,
} from '../support/flexible-script.ts';
import { type ScriptedConnection, ScriptedServer } from '../support/scripted-server.ts';
import { idsOf, openFlexible } from './flexible-realm.ts';

const ITEM = { name: 'Item', primaryKey: '_id', properties: { _id: 'int', n: 'int' } };
const ITEM_SCHEMA: Instruction[] = [...SCHEMA];
const eraseItem = (id: number): Instruction => ({
  op: 'EraseObject',
  table: 'Item',
  key: { type: 'int', value: BigInt(id) },
});

/** A client at server version 1 that has uploaded its schema, which nobody has acknowledged. */
async function connected(options: Parameters<typeof openFlexible>[1] = {}) {
  const server = await ScriptedServer.start();
  const flexible = await openFlexible(server.url, { schema: [ITEM], ...options });
  const connection = await server.connection();
  const session = await bindNewFlexible(connection);
  const upload = await connection.next('upload');
  return { server, flexible, connection, session, upload };
}

/** A client with set 1 `n > 0` complete and object 1, all of it acknowledged; at server version 2. */
async function subscribed(options: Parameters<typeof openFlexible>[1] = {}) {
  const all = await connected(options);
  const { flexible, connection, session, upload } = all;
  const done = flexible.realm.subscriptions.update((subs) =>
    subs.add(flexible.realm.objects('Item').filtered('n > 0')),
  );
  const query = await connection.next('query');
  const uploadClientVersion = upload.progressClientVersion;
  const head = {
    downloadServerVersion: 2,
    downloadClientVersion: uploadClientVersion,
    uploadClientVersion,
    uploadServerVersion: 1,
  };
  const created = received(2, [...SCHEMA, createItem(1), setItem(1, 1)], {
    clientVersion: uploadClientVersion,
  });
  sendBatch(connection, session, { queryVersion: query.version, state: 1 }, { ...head, entries: [created] });
  await answerMark(connection);
  await done;
  await connection.next('upload');
  return { ...all, head };
}

test('the recorded exchange: schema, set, bootstrap in parts, rejected write, another set', async () => {
  const server = await ScriptedServer.start();
  const told: CompensatingWriteError[] = [];
  const estimates: number[] = [];
  const flexible = await openFlexible(server.url, {
    onProgress: (estimate) => estimates.push(estimate),
    schema: [ITEM],
    schemaVersion: 3,
    onCompensatingWrite: (error) => told.push(error),
  });
  const { realm } = flexible;
  const connection = await server.connection();
  expect(connection.offer).toMatch(/^com\.mongodb\.realm-query-sync#14,.*com\.mongodb\.realm-query-sync#2$/);

  const bind = await connection.next('bind');
  expect(bind).toMatchObject({ path: '{"schemaVersion":3,"sessionReason":0}', needFileIdent: true });
  connection.send({ type: 'ident', session: 1, fileIdent: 7, fileIdentSalt: 1234n });
  expect(await connection.next('ident')).toMatchObject({
    fileIdent: 7,
    downloadServerVersion: 0,
    query: { version: 0, text: '{}' },
  });
  await connection.next('mark');
  expect(realm.subscriptions).toMatchObject({ version: 0, state: 'pending' });
  sendBatch(
    connection,
    1,
    { queryVersion: 0, state: 1 },
    { downloadServerVersion: 1, entries: [NOTHING(1)] },
  );
  await answerMark(connection);
  const schema = await connection.next('upload');
  expect(await instructionsOf(schema)).toEqual(ITEM_SCHEMA);
  const upTo = schema.progressClientVersion;
  const head = { downloadClientVersion: upTo, uploadClientVersion: upTo, uploadServerVersion: 1 };
  sendBatch(connection, 1, { queryVersion: 0, state: 2 }, { ...head, downloadServerVersion: 2 });
  await connection.next('upload');

  const first = realm.subscriptions.update((subs) => subs.add(realm.objects('Item').filtered('_id>0')));
  expect(await connection.next('query')).toMatchObject({ version: 1, text: '{"Item":"(_id > 0)"}' });
  const part = (instructions: Instruction[]) => [received(2, instructions, { clientVersion: upTo })];
  const objects = part([...SCHEMA, createItem(1)]);
  const batch = { ...head, downloadServerVersion: 2 };
  sendBatch(connection, 1, { queryVersion: 1, state: 0 }, { ...batch, entries: objects, progress: 0.5 });
  await vi.waitFor(() => expect(realm.subscriptions.state).toBe('bootstrapping'));
  expect(idsOf(flexible)).toEqual([]);
  sendBatch(connection, 1, { queryVersion: 1, state: 1 }, { ...batch, entries: part([setItem(1, 5)]) });
  const mark = await connection.next('mark');
  expect(realm.subscriptions.state).toBe('awaitingMark');
  connection.send({ type: 'mark', session: 1, request: mark.request });
  await first;
  expect(estimates).toEqual([1, 1, 0.5, 1]);
  expect(realm.objectForPrimaryKey('Item', 1)?.n).toBe(5);

  realm.write(() => realm.create('Item', { _id: 2, n: 0 }));
  let rejected = await connection.next('upload');
  while ((await instructionsOf(rejected)).length === 0) rejected = await connection.next('upload');
  const clientVersion = rejected.progressClientVersion;
  const pk = Buffer.from(encodeStandAloneKey({ type: 'int', value: 2n })).toString('base64');
  connection.error(1, 231, {
    message: 'no write',
    tryAgain: true,
    action: 'Warning',
    rejected: { updates: [{ reason: 'outside view', table: 'Item', pk }], clientVersion, serverVersion: 3 },
  });
  const after = { downloadClientVersion: clientVersion, uploadClientVersion: clientVersion };
  const at3 = { ...after, downloadServerVersion: 3, uploadServerVersion: 2 };
  expect(told).toEqual([]);
  const undoing = [received(3, [eraseItem(2)], { clientVersion })];
  sendBatch(connection, 1, { queryVersion: 1, state: 2 }, { ...at3, entries: undoing });
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatchObject({
    rejected: [{ reason: 'outside view', table: 'Item', key: { type: 'int', value: 2n } }],
    clientVersion,
    serverVersion: 3,
  });
  expect(idsOf(flexible)).toEqual([1]);
  await connection.next('upload');

  const second = realm.subscriptions.update((subs) => subs.removeAll());
  expect(await connection.next('query')).toMatchObject({ version: 2, text: '{}' });
  const leaving = [received(4, [eraseItem(1)], { clientVersion })];
  const at4 = { ...after, downloadServerVersion: 4, uploadServerVersion: 3 };
  sendBatch(connection, 1, { queryVersion: 2, state: 1 }, { ...at4, entries: leaving });
  await answerMark(connection);
  await second;
  expect(idsOf(flexible)).toEqual([]);
});

test('uploads and queries wait for the first MARK, and a query for what was written before its set', async () => {
  const server = await ScriptedServer.start();
  const flexible = await openFlexible(server.url, { schema: [ITEM] });
  const { realm } = flexible;
  realm.subscriptions.updateNoWait((subs) => subs.add(realm.objects('Item')));
  realm.write(() => realm.create('Item', { _id: 1, n: 1 }));
  realm.subscriptions.updateNoWait((subs) => subs.removeAll());
  const connection = await server.connection();
  const session = await bindNewFlexible(connection);
  expect(session).toBe(1);
  expect(await instructionsOf(await connection.next('upload'))).toEqual(ITEM_SCHEMA);
  expect(await connection.next('query')).toMatchObject({ version: 1, text: '{"Item":"(TRUEPREDICATE)"}' });
  const written = await connection.next('upload');
  expect(await instructionsOf(written)).toEqual([createItem(1), setItem(1, 1)]);
  expect(await connection.next('query')).toMatchObject({ version: 2, text: '{}' });
});

test('after a lost connection the active set stands in IDENT and newer ones are sent again', async () => {
  const { flexible, connection, server, head } = await subscribed();
  const { realm } = flexible;
  const update = realm.subscriptions.update((subs) => subs.add(realm.objects('Item'), { name: 'all' }));
  const query = await connection.next('query');
  const part = [received(3, [createItem(2)], { clientVersion: head.uploadClientVersion })];
  const rest = { ...head, downloadServerVersion: 3, entries: part };
  sendBatch(connection, 1, { queryVersion: 2, state: 0 }, rest);
  await vi.waitFor(() => expect(realm.subscriptions.state).toBe('bootstrapping'));
  connection.socket.terminate();

  const again = await server.connection();
  const { session } = await again.next('bind');
  expect(await again.next('ident')).toMatchObject({
    downloadServerVersion: 2,
    query: { version: 1, text: '{"Item":"(n > 0)"}' },
  });
  expect(await again.next('query')).toMatchObject({ version: 2, text: query.text });
  expect(realm.subscriptions.state).toBe('pending');
  sendBatch(again, session, { queryVersion: 2, state: 1 }, rest);
  await answerMark(again);
  await update;
  expect(idsOf(flexible)).toEqual([1, 2]);
});

test('after a slow reconnect uploads wait for a MARK again', async () => {
  const { flexible, connection, server } = await subscribed({ fastReconnectMilliseconds: -1 });
  connection.socket.terminate();
  flexible.realm.write(() => flexible.realm.create('Item', { _id: 9, n: 9 }));
  const again = await server.connection();
  const { session } = await again.next('bind');
  await again.next('ident');
  const mark = await again.next('mark');
  expect(again.isQuiet).toBe(true);
  again.send({ type: 'mark', session, request: mark.request });
  expect(await instructionsOf(await again.next('upload'))).toEqual([createItem(9), setItem(9, 9)]);
});

test('the server may bring the active set anew by itself', async () => {
  const { flexible, connection, head } = await subscribed();
  const left = [received(3, [eraseItem(1), createItem(4)], { clientVersion: head.uploadClientVersion })];
  const rest = { ...head, downloadServerVersion: 3, entries: left };
  sendBatch(connection, 1, { queryVersion: 1, state: 1 }, rest);
  await connection.next('upload');
  expect(idsOf(flexible)).toEqual([4]);
  expect(flexible.realm.subscriptions.state).toBe('complete');
});

test('a refused query is told, keeps the objects, and the next set is sent', async () => {
  const { flexible, connection } = await subscribed();
  const { realm } = flexible;
  const update = realm.subscriptions.update((subs) => subs.add(realm.objects('Item').filtered('n == 7')));
  const { session, version } = await connection.next('query');
  connection.send({
    type: 'query_error',
    session,
    errorCode: 226,
    queryVersion: version,
    message: 'no such field',
  });
  await expect(update).rejects.toThrow('no such field');
  expect(realm.subscriptions).toMatchObject({ state: 'error', error: 'no such field' });
  expect(idsOf(flexible)).toEqual([1]);
  realm.subscriptions.updateNoWait((subs) => subs.removeUnnamed());
  expect(await connection.next('query')).toMatchObject({ version: 3, text: '{}' });
});

test('a bootstrap that was downloaded before the program ended is applied before the next BIND', async () => {
  const directory = temporaryDirectory();
  const { flexible, connection, head, server } = await subscribed({ directory });
  flexible.realm.subscriptions.updateNoWait((subs) => subs.removeAll());
  const { version } = await connection.next('query');
  await flexible.close();
  const entries = [received(3, [eraseItem(1)], { clientVersion: head.uploadClientVersion })];
  flexible.store.flexibleReplica().flexible.storeBatch({
    queryVersion: version,
    isLast: true,
    entries,
    cursor: { serverVersion: 3, clientVersion: head.uploadClientVersion },
    latest: { version: 3, salt: 55n },
    uploadCursor: { clientVersion: head.uploadClientVersion, serverVersion: 1 },
    downloadableBytes: 0,
  });
  flexible.store.close();
  const again = await openFlexible(server.url, { schema: [ITEM], directory });
  const second = await server.connection();
  const { session } = await second.next('bind');
  expect(await second.next('ident')).toMatchObject({
    downloadServerVersion: 3,
    query: { version, text: '{}' },
  });
  expect(idsOf(again)).toEqual([]);
  expect(again.realm.subscriptions.state).toBe('awaitingMark');
  const mark = await second.next('mark');
  second.send({ type: 'mark', session, request: mark.request });
  await again.realm.subscriptions.waitForSynchronization();
});

test('a client reset downloads the active set into a fresh copy and says so in BIND', async () => {
  const { flexible, connection, server } = await subscribed();
  const { realm } = flexible;
  realm.write(() => realm.create('Item', { _id: 3, n: 3 }));
  await connection.next('upload');
  connection.error(1, 228, { message: 'rights changed', tryAgain: true, action: 'ClientReset' });
  await connection.next('unbind');
  const fresh = await connection.next('bind');
  expect(fresh).toMatchObject({ path: '{"schemaVersion":0,"sessionReason":1}', needFileIdent: true });
  const { session } = fresh;
  connection.send({ type: 'ident', session, fileIdent: 8, fileIdentSalt: 8n });
  expect(await connection.next('ident')).toMatchObject({ fileIdent: 8, query: { version: 0, text: '{}' } });
  await connection.next('mark');
  const zero = { downloadServerVersion: 5, entries: [received(5, SCHEMA)] };
  sendBatch(connection, session, { queryVersion: 0, state: 1 }, zero);
  await answerMark(connection);
  expect(await connection.next('query')).toMatchObject({ text: '{"Item":"(n > 0)"}' });
  const one = { downloadServerVersion: 5, entries: [received(5, [createItem(2), setItem(2, 2)])] };
  sendBatch(connection, session, { queryVersion: 1, state: 1 }, one);
  await answerMark(connection);
  await answerMark(connection);
  await connection.next('unbind');
  connection.send({ type: 'unbound', session });
  const bind = await connection.next('bind');
  expect(bind).toMatchObject({ path: '{"schemaVersion":0,"sessionReason":1}', needFileIdent: false });
  expect(await connection.next('ident')).toMatchObject({
    fileIdent: 8,
    downloadServerVersion: 5,
    query: { version: 1, text: '{"Item":"(n > 0)"}' },
  });
  expect(idsOf(flexible)).toEqual([2, 3]);
  await answerMark(connection);
  const recovered = await connection.next('upload');
  expect(await instructionsOf(recovered)).toEqual([createItem(3), setItem(3, 3)]);
  expect(server.requests.filter((line) => line.startsWith('WEBSOCKET'))).toHaveLength(1);
});

const head2: Partial<Download> = { downloadServerVersion: 2, latestServerVersionSalt: 55n };
type Deviation = (connection: ScriptedConnection, head: Partial<Download>) => void;
const steady = { queryVersion: 1, state: 2 } as const;
const deviations: Readonly<Record<string, Deviation>> = {
  'a download cursor that goes back': (connection, head) =>
    sendBatch(connection, 1, steady, { ...head, downloadServerVersion: 1 }),
  'an upload cursor beyond the newest version': (connection, head) =>
    sendBatch(connection, 1, steady, { ...head, uploadClientVersion: 999 }),
  'a changeset of our own': (connection, head) =>
    sendBatch(connection, 1, steady, {
      ...head,
      downloadServerVersion: 3,
      entries: [received(3, [], { clientVersion: head.uploadClientVersion ?? 0, originFileIdent: 7 })],
    }),
  'a changeset beyond the cursor': (connection, head) =>
    sendBatch(connection, 1, steady, {
      ...head,
      entries: [NOTHING(3, head.uploadClientVersion)],
    }),
  'a changeset before the cursor': (connection, head) =>
    sendBatch(connection, 1, steady, {
      ...head,
      entries: [NOTHING(1, head.uploadClientVersion)],
    }),
  'an upload cursor with a server version that was not downloaded': (connection, head) =>
    sendBatch(connection, 1, steady, { ...head, uploadServerVersion: 3 }),
  'batch state 3': (connection) =>
    connection.socket.send(Buffer.from('download 1 2 0 2 55 0 0 1 3 1.0 0 0 0\n')),
  'a progress estimate above 1': (connection) =>
    connection.socket.send(Buffer.from('download 1 2 0 2 55 0 0 1 2 1.5 0 0 0\n')),
  'an unknown message': (connection) => connection.socket.send(Buffer.from('hello 1\n')),
  'a message for a session that never was': (connection) =>
    connection.send({ type: 'mark', session: 99, request: 1 }),
  'a MARK that was answered before': (connection) =>
    connection.send({ type: 'mark', session: 1, request: 1 }),
  'a MARK that nobody asked for': (connection) => connection.send({ type: 'mark', session: 1, request: 999 }),
  'an error without logURL': (connection) =>
    connection.send({
      type: 'json_error',
      session: 1,
      errorCode: 231,
      json: '{"message":"","tryAgain":true,"isRecoveryModeDisabled":false,"shouldClientReset":false,"action":"Warning"}',
    }),
  'error 207, on which SDKs abort': (connection) =>
    connection.error(1, 207, { message: '', tryAgain: true, action: 'Transient' }),
  'a session error for the connection': (connection) =>
    connection.error(0, 212, { message: '', tryAgain: true, action: 'Transient' }),
  'a connection error for a session': (connection) =>
    connection.error(1, 101, { message: '', tryAgain: true, action: 'Transient' }),
  'a query error for no session': (connection) =>
    connection.send({ type: 'query_error', session: 0, errorCode: 226, queryVersion: 1, message: '' }),
  'a rejected write whose undoing was sent before': (connection) =>
    connection.error(1, 231, {
      message: '',
      tryAgain: true,
      action: 'Warning',
      rejected: { updates: [], clientVersion: 1, serverVersion: 2 },
    }),
};

test.each(Object.entries(deviations))('%s ends the connection and changes nothing', async (_, deviate) => {
  const { flexible, connection, head, server } = await subscribed();
  deviate(connection, { ...head2, ...head });
  await connection.closed;
  const again = await server.connection();
  await again.next('bind');
  expect(await again.next('ident')).toMatchObject({ downloadServerVersion: 2 });
  expect(idsOf(flexible)).toEqual([1]);
});

const violations: Readonly<Record<string, [number, Deviation]>> = {
  'a bootstrap without any entry': [
    201,
    (connection, head) => sendBatch(connection, 1, { queryVersion: 2, state: 1 }, head),
  ],
  'a bootstrap of a set that is not known': [
    201,
    (connection, head) =>
      sendBatch(
        connection,
        1,
        { queryVersion: 5, state: 1 },
        {
          ...head,
          entries: [NOTHING(2, head.uploadClientVersion)],
        },
      ),
  ],
  'a refusal of a complete set': [
    201,
    (connection) =>
      connection.send({ type: 'query_error', session: 1, errorCode: 226, queryVersion: 1, message: 'no' }),
  ],
  'a bootstrap that cannot be parsed': [
    212,
    (connection, head) =>
      sendBatch(
        connection,
        1,
        { queryVersion: 2, state: 1 },
        {
          ...head,
          entries: [{ ...NOTHING(2, head.uploadClientVersion), changeset: Buffer.from([0x3f, 0x3f]) }],
        },
      ),
  ],
  'a change that does not apply': [
    212,
    (connection, head) =>
      sendBatch(connection, 1, steady, {
        ...head,
        entries: [
          received(2, [{ op: 'EraseTable', table: 'Nothing' }, setItem(77, 1)], {
            clientVersion: head.uploadClientVersion ?? 0,
          }),
        ],
      }),
  ],
};

test.each(Object.entries(violations))('%s is reported to the server', async (_, [code, violate]) => {
  const { flexible, connection, head } = await subscribed();
  flexible.realm.subscriptions.updateNoWait((subs) => subs.removeAll());
  await connection.next('query');
  violate(connection, { ...head2, ...head });
  expect(await connection.next('json_error')).toMatchObject({ session: 1, errorCode: code });
  expect(idsOf(flexible)).toEqual([1]);
  expect(flexible.realm.subscriptions.state).toBe('pending');
});

test('a download before IDENT ends the connection', async () => {
  const server = await ScriptedServer.start();
  await openFlexible(server.url, { schema: [ITEM] });
  const connection = await server.connection();
  const { session } = await connection.next('bind');
  sendBatch(
    connection,
    session,
    { queryVersion: 0, state: 1 },
    { downloadServerVersion: 1, entries: [NOTHING(1)] },
  );
  await connection.closed;
});

test('an UNBOUND after an error ends the connection', async () => {
  const { connection } = await subscribed();
  connection.error(1, 200, { message: 'later', tryAgain: true, action: 'Transient' });
  await connection.next('unbind');
  connection.send({ type: 'unbound', session: 1 });
  await connection.closed;
});

test('what a client has to take does no harm: text messages, WebSocket pings, unknown keys, unknown errors', async () => {
  const { flexible, connection, head } = await subscribed();
  connection.socket.send('text');
  connection.socket.ping();
  connection.send({ type: 'log_message', session: 1, json: '{"msg":"hello"}' });
  const entries = [received(3, [setItem(1, 8)], { clientVersion: head.uploadClientVersion })];
  sendBatch(connection, 1, steady, { ...head, downloadServerVersion: 3, entries });
  await connection.next('upload');
  expect(flexible.realm.objectForPrimaryKey('Item', 1)?.n).toBe(8);
  connection.error(1, 299, { message: 'unknown', tryAgain: true, action: 'Transient' });
  await connection.next('unbind');
  expect(await connection.next('bind')).toMatchObject({ session: 2 });
});
