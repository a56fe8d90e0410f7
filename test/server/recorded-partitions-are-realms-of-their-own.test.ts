/**
 * What one app said that opened partitions of every type and the flexible realm, and was started again: the answers were
 * not recorded, and those that it had were made up, so that file idents and server versions are those of our server here.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Api } from './support/api.ts';
import { FlexibleClient, flexibleProtocols } from './support/flexible-client.ts';
import { entriesOf, type Frame, RawClient } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

type Said = { readonly fields: readonly string[]; readonly body: Buffer };
type Connection = { readonly isFlexible: boolean; readonly said: Said[] };

/** `conn 1 com.mongodb.realm-sync#14`, and below it ` c>s #1 "bind 1 3 0 1 0\n\"x\""`. */
function recordedConnections(): Connection[] {
  const connections: Connection[] = [];
  const file = new URL('../vectors/traces/partitions.log', import.meta.url);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, protocol] = /^conn \d+ (\S+)$/.exec(line) ?? [];
    if (protocol !== undefined) connections.push({ isFlexible: protocol.includes('query'), said: [] });
    const [, text] = /^ c>s #\d+ (".*")$/.exec(line) ?? [];
    if (text === undefined) continue;
    const message = Buffer.from(JSON.parse(text) as string, 'latin1');
    const end = message.indexOf(10);
    const fields = message.subarray(0, end).toString().split(' ');
    connections.at(-1)?.said.push({ fields, body: message.subarray(end + 1) });
  }
  return connections;
}

/** What a client knows of a file: what it was given, and how far it has come. */
type File = {
  ident: string;
  salt: string;
  version: string;
  latest: string;
  latestSalt: string;
  acknowledged: number;
};
const UNKNOWN: File = { ident: '', salt: '', version: '0', latest: '0', latestSalt: '0', acknowledged: 0 };

class Replay {
  /** By the ident that was recorded. */
  readonly #files = new Map<string, File>();
  readonly #address: { readonly url: string; readonly token: string };

  constructor(url: string, token: string) {
    this.#address = { url, token };
  }

  async connection({ isFlexible, said }: Connection): Promise<void> {
    const protocols = isFlexible ? { protocols: flexibleProtocols() } : {};
    const client = await RawClient.connect({ ...this.#address, ...protocols });
    const sessions = new Map<string, File>();
    for (const { fields, body } of said) {
      const [type = '', session = ''] = fields;
      const file = sessions.get(session) ?? { ...UNKNOWN };
      sessions.set(session, file);
      switch (type) {
        case 'bind':
          client.send(fields.join(' '), body);
          if (fields[4] === '1')
            [file.ident = '', file.salt = ''] = (await client.next('ident')).fields.slice(2);
          break;
        case 'ident': {
          const known = this.#files.get(fields[2] ?? '');
          if (known !== undefined) sessions.set(session, known);
          else this.#files.set(fields[2] ?? '', file);
          const { ident, salt, version, latest, latestSalt } = known ?? file;
          const rest = [version, '0', latest, latestSalt, ...fields.slice(8)];
          client.send(['ident', session, ident, salt, ...rest].join(' '), body);
          learn(known ?? file, await client.next('download'));
          break;
        }
        case 'upload': {
          const version = file.version;
          client.send([...fields.slice(0, 6), version, version].join(' '), body);
          // Changes are acknowledged, once: of those that it sends again it was told before.
          const changed = Number.parseInt(body.toString('latin1'), 10) || 0;
          while (file.acknowledged < changed) learn(file, await client.next('download'));
          break;
        }
        case 'query':
          client.send(fields.join(' '), body);
          learn(file, await client.next('download'));
          break;
        default:
          client.send(fields.join(' '), body);
          expect((await client.next(type)).fields.slice(1)).toEqual(fields.slice(1));
      }
    }
    await client.settle();
    expect(client.isQuiet).toBe(true);
  }
}

function learn(file: File, { fields }: Frame): void {
  [, , file.version = '', , file.latest = '', file.latestSalt = ''] = fields;
  file.acknowledged = Number(fields[6]);
}

test('partitions.log', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const { accessToken } = await new Api(server.url).anonymous();
  const replay = new Replay(server.url, accessToken);
  const recorded = recordedConnections();
  expect(recorded.map(({ said }) => said.length)).toEqual([20, 8, 4, 4]);
  for (const connection of recorded) await replay.connection(connection);

  const binds = recorded[0]?.said.filter(({ fields }) => fields[0] === 'bind') ?? [];
  const reader = await RawClient.connect({ url: server.url, token: accessToken });
  for (const [index, { body }] of binds.entries()) {
    const { download } = await reader.bindNew(index + 1, body.toString());
    expect(entriesOf(download)).toHaveLength(1);
  }
  const flexible = await FlexibleClient.start({ url: server.url, token: accessToken });
  expect([...flexible.view.schema.keys()]).toEqual(['I']);
  await flexible.subscribe(1, { I: '(_id > 3 and s == "a") OR (_id IN {2, 1})' });
});
