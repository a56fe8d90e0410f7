import { describe, expect, test } from 'vitest';
import { Api } from './support/api.ts';
import {
  createChangeset,
  entriesOf,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

/** What a BIND leads to: 0 for an open session, otherwise the code and action of the error. */
async function outcome(client: RawClient, session: number, partition: string): Promise<string> {
  client.send(`bind ${session} ${Buffer.byteLength(partition)} 0 1 0`, partition);
  const { fields, body } = await client.nextOfAny();
  if (fields[0] === 'ident') return 'open';
  const { action, tryAgain } = JSON.parse(body.toString()) as { action: string; tryAgain: boolean };
  expect([fields[0], fields[3], tryAgain]).toEqual(['json_error', String(session), false]);
  return `${fields[1]} ${action}`;
}

async function outcomes(client: RawClient, partitions: readonly string[]): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [index, partition] of partitions.entries()) {
    result[partition] = await outcome(client, index + 1, partition);
  }
  return result;
}

const quoted = (text: string): string => JSON.stringify(text);
const DENIED = '206 ApplicationBug';
const BAD_PATH = '204 ApplicationBug';

describe('without further ado', () => {
  test('a user opens only what is below the own id', async () => {
    const server = await startTestServer();
    const api = new Api(server.url);
    const [ada, bob] = [await api.anonymous(), await api.anonymous()];
    const client = await RawClient.connect({ url: server.url, token: ada.accessToken });
    expect(
      await outcomes(client, [
        quoted(ada.userId),
        quoted(`/${ada.userId}/todo`),
        quoted('/~/notes'),
        quoted(`/${bob.userId}/todo`),
        quoted(`/${ada.userId}x`),
        quoted('/common'),
        quoted('__admin'),
        quoted('/__other'),
        'null',
        '5',
      ]),
    ).toEqual({
      [quoted(ada.userId)]: 'open',
      [quoted(`/${ada.userId}/todo`)]: 'open',
      [quoted('/~/notes')]: 'open',
      [quoted(`/${bob.userId}/todo`)]: DENIED,
      [quoted(`/${ada.userId}x`)]: DENIED,
      [quoted('/common')]: DENIED,
      [quoted('__admin')]: DENIED,
      [quoted('/__other')]: DENIED,
      null: DENIED,
      5: DENIED,
    });
  });

  test('an administrator opens everything', async () => {
    const server = await startTestServer();
    const { accessToken } = await new Api(server.url).withPassword(ADMIN.user, ADMIN.password);
    const client = await RawClient.connect({ url: server.url, token: accessToken });
    const partitions = ['"common"', '"/0123456789abcdef01234567/todo"', '"__admin"', 'null'];
    expect(Object.values(await outcomes(client, partitions))).toEqual(['open', 'open', 'open', 'open']);
  });
});

test('in development everybody opens everything but the system realms', async () => {
  const server = await startTestServer({ development: true, permissions: () => 'none' });
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  expect(await outcomes(client, ['"common"', '5', '"__admin"', '"/__x/y"'])).toEqual({
    '"common"': 'open',
    '5': 'open',
    '"__admin"': DENIED,
    '"/__x/y"': DENIED,
  });
});

test('a permission function is told the user and the path, and its failure refuses for now', async () => {
  const asked: unknown[] = [];
  const server = await startTestServer({
    permissions: async (user, path) => {
      asked.push([user, path]);
      if (path === '/broken') throw new Error('no connection to the directory');
      return path === '/team' ? 'write' : 'none';
    },
  });
  const { accessToken, userId } = await new Api(server.url).newUser('ada@example.com');
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  expect(await outcomes(client, ['"team"', '"/~/x"'])).toEqual({ '"team"': 'open', '"/~/x"': DENIED });
  const user = { id: userId, name: 'ada@example.com', isAdmin: false };
  expect(asked).toMatchObject([
    [user, '/team'],
    [user, `/${userId}/x`],
  ]);
  client.send('bind 9 8 0 1 0', '"broken"');
  const { fields, body } = await client.next('json_error');
  expect([fields[1], JSON.parse(body.toString())]).toMatchObject([
    '201',
    { action: 'Transient', tryAgain: true },
  ]);
  expect(body.toString()).not.toContain('directory');
});

