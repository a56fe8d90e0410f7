import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { RunningServer } from '../../src/server/server-options.ts';
import { Api } from './support/api.ts';
import {
  createChangeset,
  entriesOf,
  type Frame,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

/** Code, session and what the client is told to do. */
function errorOf({ fields, body }: Frame): Record<string, unknown> {
  const json: Record<string, unknown> = JSON.parse(body.toString());
  // Clients close the connection when one of these is missing or of another type (spec/wire-protocol.md §4.2).
  expect(json).toMatchObject({
    message: expect.any(String),
    tryAgain: expect.any(Boolean),
    isRecoveryModeDisabled: expect.any(Boolean),
    shouldClientReset: expect.any(Boolean),
    logURL: expect.any(String),
    action: expect.any(String),
  });
  expect(body.length).toBe(Number(fields[2]));
  return {
    type: fields[0],
    code: Number(fields[1]),
    session: Number(fields[3]),
    tryAgain: json.tryAgain,
    action: json.action,
  };
}

type Situation = { readonly server: RunningServer; readonly token: string; readonly bystander: RawClient };

/** A server with a realm that somebody else uses meanwhile. */
async function situation(): Promise<Situation> {
  const server = await startTestServer({ development: true });
  const { accessToken: token } = await new Api(server.url).anonymous();
  const bystander = await RawClient.connect({ url: server.url, token });
  await bystander.bindNew(1, '"other"');
  return { server, token, bystander };
}

async function expectUnharmed({ server, token, bystander }: Situation): Promise<void> {
  const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
  bystander.send(uploadHead(1, body, '2 0'), body);
  expect((await bystander.next('download')).fields.slice(2, 4)).toEqual(['1', '2']);
  const another = await RawClient.connect({ url: server.url, token });
  const { download } = await another.bindNew(1, '"other"');
  expect(entriesOf(download)).toHaveLength(1);
}

const zeros = Buffer.alloc(4 * 1024 * 1024);
const deflatedZeros = deflateSync(zeros);
const deflated = deflateSync(uploadEntry(2, 0, SCHEMA_CHANGESET));

describe('ends the connection, with the reason', () => {
  const cases: [string, number, (client: RawClient) => void][] = [
    ['an unknown message', 102, (client) => client.send('bogus 1')],
    ['a text message', 103, (client) => client.sendRaw('mark 1 1\n')],
    ['an empty message', 103, (client) => client.sendRaw(Buffer.alloc(0))],
    ['bytes without a head', 103, (client) => client.sendRaw(Buffer.alloc(2000, 0xff))],
    ['a number that is none', 103, (client) => client.send('mark x 1')],
    ['a missing field', 103, (client) => client.send('mark 1')],
    ['left-over bytes', 103, (client) => client.send('mark 1 1', 'more')],
    ['a body that is cut off', 103, (client) => client.send(uploadHead(1, zeros, '2 0'), 'short')],
    ['a number beyond 2^63', 103, (client) => client.send('mark 1 99999999999999999999')],
    [
      'an announced body beyond the limit',
      103,
      (client) => client.send('upload 1 1 999999999999 5 2 0 0', 'xxxxx'),
    ],
    ['a message to no session', 106, (client) => client.send('mark 7 1')],
    ['a session ident in use', 107, (client) => client.send('bind 1 3 0 1 0', '"x"')],
    ['a second IDENT', 109, (client) => client.send('ident 1 2 5 0 0 0 0')],
    [
      'a MARK before IDENT',
      109,
      (client) => {
        client.send('bind 2 3 0 0 0', '"x"');
        client.send('mark 2 1');
      },
    ],
    [
      'an IDENT before it was given one',
      109,
      (client) => {
        client.send('bind 2 3 0 1 0', '"x"');
        client.send('ident 2 2 5 0 0 0 0');
      },
    ],
    ['no zlib stream', 110, (client) => client.send('upload 1 1 100 5 2 0 0', 'hello')],
    [
      'a cut zlib stream',
      110,
      (client) => {
        client.send(
          `upload 1 1 ${uploadEntry(2, 0, SCHEMA_CHANGESET).length} 12 2 0 0`,
          deflated.subarray(0, 12),
        );
      },
    ],
    [
      'a stream that inflates to more than announced',
      110,
      (client) => {
        client.send(`upload 1 1 100 ${deflatedZeros.length} 2 0 0`, deflatedZeros);
      },
    ],
    [
      'a stream that inflates to less than announced',
      110,
      (client) => {
        client.send(`upload 1 1 100000 ${deflated.length} 2 0 0`, deflated);
      },
    ],
    [
      'an entry without a head',
      111,
      (client) => {
        client.send(`upload 1 1 ${zeros.length} ${deflatedZeros.length} 2 0 0`, deflatedZeros);
      },
    ],
    [
      'an entry longer than its message',
      112,
      (client) => {
        client.send('upload 1 0 12 0 2 0 0', '2 0 1 0 99 x');
      },
    ],
  ];
  test.each(cases)('%s', async (_name, code, act) => {
    const scene = await situation();
    const client = await RawClient.connect({ url: scene.server.url, token: scene.token });
    await client.bindNew(1, '"broken"');
    act(client);
    let frame = await client.nextOfAny();
    while (frame.fields[0] === 'ident') frame = await client.nextOfAny();
    expect(errorOf(frame)).toEqual({
      type: 'json_error',
      code,
      session: 0,
      tryAgain: false,
      action: 'ProtocolViolation',
    });
    await client.closed;
    expect(client.isQuiet).toBe(true);
    await expectUnharmed(scene);
  });
});

describe('ends the session only, with the reason', () => {
  const upload = (
    client: RawClient,
    changeset: string,
    versions = '2 0',
    progress = versions,
    locked = 0,
  ) => {
    const [clientVersion = 0, serverVersion = 0] = versions.split(' ').map(Number);
    const body = uploadEntry(clientVersion, serverVersion, changeset);
    client.send(uploadHead(1, body, progress, locked), body);
  };
  const cases: [string, number, (client: RawClient) => void][] = [
    ['a changeset that does not parse', 212, (client) => upload(client, 'ffff')],
    ['a changeset that does not apply', 212, (client) => upload(client, createChangeset(1))],
    ['a base that was not downloaded', 209, (client) => upload(client, SCHEMA_CHANGESET, '2 5')],
    ['an entry beyond the progress', 210, (client) => upload(client, SCHEMA_CHANGESET, '3 0', '2 0')],
    [
      'a locked version beyond the cursor',
      209,
      (client) => upload(client, SCHEMA_CHANGESET, '2 0', '2 0', 9),
    ],
    [
      'an unknown client file',
      208,
      (client) => {
        client.send('bind 2 8 0 0 0', '"broken"');
        client.send('ident 2 99 5 0 0 0 0');
      },
    ],
    [
      'a wrong salt',
      211,
      (client) => {
        client.send('bind 2 8 0 0 0', '"broken"');
        client.send('ident 2 2 5 0 0 0 0');
      },
    ],
    [
      'a version from the future',
      209,
      (client) => {
        client.send('bind 2 8 0 0 0', '"broken"');
        client.send('ident 2 2 5 0 0 9 9');
      },
    ],
    ['a client that could not go on', 217, (client) => client.send('json_error 212 15 1', '{"message":"x"}')],
  ];
  test.each(cases)('%s', async (_name, code, act) => {
    const scene = await situation();
    const client = await RawClient.connect({ url: scene.server.url, token: scene.token });
    await client.bindNew(1, '"broken"');
    await client.bindNew(3, '"fine"');
    act(client);
    const error = errorOf(await client.nextOfAny());
    expect(error).toEqual({
      type: 'json_error',
      code,
      session: expect.any(Number),
      tryAgain: false,
      action: 'ClientReset',
    });
    const session = Number(error.session);
    expect(session).toBeGreaterThan(0);
    // What was under way when the error was sent is ignored, and UNBIND is not answered; the ident is free again.
    client.send(`mark ${session} 9`);
    client.send(`unbind ${session}`);
    await client.settle();
    expect((await client.bindNew(session, '"broken"')).ident).toBe('3');
    client.send('mark 3 1');
    await client.next('mark');
    await expectUnharmed(scene);
  });

  test('an upload that is good up to a changeset keeps what came before', async () => {
    const { server, token } = await situation();
    const client = await RawClient.connect({ url: server.url, token });
    const file = await client.bindNew(1, '"broken"');
    const body = Buffer.concat([
      uploadEntry(2, 0, SCHEMA_CHANGESET),
      uploadEntry(3, 0, createChangeset(1)),
      uploadEntry(4, 0, 'ff'),
      uploadEntry(5, 0, createChangeset(2)),
    ]);
    client.send(uploadHead(1, body, '5 0'), body);
    let frame = await client.nextOfAny();
    while (frame.fields[0] === 'download') frame = await client.nextOfAny();
    expect(errorOf(frame).code).toBe(212);
    const again = await RawClient.connect({ url: server.url, token });
    again.send('bind 1 8 0 0 0', '"broken"');
    again.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
    expect((await again.next('download')).fields.slice(2, 4)).toEqual(['2', '3']);
  });
});

test('flexible sync is refused clearly where it is switched off', async () => {
  const server = await startTestServer({ flexibleSync: false });
  const token = (await new Api(server.url).anonymous()).accessToken;
  const protocols = ['com.mongodb.realm-query-sync#14'];
  const client = await RawClient.connect({ url: server.url, token, protocols });
  client.send('bind 1 37 0 1 0', '{"schemaVersion":3,"sessionReason":0}');
  expect(errorOf(await client.nextOfAny())).toMatchObject({ code: 114, session: 0, tryAgain: false });
});

test('a client from before JSON errors gets the old form', async () => {
  const { server, token } = await situation();
  const client = await RawClient.connect({ url: server.url, token, protocols: ['com.mongodb.realm-sync#3'] });
  client.send('bogus');
  const { fields, body } = await client.next('error');
  expect(fields.slice(1)).toEqual(['102', String(body.length), '0', '0']);
  expect(client.logs).toEqual([]);
});

test('a message beyond the limit of the socket closes it with 1009', async () => {
  const server = await startTestServer({ development: true, limits: { message: 100_000 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  client.sendRaw(Buffer.alloc(200_000));
  expect((await client.closed).code).toBe(1009);
});

test('more sessions than allowed end the connection', async () => {
  const server = await startTestServer({ development: true, limits: { sessionsPerConnection: 1 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  await client.bindNew(1, '"a"');
  client.send('bind 2 3 0 1 0', '"b"');
  expect(errorOf(await client.nextOfAny())).toMatchObject({ code: 101, session: 0 });
});
