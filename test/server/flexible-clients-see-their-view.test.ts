import { expect, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import type { RunningServer, ServerOptions } from '../../src/server/server-options.ts';
import { Api } from './support/api.ts';
import {
  create,
  erase,
  FlexibleClient,
  flexibleProtocols,
  int,
  set,
  string,
  T_SCHEMA,
} from './support/flexible-client.ts';
import { RawClient } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

async function startFlexible(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return await startTestServer({ development: true, flexibleSync: {}, ...options });
}

async function connect(server: RunningServer, version = 14): Promise<FlexibleClient> {
  const { accessToken } = await new Api(server.url).anonymous();
  return await FlexibleClient.start({ url: server.url, token: accessToken, version });
}

/** A client that sees all of class T and has made it. */
async function writer(server: RunningServer): Promise<FlexibleClient> {
  const client = await connect(server);
  client.upload(T_SCHEMA);
  await client.acknowledged();
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

test('the first, empty set gets a bootstrap with an entry, also in a realm without anything', async () => {
  const client = await connect(await startFlexible());
  expect(client.downloads).toHaveLength(1);
  expect(client.downloads[0]).toMatchObject({ queryVersion: 0, state: 1, progress: '1.0' });
  expect(client.downloads[0]?.entries).toHaveLength(1);
  await client.settle();
  expect(client.raw.isQuiet).toBe(true);
});

test('a set brings its objects, another one takes away what it does not show', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, [...object(1, 1), ...object(2, 5), ...object(3, 9)]);
  const reader = await connect(server);
  expect(reader.keys('T')).toEqual([]);
  expect([...reader.view.schema.keys()]).toEqual(['T']);
  await reader.subscribe(1, { T: '(n > 4)' });
  expect(reader.keys('T')).toEqual(['2', '3']);
  expect(reader.field('T', int(3), 's')).toBe('object 3');
  await reader.subscribe(2, { T: '(n < 6)' });
  expect(reader.keys('T')).toEqual(['1', '2']);
  await reader.subscribe(3, {});
  expect(reader.keys('T')).toEqual([]);
  await reader.settle();
});

test('changes arrive as they happen: within the view, into it and out of it', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 10));
  const reader = await connect(server);
  await reader.subscribe(1, { T: '(n >= 10)' });
  await write(author, [set(1, 's', string('changed'))]);
  await reader.nextDownload();
  expect(reader.field('T', int(1), 's')).toBe('changed');
  await write(author, object(2, 12));
  await reader.nextDownload();
  expect(reader.keys('T')).toEqual(['1', '2']);
  await write(author, object(3, 1));
  await write(author, [set(2, 'n', int(2))]);
  await reader.nextDownload();
  expect(reader.keys('T')).toEqual(['1']);
  await write(author, [set(3, 'n', int(30))]);
  await reader.nextDownload();
  expect(reader.keys('T')).toEqual(['1', '3']);
  expect(reader.field('T', int(3), 's')).toBe('object 3');
  await write(author, [erase(1)]);
  await reader.nextDownload();
  expect(reader.keys('T')).toEqual(['3']);
});

test('a view in which nothing happens costs no message', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  const quiet = await connect(server);
  await quiet.subscribe(1, { T: '(n == 77)' });
  await quiet.settle();
  const before = quiet.downloads.length;
  for (let i = 0; i < 60; i += 1) author.upload(object(i, 1));
  await author.acknowledged();
  await quiet.settle();
  expect(quiet.downloads.length).toBe(before);
  await write(author, object(77, 77));
  await quiet.nextDownload();
  expect(quiet.keys('T')).toEqual(['77']);
});

test('many commits at once go out as a few messages', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  const reader = await connect(server);
  await reader.subscribe(1, { T: '(TRUEPREDICATE)' });
  const before = reader.downloads.length;
  for (let i = 0; i < 200; i += 1) author.upload(object(i, i));
  await author.acknowledged();
  await reader.settle();
  expect(reader.keys('T')).toHaveLength(200);
  expect(reader.downloads.length - before).toBeLessThan(100);
});

