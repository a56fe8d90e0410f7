/** Client resets as the server asks for them (wire-protocol.md §8), against a server that follows a script. */
import { expect, test } from 'vitest';
import { decodeChangeset } from '../../src/changeset/codec.ts';
import type { SyncSessionError } from '../../src/client/client-errors.ts';
import type { ResetPolicy } from '../../src/client/sync-session.ts';
import { parseUploadBody } from '../../src/protocol/entry-bodies.ts';
import type { ErrorAction } from '../../src/protocol/error-codes.ts';
import { received } from '../store/replica/items.ts';
import { createItem, SCHEMA, setItem } from '../store/server/changes.ts';
import { connectClient } from './support/client.ts';
import { type ScriptedConnection, ScriptedServer } from './support/scripted-server.ts';

const item = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

/** A session whose realm has item 1 from the server, as version 4. */
async function synced(onReset?: ResetPolicy) {
  const server = await ScriptedServer.start();
  const { client, store } = await connectClient(server.url);
  const replica = store.replica('/r');
  const failure = Promise.withResolvers<SyncSessionError>();
  const session = client.open(replica, {
    onFailed: failure.resolve,
    ...(onReset === undefined ? {} : { onReset }),
  });
  const connection = await server.connection();
  const ident = await connection.bindNew(2);
  connection.download(ident, {
    downloadServerVersion: 4,
    entries: [received(4, [...SCHEMA, createItem(1)])],
  });
  await connection.next('upload'); // acknowledges version 4
  return { server, client, replica, session, connection, ident, failed: failure.promise };
}

function askForReset(
  connection: ScriptedConnection,
  ident: number,
  action: ErrorAction = 'ClientReset',
): void {
  connection.error(ident, 211, { message: 'histories diverge', tryAgain: false, action });
}

/** Lets the client download a fresh copy with items 1 and 3; what it does next is up to the caller. */
async function serveFreshCopy(
  connection: ScriptedConnection,
  fileIdent: number,
  whileDownloading = () => {},
) {
  await connection.next('unbind');
  const fresh = await connection.bindNew(fileIdent);
  const mark = await connection.next('mark');
  whileDownloading();
  const entries = [received(2, [...SCHEMA, createItem(1), createItem(3)], { originFileIdent: 1 })];
  connection.download(fresh, { downloadServerVersion: 2, entries });
  connection.send({ type: 'mark', session: fresh, request: mark.request });
  expect(await connection.next('unbind')).toMatchObject({ session: fresh });
  return fresh;
}

test('the replica stays in use while the fresh copy is downloaded, and what was written is uploaded after', async () => {
  const { connection, ident, replica, session } = await synced();
  replica.write([setItem(1, 10)]);
  await connection.next('upload');
  askForReset(connection, ident);
  const uploaded = session.uploadCompletion();
  const fresh = await serveFreshCopy(connection, 9, () => {
    expect(session.state).toBe('resetting');
    expect(replica.count('Item')).toBe(1);
    replica.write([createItem(5)]);
  });
  expect(connection.isQuiet).toBe(true); // the file ident is taken over only when the server has let go of it
  connection.send({ type: 'unbound', session: fresh });
  const { session: again } = await connection.next('bind');
  expect(await connection.next('ident')).toMatchObject({
    fileIdent: 9,
    downloadServerVersion: 2,
    downloadClientVersion: 0,
  });
  const upload = await connection.next('upload');
  const entries = parseUploadBody(upload.body.bytes);
  expect(entries.map(({ changeset }) => decodeChangeset(changeset).instructions)).toEqual([
    [setItem(1, 10)],
    [createItem(5)],
  ]);
  expect([...replica.objects('Item')].map(({ key }) => key)).toEqual([item(1), item(3), item(5)]);
  connection.download(again, { downloadServerVersion: 2, uploadClientVersion: upload.progressClientVersion });
  await uploaded;
});

