import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Api } from './support/api.ts';
import { RawClient } from './support/raw-client.ts';
import { recordedExchange, type Step } from './support/recorded-exchange.ts';
import { startTestServer } from './support/test-server.ts';

/** Position of the salts, which are random, in the heads of messages. */
const SALT_FIELDS: Readonly<Record<string, readonly number[]>> = { ident: [3, 7], download: [5] };

/** Which salt of this run stands for which recorded one. */
class Salts {
  readonly #ours = new Map<string, string>([['0', '0']]);

  learn(recorded: string, ours: string): void {
    const known = this.#ours.get(recorded);
    if (known !== undefined) expect(ours).toBe(known);
    this.#ours.set(recorded, ours);
  }

  translate(head: string): string {
    const fields = head.split(' ');
    for (const index of SALT_FIELDS[fields[0] ?? ''] ?? []) {
      const recorded = fields[index];
      if (recorded !== undefined) fields[index] = this.#ours.get(recorded) ?? recorded;
    }
    return fields.join(' ');
  }
}

/** A head without what depends on the compressor: the size of a compressed body. */
function comparable(head: string): string {
  const fields = head.split(' ');
  return fields[0] === 'download' && fields.at(-3) === '1' ? fields.slice(0, -1).join(' ') : head;
}

function plainBody(head: string, body: Buffer): string {
  const isCompressed = head.startsWith('download') && head.split(' ').at(-3) === '1';
  return (isCompressed ? inflateSync(body) : body).toString('hex');
}

async function expectAnswer(client: RawClient, step: Step & { kind: 'server' }, salts: Salts): Promise<void> {
  let frame = await client.nextOfAny();
  // Replying to every MARK is as good as replying to the newest of those that came together.
  while (isOlderMark(frame.head, step.head)) frame = await client.nextOfAny();
  const recorded = step.head.split(' ');
  for (const index of SALT_FIELDS[recorded[0] ?? ''] ?? []) {
    if (recorded[index] !== undefined) salts.learn(recorded[index], frame.fields[index] ?? '');
  }
  expect(comparable(frame.head)).toBe(comparable(salts.translate(step.head)));
  expect(plainBody(frame.head, frame.body)).toBe(plainBody(step.head, step.body));
}

function isOlderMark(head: string, recorded: string): boolean {
  const [type, session, request] = head.split(' ');
  const [recordedType, recordedSession, recordedRequest] = recorded.split(' ');
  return (
    type === 'mark' &&
    recordedType === 'mark' &&
    session === recordedSession &&
    Number(request) < Number(recordedRequest)
  );
}

test.each(['pbs-trace.txt', 'two-clients-frames.log'])('%s', async (name) => {
  const server = await startTestServer({ development: true });
  const { accessToken } = await new Api(server.url).anonymous();
  const clients = new Map<number, RawClient>();
  const salts = new Salts();
  for (const step of recordedExchange(name)) {
    let client = clients.get(step.connection);
    if (!client) {
      client = await RawClient.connect({ url: server.url, token: accessToken });
      clients.set(step.connection, client);
    }
    if (step.kind === 'client') client.send(salts.translate(step.head), step.body);
    else if (step.kind === 'close') client.socket.close();
    else if (!step.head.startsWith('log_message')) await expectAnswer(client, step, salts);
  }
  for (const client of clients.values()) expect(client.isQuiet).toBe(true);
});