test('what is refused is said before the DOWNLOAD that takes it back, and nobody else sees it', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 1));
  const other = await connect(server);
  await other.subscribe(1, { T: '(n > 5)' });
  other.upload(object(9, 2));
  await other.acknowledged();
  expect(other.rejections).toHaveLength(1);
  expect(other.rejections[0]).toMatchObject({
    tryAgain: true,
    action: 'Warning',
    logURL: '',
    rejectedClientVersion: other.clientVersion,
    compensatingWriteServerVersion: other.downloads.at(-1)?.serverVersion,
    rejectedUpdates: [{ table: 'T', pk: 'AQk=' }],
  });
  expect(other.keys('T')).toEqual([]);
  await author.settle();
  expect(author.keys('T')).toEqual(['1']);
  await write(other, object(10, 10));
  expect(other.rejections).toHaveLength(1);
  await author.settle();
  expect(author.keys('T')).toEqual(['1', '10']);
});

test('a client that lost the connection before it was taken back is told again', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  const { accessToken } = await new Api(server.url).anonymous();
  const first = await FlexibleClient.start({ url: server.url, token: accessToken });
  await first.subscribe(1, { T: '(n > 5)' });
  await first.settle();
  const { file, view } = first;
  first.upload(object(9, 2));
  const frame = await first.raw.next('json_error');
  first.raw.socket.terminate();
  const second = await FlexibleClient.connect({ url: server.url, token: accessToken, file, view });
  second.clientVersion = first.clientVersion;
  await second.bind();
  await second.settle();
  expect(second.rejections).toEqual([JSON.parse(frame.body.toString())]);
  expect(second.keys('T')).toEqual([]);
  await author.settle();
  expect(author.keys('T')).toEqual([]);
});

test('a client comes back to what happened meanwhile', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, [...object(1, 10), ...object(2, 10)]);
  const { accessToken } = await new Api(server.url).anonymous();
  const first = await FlexibleClient.start({ url: server.url, token: accessToken });
  await first.subscribe(1, { T: '(n >= 10)' });
  first.raw.send('unbind 1');
  await first.raw.next('unbound');
  await write(author, [set(1, 'n', int(1)), set(2, 's', string('new')), ...object(3, 11)]);
  const second = await FlexibleClient.connect({
    url: server.url,
    token: accessToken,
    file: first.file,
    view: first.view,
  });
  await second.bind();
  expect((await second.nextDownload()).state).toBe(2);
  expect(second.keys('T')).toEqual(['2', '3']);
  expect(second.field('T', int(2), 's')).toBe('new');
});

test('at least one DOWNLOAD follows every IDENT', async () => {
  const server = await startFlexible();
  await writer(server);
  const { accessToken } = await new Api(server.url).anonymous();
  const first = await FlexibleClient.start({ url: server.url, token: accessToken });
  await first.subscribe(1, { T: '(n > 5)' });
  first.raw.send('unbind 1');
  await first.raw.next('unbound');
  const second = await FlexibleClient.connect({ url: server.url, token: accessToken, file: first.file });
  await second.bind();
  expect(await second.nextDownload()).toMatchObject({ state: 2, entries: [] });
});

test('a query that cannot be understood is an error of its set only', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 1));
  const reader = await connect(server);
  await reader.subscribe(1, { T: '(n > 0)' });
  const bad = ['{"T":"n >"}', '{"Nobody":"TRUEPREDICATE"}', '[]', 'nonsense'];
  for (const [i, query] of bad.entries()) {
    reader.sendQuery(2 + i, query);
    const frame = await reader.raw.next('query_error');
    expect([frame.fields[1], frame.fields[4]]).toEqual(['226', String(2 + i)]);
    expect(frame.body.length).toBeGreaterThan(5);
  }
  await write(author, object(2, 2));
  await reader.nextDownload();
  expect(reader.keys('T')).toEqual(['1', '2']);
  await reader.subscribe(9, { T: '(n == 2)' });
  expect(reader.keys('T')).toEqual(['2']);
});

test('the version of a QUERY grows', async () => {
  const server = await startFlexible();
  await writer(server);
  const reader = await connect(server);
  await reader.subscribe(3, { T: '(n > 0)' });
  reader.sendQuery(3, { T: '(n > 1)' });
  const frame = await reader.raw.next('json_error');
  expect([frame.fields[1], frame.fields[3]]).toEqual(['109', '0']);
});

test('of queries that come together the newest is answered, and never an older one after it', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  for (let i = 0; i < 20; i += 1) author.upload(object(i, i));
  await author.acknowledged();
  const reader = await connect(server);
  for (let version = 1; version <= 12; version += 1) reader.sendQuery(version, { T: `(n == ${version})` });
  reader.raw.send('mark 1 1');
  const versions: number[] = [];
  for (;;) {
    const frame = await reader.raw.nextOfAny();
    if (frame.fields[0] === 'mark') break;
    const { state, queryVersion } = reader.take(frame);
    if (state === 1) versions.push(queryVersion);
  }
  expect(versions.at(-1)).toBe(12);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(reader.keys('T')).toEqual(['12']);
});

