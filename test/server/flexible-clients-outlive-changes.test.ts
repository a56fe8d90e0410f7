import { expect, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import type { RunningServer, ServerOptions } from '../../src/server/server-options.ts';
import { Api } from './support/api.ts';
import { create, FlexibleClient, int, set, string, T_SCHEMA } from './support/flexible-client.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

type TestServer = RunningServer & { readonly dataDirectory: string };

/** Ordinary users read what a query says; what they read they may write. */
function reads(query: string): Partial<ServerOptions> {
  return {
    flexibleSync: {},
    rules: { classes: { '*': { roles: [{ name: 'user', read: query, write: query }] } } },
  };
}

async function administrator(server: RunningServer): Promise<FlexibleClient> {
  const { accessToken } = await new Api(server.url).withPassword(ADMIN.user, ADMIN.password);
  const client = await FlexibleClient.start({ url: server.url, token: accessToken });
  if (!client.view.schema.has('T')) {
    client.upload(T_SCHEMA);
    await client.acknowledged();
  }
  await client.subscribe(1, { T: '(TRUEPREDICATE)' });
  return client;
}

const object = (id: number, n: number, s = `object ${id}`): Instruction[] => [
  create(id),
  set(id, 's', string(s)),
  set(id, 'n', int(n)),
];

async function write(client: FlexibleClient, instructions: readonly Instruction[]): Promise<void> {
  client.upload(instructions);
  await client.acknowledged();
}

/** A user with a name, who can log in again after a restart. */
async function login(server: RunningServer): Promise<string> {
  const api = new Api(server.url);
  await api.register('ada@example.com', 'secret1');
  return (await api.withPassword('ada@example.com', 'secret1')).accessToken;
}

async function restart(server: TestServer, options: Partial<ServerOptions>): Promise<TestServer> {
  await server.close();
  return await startTestServer({ ...options, dataDirectory: server.dataDirectory });
}

/** Ada sees the objects whose n is above 4 of T[1..9] with n = 1..9. */
async function adaBefore(): Promise<{ server: TestServer; ada: FlexibleClient }> {
  const server = await startTestServer(reads('n > 4'));
  const admin = await administrator(server);
  await write(
    admin,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((id) => object(id, id)),
  );
  const ada = await FlexibleClient.start({ url: server.url, token: await login(server) });
  await ada.subscribe(1, { T: '(n < 8)' });
  expect(ada.keys('T')).toEqual(['5', '6', '7']);
  return { server, ada };
}

async function comeBack(
  server: RunningServer,
  { file, view }: FlexibleClient,
  version = 14,
): Promise<FlexibleClient> {
  const token = await login(server);
  const client = await FlexibleClient.connect({ url: server.url, token, file, view, version });
  await client.bind();
  return client;
}

test('after a restart with other rules a client is brought to what it may see now', async () => {
  const { server, ada } = await adaBefore();
  const after = await restart(server, reads('n > 6 OR n == 1'));
  const admin = await administrator(after);
  const returned = await comeBack(after, ada);
  const parts = await returned.bootstrap(1);
  expect(parts.at(-1)?.serverVersion).toBeGreaterThan(ada.file.serverVersion);
  expect(returned.keys('T')).toEqual(['1', '7']);
  await write(admin, object(10, 7));
  await returned.nextDownload();
  expect(returned.keys('T')).toEqual(['1', '10', '7']);
});

test('a client that did not get to integrate that is brought there at the next time', async () => {
  const { server, ada } = await adaBefore();
  const after = await restart(server, reads('n > 6 OR n == 1'));
  const cutOff = await FlexibleClient.connect({ url: after.url, token: await login(after), file: ada.file });
  await cutOff.bind();
  for (let frame = await cutOff.raw.next('download'); frame.fields[9] !== '1'; ) {
    frame = await cutOff.raw.next('download');
  }
  cutOff.raw.socket.terminate();
  const returned = await comeBack(after, ada);
  await returned.bootstrap(1);
  expect(returned.keys('T')).toEqual(['1', '7']);
  const again = await comeBack(after, returned);
  expect(await again.nextDownload()).toMatchObject({ state: 2, entries: [] });
  expect(again.keys('T')).toEqual(['1', '7']);
});

test('a client that knows no such bootstraps is reset', async () => {
  const { server, ada } = await adaBefore();
  const after = await restart(server, reads('n > 6'));
  const token = await login(after);
  const old = await FlexibleClient.connect({ url: after.url, token, file: ada.file, version: 13 });
  await old.bind();
  const frame = await old.raw.next('json_error');
  expect([frame.fields[1], frame.fields[3]]).toEqual(['228', '1']);
  expect(JSON.parse(frame.body.toString())).toMatchObject({
    action: 'ClientReset',
    shouldClientReset: true,
  });
  // The reset: a fresh copy, whose file and subscriptions the old one takes over.
  const fresh = await FlexibleClient.connect({ url: after.url, token, raw: old.raw, session: 2 });
  await fresh.bind('{"schemaVersion":0,"sessionReason":1}');
  await fresh.bootstrap(0);
  await fresh.subscribe(1, { T: '(n < 8)' });
  expect(fresh.keys('T')).toEqual(['7']);
  fresh.raw.send('unbind 2');
  await fresh.raw.next('unbound');
  old.raw.send('unbind 1');
  const file = { ...fresh.file, clientVersion: 0, uploadClientVersion: 0, queryVersion: 1 };
  const reset = await FlexibleClient.connect({ url: after.url, token, raw: old.raw, session: 3, file });
  await reset.bind('{"schemaVersion":0,"sessionReason":1}');
  expect(await reset.nextDownload()).toMatchObject({ state: 2 });
  await reset.settle();
});

test('an unchanged right costs a returning client nothing', async () => {
  const { server, ada } = await adaBefore();
  const after = await restart(server, reads('n > 4'));
  const returned = await comeBack(after, ada);
  expect(await returned.nextDownload()).toMatchObject({ state: 2, entries: [] });
});

test('a bootstrap that the client lost half-way is sent again', async () => {
  const server = await startTestServer({ ...reads('TRUEPREDICATE'), limits: { download: 3_000 } });
  const admin = await administrator(server);
  for (let id = 1; id <= 40; id += 1) admin.upload(object(id, id, 'x'.repeat(400)));
  await admin.acknowledged();
  const ada = await FlexibleClient.start({ url: server.url, token: await login(server) });
  const { file } = ada;
  ada.sendQuery(1, { T: '(n > 10)' });
  expect((await ada.nextDownload()).state).toBe(0);
  ada.raw.socket.terminate();
  const returned = await comeBack(server, { ...ada, file } as FlexibleClient);
  await returned.bootstrap(0);
  await returned.subscribe(1, { T: '(n > 10)' });
  expect(returned.keys('T')).toHaveLength(30);
});

test('a slow reader holds up nobody and gets everything later', async () => {
  const server = await startTestServer({
    ...reads('TRUEPREDICATE'),
    limits: { download: 50_000, sendBuffer: 100_000 },
  });
  const admin = await administrator(server);
  for (let id = 1; id <= 300; id += 1) admin.upload(object(id, id, `${id}`.repeat(8_000)));
  await admin.acknowledged();
  const token = await login(server);
  const slow = await FlexibleClient.start({ url: server.url, token });
  slow.raw.socket.pause();
  slow.sendQuery(1, { T: '(n > 0)' });
  const quick = await FlexibleClient.start({ url: server.url, token });
  await quick.subscribe(1, { T: '(n > 0)' });
  expect(quick.keys('T')).toHaveLength(300);
  for (let id = 301; id <= 320; id += 1) admin.upload(object(id, id));
  await admin.acknowledged();
  await quick.settle();
  expect(quick.keys('T')).toHaveLength(320);
  slow.raw.socket.resume();
  await slow.bootstrap(1);
  await slow.settle();
  expect(slow.keys('T')).toHaveLength(320);
});

test('many clients with the same subscriptions that come while changes happen all end with the same', async () => {
  const server = await startTestServer({ ...reads('TRUEPREDICATE'), limits: { download: 20_000 } });
  const admin = await administrator(server);
  for (let id = 1; id <= 200; id += 1) admin.upload(object(id, id % 10));
  await admin.acknowledged();
  const token = await login(server);
  const clients: FlexibleClient[] = [];
  for (let i = 0; i < 12; i += 1) {
    const client = await FlexibleClient.start({ url: server.url, token });
    client.sendQuery(1, { T: '(n >= 5)' });
    clients.push(client);
    admin.upload([set(1 + i, 'n', int(9 - (i % 10))), ...object(1_000 + i, i)]);
  }
  await admin.acknowledged();
  const expected = admin.keys('T').filter((key) => Number(admin.field('T', int(Number(key)), 'n')) >= 5);
  for (const client of clients) {
    await client.bootstrap(1);
    await client.settle();
    expect(client.keys('T')).toEqual(expected);
  }
});

/** Users log in with a team, of whose objects alone they may know. */
const BY_TEAM: Partial<ServerOptions> = {
  flexibleSync: {},
  authentication: {
    customFunction: ({ name, team }) => ({ id: String(name), data: { team: String(team) } }),
  },
  rules: {
    classes: {
      '*': { roles: [{ name: 'user', read: 's == %%user.data.team', write: 's == %%user.data.team' }] },
    },
  },
};

async function joins(server: RunningServer, team: string): Promise<string> {
  const { body } = await new Api(server.url).login('custom-function', { name: 'ada', team });
  return String(body.access_token);
}

test('rights that change while a client is bound change what it holds', async () => {
  const server = await startTestServer(BY_TEAM);
  const admin = await administrator(server);
  await write(admin, [...object(1, 1, 'red'), ...object(2, 2, 'blue'), ...object(3, 3, 'red')]);
  const ada = await FlexibleClient.start({ url: server.url, token: await joins(server, 'red') });
  await ada.subscribe(1, { T: '(n < 3)' });
  expect(ada.keys('T')).toEqual(['1']);
  await joins(server, 'blue');
  await ada.bootstrap(1);
  expect(ada.keys('T')).toEqual(['2']);
  await write(admin, [set(1, 'n', int(0)), set(2, 'n', int(0))]);
  await ada.nextDownload();
  await ada.settle();
  expect(ada.keys('T')).toEqual(['2']);
  expect(ada.field('T', int(2), 'n')).toBe(0n);
  ada.upload([set(2, 's', string('red'))]);
  await ada.acknowledged();
  expect(ada.rejections).toHaveLength(1);
  expect(ada.field('T', int(2), 's')).toBe('blue');
});

test('a bound client that knows no such bootstraps is reset when its rights change, once', async () => {
  const server = await startTestServer(BY_TEAM);
  const admin = await administrator(server);
  await write(admin, [...object(1, 1, 'red'), ...object(2, 2, 'blue')]);
  const token = await joins(server, 'red');
  const ada = await FlexibleClient.start({ url: server.url, token, version: 13 });
  await ada.subscribe(1, { T: '(n < 3)' });
  await joins(server, 'blue');
  const frame = await ada.raw.next('json_error');
  expect([frame.fields[1], frame.fields[3]]).toEqual(['228', '1']);
  const fresh = await FlexibleClient.connect({ url: server.url, token, raw: ada.raw, session: 2 });
  await fresh.bind();
  await fresh.bootstrap(0);
  await fresh.subscribe(1, { T: '(n < 3)' });
  await fresh.settle();
  expect(fresh.keys('T')).toEqual(['2']);
});
