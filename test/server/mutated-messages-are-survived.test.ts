import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Api } from './support/api.ts';
import {
  createChangeset,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

const entries = Buffer.concat([uploadEntry(2, 0, SCHEMA_CHANGESET), uploadEntry(3, 0, createChangeset(1))]);
const MESSAGES = [
  Buffer.from('bind 2 3 0 1 0\n"y"'),
  Buffer.from('bind 2 3 0 0 0\n"y"'),
  Buffer.from('ident 2 2 5 0 0 0 0\n'),
  Buffer.concat([Buffer.from(`${uploadHead(1, entries, '3 0')}\n`), entries]),
  Buffer.from('upload 1 0 0 0 4 0 0\n'),
  Buffer.from('mark 1 1\n'),
  Buffer.from('unbind 1\n'),
  Buffer.from('json_error 212 15 1\n{"message":"x"}'),
  Buffer.from('test_command 1 1 2\n{}'),
  Buffer.from('ping 1 0\n'),
];

/** One message with some of its bytes replaced, dropped or added. */
const mutated = fc
  .tuple(
    fc.constantFrom(...MESSAGES),
    fc.array(
      fc.record({
        at: fc.nat(200),
        remove: fc.nat(3),
        insert: fc.uint8Array({ maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([message, edits]) => {
    let bytes = message;
    for (const { at, remove, insert } of edits) {
      const start = at % (bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
    }
    return bytes;
  });

test('whatever a client says, the server goes on and the others are unharmed', async () => {
  const failures: unknown[] = [];
  const note = (message: string, fields?: Record<string, unknown>) => failures.push([message, fields]);
  const ignore = () => {};
  const server = await startTestServer({
    development: true,
    logger: { error: note, warn: ignore, info: ignore, verbose: ignore, debug: ignore },
  });
  const { accessToken: token } = await new Api(server.url).anonymous();
  const bystander = await RawClient.connect({ url: server.url, token });
  await bystander.bindNew(1, '"other"');

  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 6 }), async (messages) => {
      const client = await RawClient.connect({ url: server.url, token });
      await client.bindNew(1, '"x"');
      for (const message of messages) client.sendRaw(message);
      // Either it is still served, or it was told why not.
      client.send('ping 4711 0');
      for (;;) {
        const { fields } = await client.nextOfAny();
        if (fields[0] === 'pong' && fields[1] === '4711') break;
        if (fields[0] === 'json_error' && fields[3] === '0') break;
      }
      client.socket.terminate();
      await bystander.settle();
    }),
    { numRuns: 150 },
  );

  expect(failures).toEqual([]);
  const body = uploadEntry(2, 0, SCHEMA_CHANGESET);
  bystander.send(uploadHead(1, body, '2 0'), body);
  expect((await bystander.next('download')).fields[2]).toBe('1');
});