test('an older query is answered when the newer one is no good', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 1));
  const reader = await connect(server);
  reader.sendQuery(1, { T: '(n == 1)' });
  reader.sendQuery(2, { T: '(n ==' });
  const frames = [await reader.raw.nextOfAny(), await reader.raw.nextOfAny()];
  expect(frames.map(({ fields }) => fields[0]).sort()).toEqual(['download', 'query_error']);
  for (const frame of frames) if (frame.fields[0] === 'download') reader.take(frame);
  expect(reader.keys('T')).toEqual(['1']);
});

test('writes of before a QUERY are judged by the older set, those after it by the newer one', async () => {
  const server = await startFlexible();
  await writer(server);
  const client = await connect(server);
  await client.subscribe(1, { T: '(n == 1)' });
  client.upload(object(1, 1));
  client.sendQuery(2, { T: '(n == 2)' });
  client.upload(object(2, 2));
  await client.bootstrap(2);
  await client.acknowledged();
  expect(client.rejections).toEqual([]);
  await client.settle();
  expect(client.keys('T')).toEqual(['2']);
});

test('no MARK is answered while a bootstrap is open, and nothing comes between its parts', async () => {
  const server = await startFlexible({ limits: { download: 2_000 } });
  const author = await writer(server);
  const text = 'x'.repeat(500);
  for (let i = 0; i < 50; i += 1) author.upload(object(i, 1, text));
  await author.acknowledged();
  const reader = await connect(server);
  reader.sendQuery(1, { T: '(n == 1)' });
  reader.raw.send('mark 1 1');
  for (let i = 50; i < 100; i += 1) author.upload(object(i, 1, text));
  const states: number[] = [];
  for (;;) {
    const frame = await reader.raw.nextOfAny();
    if (frame.fields[0] === 'mark') break;
    states.push(reader.take(frame).state);
  }
  const bootstrap = states.slice(states.indexOf(0), states.indexOf(1) + 1);
  expect(bootstrap.length).toBeGreaterThan(5);
  expect(bootstrap.slice(0, -1).every((state) => state === 0)).toBe(true);
  expect(states.filter((state) => state === 1)).toHaveLength(1);
  await author.acknowledged();
  await reader.settle();
  expect(reader.keys('T')).toHaveLength(100);
});

test('UNBIND ends a session at any time, and its ident can be used again', async () => {
  const server = await startFlexible({ limits: { download: 2_000 } });
  const author = await writer(server);
  for (let i = 0; i < 30; i += 1) author.upload(object(i, 1, 'x'.repeat(500)));
  await author.acknowledged();
  const { accessToken } = await new Api(server.url).anonymous();
  const reader = await FlexibleClient.start({ url: server.url, token: accessToken });
  const { file } = reader;
  reader.sendQuery(1, { T: '(n == 1)' });
  reader.raw.send('unbind 1');
  for (let frame = await reader.raw.nextOfAny(); frame.fields[0] !== 'unbound'; ) {
    frame = await reader.raw.nextOfAny();
  }
  await reader.raw.settle();
  const again = await FlexibleClient.connect({ url: server.url, token: accessToken, raw: reader.raw, file });
  await again.bind();
  await again.bootstrap(0);
  await again.subscribe(1, { T: '(n == 1)' });
  expect(again.keys('T')).toHaveLength(30);
});

test.each([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])('protocol version %d', async (version) => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 10));
  const { accessToken } = await new Api(server.url).anonymous();
  const options = { url: server.url, token: accessToken, version };
  const client = await FlexibleClient.connect(options);
  await client.bind(version < 8 ? '/some/path' : '');
  await client.bootstrap(0);
  await client.subscribe(1, { T: '(n >= 10)' });
  expect(client.keys('T')).toEqual(['1']);
  await write(client, object(2, 20));
  await write(client, object(3, 1));
  expect(client.rejections).toHaveLength(version < 5 ? 0 : 1);
  expect(client.keys('T')).toEqual(['1', '2']);
  await author.settle();
  expect(author.keys('T')).toEqual(['1', '2']);
});

test('an administrator opens the same realm as a whole by its path, with the same history', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 10));
  const reader = await connect(server);
  await reader.subscribe(1, { T: '(n >= 10)' });
  const { accessToken } = await new Api(server.url).withPassword('root', 'correct horse');
  const partition = await RawClient.connect({ url: server.url, token: accessToken });
  const { download } = await partition.bindNew(1, '"/"');
  expect(Number(download.fields[2])).toBeGreaterThan(1);
});