describe('partition values', () => {
  test('of other types have realms of their own', async () => {
    const server = await startTestServer({ development: true });
    const { accessToken } = await new Api(server.url).anonymous();
    const writer = await RawClient.connect({ url: server.url, token: accessToken });
    const partitions = [
      '"5"',
      '5',
      '{"$oid":"0123456789abcdef01234567"}',
      '"0123456789abcdef01234567"',
      '{"$binary":{"base64":"ASNFZ4mrTe+BI0VniavN7w==","subType":"04"}}',
      'null',
      '"null"',
    ];
    for (const [index, partition] of partitions.entries()) {
      const { download } = await writer.bindNew(index + 1, partition);
      expect([partition, download.fields[2]]).toEqual([partition, '0']);
      const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
      writer.send(uploadHead(index + 1, body, '2 0'), body);
      await writer.next('download');
    }
    // Two spellings of one value are one realm.
    for (const [index, partition] of ['{"$numberLong":"5"}', '{"$numberInt":"5"}', '"/5"', '/5'].entries()) {
      const { download } = await writer.bindNew(100 + index, partition);
      expect([partition, download.fields[2]]).toEqual([partition, '1']);
    }
  });

  test('that attack the path are refused with the reason', async () => {
    const server = await startTestServer({ development: true, flexibleSync: false });
    const { accessToken } = await new Api(server.url).withPassword(ADMIN.user, ADMIN.password);
    const client = await RawClient.connect({ url: server.url, token: accessToken });
    const attacks = [
      '"/a/../b"',
      '".."',
      '"/."',
      '""',
      '"/"',
      '"//a"',
      '"/a//b"',
      '"/a/"',
      '"a\\u0000b"',
      '"a\\nb"',
      '"a\\u0085b"',
      '"a\\"b"',
      '"a\'b"',
      '"\\ud800"',
      quoted('x'.repeat(1025)),
      quoted('ü'.repeat(600)),
      '"/__partition/int/5"',
      '"__partition"',
      '"/__partition/null"',
      '"unclosed',
      '{"$oid":"xyz"}',
      '{"a":1}',
      '[1]',
    ];
    const answers = await outcomes(client, attacks);
    expect(answers).toEqual(Object.fromEntries(attacks.map((attack) => [attack, BAD_PATH])));
    expect(await outcome(client, 100, quoted(`/${'x'.repeat(1023)}`))).toBe('open');
  });
});

describe('with the right to read only', () => {
  async function scene() {
    const server = await startTestServer({
      permissions: (user) => (user.name === 'writer@example.com' ? 'write' : 'read'),
    });
    const api = new Api(server.url);
    const token = async (email: string) => (await api.newUser(email)).accessToken;
    const writer = await RawClient.connect({ url: server.url, token: await token('writer@example.com') });
    const reader = await RawClient.connect({ url: server.url, token: await token('reader@example.com') });
    await writer.bindNew(1, '"news"');
    const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
    writer.send(uploadHead(1, body, '2 0'), body);
    await writer.next('download');
    return { writer, reader };
  }

  test('changes come down', async () => {
    const { writer, reader } = await scene();
    expect(entriesOf((await reader.bindNew(1, '"news"')).download)).toHaveLength(1);
    const body = uploadEntry(3, 0, createChangeset(1));
    writer.send(uploadHead(1, body, '3 0'), body);
    expect(await reader.downloadUpTo(2)).toMatchObject([{ changeset: createChangeset(1) }]);
    reader.send('upload 1 0 0 0 5 2 2');
    reader.send('mark 1 1');
    await reader.next('mark');
  });

  test('the schema that the realm has already may be uploaded', async () => {
    const { reader } = await scene();
    await reader.bindNew(1, '"news"');
    const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
    reader.send(uploadHead(1, body, '2 0'), body);
    expect((await reader.next('download')).fields.slice(2, 4)).toEqual(['2', '2']);
  });

  test.each([
    ['an object', createChangeset(1)],
    ['a new class', '3f0001553f01035f6964000000010100'],
    ['a new property', '3f0001543f010173060001030100'],
  ])('%s ends the session for good, without a reconnect', async (_name, changeset) => {
    const { writer, reader } = await scene();
    await reader.bindNew(1, '"news"');
    const body = uploadEntry(2, 1, changeset);
    reader.send(uploadHead(1, body, '2 1', 1), body);
    const { fields, body: json } = await reader.next('json_error');
    expect([fields[1], JSON.parse(json.toString())]).toMatchObject([
      '206',
      { action: 'ApplicationBug', tryAgain: false },
    ]);
    await writer.settle();
    expect(writer.isQuiet).toBe(true);
  });
});
