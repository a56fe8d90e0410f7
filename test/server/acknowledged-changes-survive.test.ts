import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Api } from './support/api.ts';
import {
  createChangeset,
  entriesOf,
  RawClient,
  SCHEMA_CHANGESET,
  uploadEntry,
  uploadHead,
} from './support/raw-client.ts';
import { startTestServer, temporaryDirectory } from './support/test-server.ts';

async function startProcess(dataDirectory: string): Promise<{ process: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL('support/server-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { process: child, url };
}

/** Uploads one object after another without waiting, and says what was acknowledged when the server was gone. */
async function uploadUntilGone(
  client: RawClient,
  count: number,
  onAcknowledged: (clientVersion: number) => void,
): Promise<number> {
  const first = uploadEntry(2, 0, SCHEMA_CHANGESET);
  client.send(uploadHead(1, first, '2 0'), first);
  for (let index = 0; index < count; index++) {
    const body = uploadEntry(3 + index, 0, createChangeset(index % 64));
    client.send(uploadHead(1, body, `${3 + index} 0`), body);
  }
  let acknowledged = 0;
  for (;;) {
    const frame = await client.next('download').catch(() => undefined);
    if (frame === undefined) return acknowledged;
    acknowledged = Number(frame.fields[6]);
    onAcknowledged(acknowledged);
  }
}

test('a kill, at three different moments', async () => {
  const dataDirectory = await temporaryDirectory();
  for (const [index, killAt] of [2, 40, 200].entries()) {
    const partition = `"kill-${index}"`;
    const server = await startProcess(dataDirectory);
    const { accessToken } = await new Api(server.url).anonymous();
    const client = await RawClient.connect({ url: server.url, token: accessToken });
    const file = await client.bindNew(1, partition);
    const exited = once(server.process, 'exit');
    const acknowledged = await uploadUntilGone(client, 400, (clientVersion) => {
      if (clientVersion >= killAt) server.process.kill('SIGKILL');
    });
    await exited;
    expect(acknowledged).toBeGreaterThanOrEqual(killAt);

    const restarted = await startTestServer({ dataDirectory, development: true });
    const again = await RawClient.connect({ url: restarted.url, token: accessToken });
    again.send(`bind 1 ${partition.length} 0 0 0`, partition);
    again.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
    expect(Number((await again.next('download')).fields[6])).toBeGreaterThanOrEqual(acknowledged);
    const reader = await RawClient.connect({ url: restarted.url, token: accessToken });
    // Client version 2 is the schema, which is not an object; each further one made an object or re-made one.
    expect(entriesOf((await reader.bindNew(1, partition)).download).length).toBeGreaterThanOrEqual(
      Math.min(64, acknowledged - 1),
    );
    await restarted.close();
  }
});

test('an orderly end: clients are told, the process leaves', async () => {
  const dataDirectory = await temporaryDirectory();
  const server = await startProcess(dataDirectory);
  const { accessToken } = await new Api(server.url).anonymous();
  const client = await RawClient.connect({ url: server.url, token: accessToken });
  const file = await client.bindNew(1, '"x"');
  const exited = once(server.process, 'exit');
  let asked = false;
  const acknowledged = await uploadUntilGone(client, 400, () => {
    if (!asked) server.process.kill('SIGTERM');
    asked = true;
  });
  expect((await client.closed).code).toBe(1001);
  expect(await exited).toEqual([0, null]);

  const restarted = await startTestServer({ dataDirectory, development: true });
  const again = await RawClient.connect({ url: restarted.url, token: accessToken });
  again.send('bind 1 3 0 0 0', '"x"');
  again.send(`ident 1 ${file.ident} ${file.salt} 0 0 0 0`);
  expect(Number((await again.next('download')).fields[6])).toBeGreaterThanOrEqual(acknowledged);
});

test('a client that does not answer cannot keep the server from closing', async () => {
  const server = await startTestServer({ development: true, limits: { shutdown: 50 } });
  const { accessToken } = await new Api(server.url).anonymous();
  const silent = await RawClient.connect({ url: server.url, token: accessToken });
  await silent.bindNew(1, '"x"');
  silent.socket.pause();
  await server.close();
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});