test('when the server allows no recovery, unsynced changes are given up', async () => {
  const { connection, ident, replica } = await synced();
  replica.write([setItem(1, 10), createItem(5)]);
  await connection.next('upload');
  askForReset(connection, ident, 'ClientResetNoRecovery');
  connection.send({ type: 'unbound', session: await serveFreshCopy(connection, 9) });
  await connection.next('bind');
  expect([...replica.objects('Item')].map(({ key }) => key)).toEqual([item(1), item(3)]);
  expect(replica.hasUnsynced()).toBe(false);
});

test('a reset that does not help is the last one, and unsynced changes are kept', async () => {
  const { connection, ident, replica, failed } = await synced();
  replica.write([setItem(1, 10)]);
  await connection.next('upload');
  askForReset(connection, ident);
  connection.send({ type: 'unbound', session: await serveFreshCopy(connection, 9) });
  const { session: again } = await connection.next('bind');
  await connection.next('ident');
  await connection.next('upload'); // and before it is acknowledged:
  askForReset(connection, again);
  expect(await failed).toMatchObject({ protocolCode: 211, message: expect.stringContaining('client reset') });
  expect(replica.hasUnsynced()).toBe(true);
  expect(replica.object('Item', item(1))?.fields.get('n')).toEqual({ type: 'int', value: 10n });
});

test('after a reset that was completed, another one is possible', async () => {
  const { connection, ident, replica } = await synced();
  replica.write([setItem(1, 10)]);
  await connection.next('upload');
  askForReset(connection, ident);
  connection.send({ type: 'unbound', session: await serveFreshCopy(connection, 9) });
  const { session: again } = await connection.next('bind');
  await connection.next('ident');
  const { progressClientVersion: uploadClientVersion } = await connection.next('upload');
  connection.download(again, { downloadServerVersion: 2, uploadClientVersion });
  askForReset(connection, again);
  connection.send({ type: 'unbound', session: await serveFreshCopy(connection, 10) });
  await connection.next('bind');
  expect(await connection.next('ident')).toMatchObject({ fileIdent: 10 });
});

test('a session that was told not to reset ends, and leaves the replica alone', async () => {
  const { connection, ident, replica, failed } = await synced('manual');
  askForReset(connection, ident);
  expect(await failed).toMatchObject({ code: 'sync-session-failed', protocolCode: 211 });
  expect(replica.identity?.fileIdent).toBe(2);
  expect(replica.count('Item')).toBe(1);
});

test('a client that is closed in the middle leaves the replica as it was', async () => {
  const { connection, ident, replica, client } = await synced();
  askForReset(connection, ident);
  await connection.next('unbind');
  await connection.bindNew(9);
  await client.close();
  expect(replica.identity?.fileIdent).toBe(2);
  expect(replica.count('Item')).toBe(1);
});

test('a fresh copy that cannot be had ends the session', async () => {
  const { connection, ident, failed, replica } = await synced();
  askForReset(connection, ident);
  await connection.next('unbind');
  const { session } = await connection.next('bind');
  connection.error(session, 206, { message: 'no right', tryAgain: false, action: 'ApplicationBug' });
  await connection.next('unbind');
  connection.send({ type: 'unbound', session });
  expect((await failed).message).toMatch(/the client reset failed: .*no right/);
  expect(replica.count('Item')).toBe(1);
});

test('a connection that is lost during the download is no reason to begin anew', async () => {
  const { connection, ident, server, replica } = await synced();
  askForReset(connection, ident);
  await connection.next('unbind');
  await connection.bindNew(9);
  connection.socket.terminate();
  const second = await server.connection();
  const { session, needFileIdent } = await second.next('bind');
  expect(needFileIdent).toBe(false);
  expect(await second.next('ident')).toMatchObject({ fileIdent: 9 });
  const { request } = await second.next('mark');
  second.download(session, {
    downloadServerVersion: 2,
    entries: [received(2, [...SCHEMA, createItem(3)], { originFileIdent: 1 })],
  });
  second.send({ type: 'mark', session, request });
  await second.next('unbind');
  second.send({ type: 'unbound', session });
  await second.next('bind');
  expect([...replica.objects('Item')].map(({ key }) => key)).toEqual([item(3)]);
});
