/** examples/tasks.ts, as its reader would run it: two devices of one user. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Api } from '../../server/support/api.ts';
import { startTestServer } from '../../server/support/test-server.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';

const PROGRAM = fileURLToPath(new URL('../../../examples/tasks.ts', import.meta.url));
const ANN = ['ann@example.com', 'correct horse'] as const;

test('what is added on one device is done on the other', async () => {
  const server = await startTestServer({ development: true });
  await new Api(server.url).register(...ANN);
  const run = async (device: string, ...command: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [PROGRAM, server.url, ...ANN, device, ...command])).stdout;
  const [phone, tablet] = [temporaryDirectory(), temporaryDirectory()];
  await run(phone, 'add', 'Buy milk');
  await run(phone, 'add', 'Water the plants');
  await run(tablet, 'done', 'Buy milk');
  await run(tablet, 'remove', 'Water the plants');
  expect(await run(phone, 'list')).toBe('[x] Buy milk\n');
}, 120_000);
