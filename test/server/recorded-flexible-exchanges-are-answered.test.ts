/**
 * What the SDK's client said to a server that was made up, said to ours. Versions of the server differ, since the made-up
 * one counted as it liked and invented objects; what the client's own messages determine is compared.
 */
import { expect, test } from 'vitest';
import { decodeChangeset } from '../../src/changeset/codec.ts';
import { parseUploadBody } from '../../src/protocol/entry-bodies.ts';
import type { ServerOptions } from '../../src/server/server-options.ts';
import { applyInstructions } from '../../src/store/state/apply.ts';
import { recordedFrames } from '../protocol/recorded-frames.ts';
import { Api } from './support/api.ts';
import { FlexibleClient } from './support/flexible-client.ts';
import type { Frame } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

/** Positions of the server versions in the heads of a client's messages. */
const SERVER_VERSIONS: Readonly<Record<string, readonly number[]>> = { upload: [6, 7] };
const ENTRY = /^(\d+) (\d+) (\d+) (\d+) (\d+) /;

type Recorded = { readonly from: 'client' | 'server'; readonly fields: string[]; readonly body: Buffer };

function recorded(file: string): Recorded[] {
  return recordedFrames(file)
    .filter(({ mode }) => mode === 'flx')
    .map(({ from, bytes }) => {
      const end = bytes.indexOf(10);
      return {
        from,
        fields: bytes.subarray(0, end).toString('latin1').split(' '),
        body: bytes.subarray(end + 1),
      };
    });
}

/** What an answer must be, whoever gives it. */
function determined({ fields, body }: Pick<Frame, 'fields' | 'body'>): unknown {
  const [type] = fields;
  if (type === 'download') {
    const [, session, , , , , uploadClientVersion, , queryVersion, state, progress] = fields;
    return { type, session, uploadClientVersion, queryVersion, state, progress };
  }
  if (type === 'json_error') {
    const { action, tryAgain, rejectedClientVersion, rejectedUpdates } = JSON.parse(body.toString());
    const rejected = rejectedUpdates.map(({ table, pk }: Record<string, unknown>) => ({ table, pk }));
    return { type, code: fields[1], action, tryAgain, rejectedClientVersion, rejected };
  }
  return type === 'ident' ? { type, session: fields[1] } : fields.join(' ');
}

async function replay(frames: readonly Recorded[], options: Partial<ServerOptions>): Promise<FlexibleClient> {
  const server = await startTestServer({ flexibleSync: { schema: 'additive' }, ...options });
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await FlexibleClient.connect({ url: server.url, token: accessToken });
  client.clientVersion = Number.MAX_SAFE_INTEGER;
  const versions = new Map<string, string>([['0', '0']]);
  const version = (theirs = ''): string => versions.get(theirs) ?? theirs;
  let ident: readonly string[] = [];
  for (const { from, fields, body } of frames) {
    if (from === 'client') {
      const ours = [...fields];
      for (const position of SERVER_VERSIONS[fields[0] ?? ''] ?? [])
        ours[position] = version(fields[position]);
      if (fields[0] === 'ident') ours.splice(2, 2, ...ident);
      const text = body.toString('latin1');
      const entry = fields[0] === 'upload' ? ENTRY.exec(text) : null;
      const sent =
        entry === null
          ? body
          : Buffer.from(text.replace(ENTRY, `$1 ${version(entry[2])} $3 $4 $5 `), 'latin1');
      if (fields[0] === 'upload') ours.splice(3, 1, String(sent.length));
      client.raw.send(ours.join(' '), sent);
      // A client has what it uploads.
      for (const { changeset } of fields[0] === 'upload' ? parseUploadBody(sent) : []) {
        applyInstructions(client.view, decodeChangeset(changeset).instructions);
      }
      continue;
    }
    // The made-up server cut its bootstraps into several messages.
    if (fields[0] === 'download' && fields[9] === '0') continue;
    const frame = await client.raw.nextOfAny();
    expect(determined(frame)).toEqual(determined({ fields, body }));
    if (frame.fields[0] === 'ident') {
      ident = frame.fields.slice(2);
      client.file = { ...client.file, ident: ident[0] ?? '', salt: ident[1] ?? '' };
    }
    if (frame.fields[0] === 'download') {
      versions.set(fields[2] ?? '', frame.fields[2] ?? '');
      const { entries } = client.take(frame);
      expect(fields[9] === '1' ? entries.length : 1).toBeGreaterThan(0);
    }
  }
  expect(client.raw.isQuiet).toBe(true);
  return client;
}

test('a client that creates what it may not create is told, and forgets the object', async () => {
  const client = await replay(recorded('../vectors/traces/flx-trace.txt'), {
    rules: { classes: { T: { roles: [{ name: 'reader', read: true, write: true, insert: false }] } } },
  });
  expect(client.rejections).toEqual([]);
  expect(client.keys('T')).toEqual([]);
  const undone = client.downloads.find(({ clientVersion }) => clientVersion === 17);
  expect(undone?.entries.map(({ changeset }) => Buffer.from(changeset).toString('hex'))).toEqual([
    '3f00015403000102',
  ]);
});

test('an app that opens, subscribes and writes', async () => {
  const client = await replay(recorded('./probed-frames.txt'), { development: true });
  expect(client.keys('Item')).toEqual(['0123456789abcdef01234567']);
});