test('each mode can be switched off; the app is told which one to use', async () => {
  const only = await startTestServer({ development: true, flexibleSync: {}, partitionSync: false });
  const { accessToken } = await new Api(only.url).anonymous();
  const partition = await RawClient.connect({ url: only.url, token: accessToken });
  partition.send('bind 1 2 0 1 0', '/x');
  expect((await partition.next('json_error')).fields.slice(1, 4)).toEqual(['113', expect.any(String), '0']);
  const flexible = await FlexibleClient.start({ url: only.url, token: accessToken });
  await flexible.settle();

  const none = await startTestServer({ development: true, flexibleSync: false });
  const token = (await new Api(none.url).anonymous()).accessToken;
  const refused = await RawClient.connect({ url: none.url, token, protocols: flexibleProtocols() });
  refused.send('bind 1 0 0 1 0');
  expect((await refused.next('json_error')).fields.slice(1, 4)).toEqual(['114', expect.any(String), '0']);
});

test("a client file is its user's; those of others are turned away", async () => {
  const server = await startFlexible();
  await writer(server);
  const first = await connect(server);
  await first.subscribe(1, { T: '(n > 5)' });
  first.raw.send('unbind 1');
  await first.raw.next('unbound');
  const { accessToken } = await new Api(server.url).anonymous();
  const thief = await FlexibleClient.connect({ url: server.url, token: accessToken, file: first.file });
  await thief.bind();
  const frame = await thief.raw.next('json_error');
  expect([frame.fields[1], JSON.parse(frame.body.toString()).tryAgain]).toEqual(['223', false]);
});

test('bad messages end their own session or connection; a bystander goes on', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  const bystander = await connect(server);
  await bystander.subscribe(1, { T: '(TRUEPREDICATE)' });
  const bad: readonly (readonly [head: string, body: string, code: string])[] = [
    ['bind 1 3 0 1 0', '{x}', '103'],
    ['bind 1 24 0 1 0', '{"migratedPartition": 5}', '103'],
    ['query 5 1 2', '{}', '106'],
  ];
  for (const [head, body, code] of bad) {
    const { accessToken } = await new Api(server.url).anonymous();
    const raw = await RawClient.connect({
      url: server.url,
      token: accessToken,
      protocols: flexibleProtocols(),
    });
    raw.send(head, body);
    expect((await raw.next('json_error')).fields[1]).toBe(code);
  }
  const early = await connect(server);
  early.raw.send('bind 2 0 0 1 0');
  early.raw.send('query 2 1 2', '{}');
  for (;;) {
    const frame = await early.raw.nextOfAny();
    if (frame.fields[0] !== 'json_error') continue;
    expect(frame.fields[1]).toBe('109');
    break;
  }
  await write(author, object(5, 5));
  await bystander.nextDownload();
  expect(bystander.keys('T')).toEqual(['5']);
});

test('an active set that cannot be understood ends the session for good', async () => {
  const server = await startFlexible();
  const client = await connect(server);
  const { accessToken } = await new Api(server.url).anonymous();
  expect(client.keys('T')).toEqual([]);
  const other = await FlexibleClient.connect({ url: server.url, token: accessToken });
  other.file = { ...other.file, query: '{"Nobody":"TRUEPREDICATE"}', queryVersion: 1 };
  await other.bind();
  const frame = await other.raw.next('json_error');
  expect([frame.fields[1], JSON.parse(frame.body.toString()).tryAgain]).toEqual(['226', false]);
  other.raw.send('unbind 1');
  await other.raw.settle();
});

test('a client file of which nothing is known is reset', async () => {
  const server = await startFlexible();
  const author = await writer(server);
  await write(author, object(1, 1));
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await FlexibleClient.start({ url: server.url, token: accessToken });
  client.raw.send('unbind 1');
  await client.raw.next('unbound');
  const odd = await FlexibleClient.connect({ url: server.url, token: accessToken, file: client.file });
  odd.file = { ...odd.file, query: '{"T":"n == 5"}', queryVersion: 4 };
  await odd.bind();
  const frame = await odd.raw.next('json_error');
  expect(frame.fields[1]).toBe('217');
  expect(JSON.parse(frame.body.toString())).toMatchObject({ action: 'ClientReset', shouldClientReset: true });
});
