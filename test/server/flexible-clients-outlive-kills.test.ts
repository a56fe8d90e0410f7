import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Api } from './support/api.ts';
import { create, FlexibleClient, int, set, string, T_SCHEMA } from './support/flexible-client.ts';
import { temporaryDirectory } from './support/test-server.ts';

const OPTIONS = { flexibleSync: {}, limits: { download: 4_000 } };

async function startProcess(dataDirectory: string): Promise<{ process: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL('support/server-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDirectory, JSON.stringify(OPTIONS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { process: child, url };
}

test('a kill in the middle of uploads and of a bootstrap loses nothing that was acknowledged', async () => {
  const dataDirectory = await temporaryDirectory();
  const first = await startProcess(dataDirectory);
  const { accessToken: token } = await new Api(first.url).anonymous();
  const author = await FlexibleClient.start({ url: first.url, token });
  author.upload(T_SCHEMA);
  await author.acknowledged();
  await author.subscribe(1, { T: '(TRUEPREDICATE)' });
  const reader = await FlexibleClient.start({ url: first.url, token });
  for (let id = 1; id <= 50; id += 1) author.upload([create(id), set(id, 's', string('x'.repeat(500)))]);
  await author.acknowledged();
  const before = reader.file;
  reader.sendQuery(1, { T: '(_id > 10)' });
  expect((await reader.nextDownload()).state).not.toBe(1);

  const exited = once(first.process, 'exit');
  for (let id = 51; id <= 250; id += 1) author.upload([create(id), set(id, 'n', int(id))]);
  while (author.file.uploadClientVersion < author.clientVersion - 150) await author.nextDownload();
  first.process.kill('SIGKILL');
  await exited;
  for (;;) {
    const frame = await author.raw.nextOfAny().catch(() => undefined);
    if (frame === undefined) break;
    if (frame.fields[0] === 'download') author.take(frame);
  }

  const second = await startProcess(dataDirectory);
  const returned = await FlexibleClient.connect({
    url: second.url,
    token,
    file: author.file,
    view: author.view,
  });
  returned.clientVersion = author.clientVersion;
  await returned.bind();
  await returned.nextDownload();
  await returned.settle();
  expect(returned.file.uploadClientVersion).toBeGreaterThanOrEqual(author.file.uploadClientVersion);
  expect(returned.rejections).toEqual([]);

  const again = await FlexibleClient.connect({ url: second.url, token, file: before });
  await again.bind();
  await again.bootstrap(0);
  await again.subscribe(1, { T: '(_id > 10)' });
  // Client version 2 is the schema; each further one made an object.
  expect(again.keys('T')).toHaveLength(returned.file.uploadClientVersion - 2 - 10);
});
