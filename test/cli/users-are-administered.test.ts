/** `isthmus user`: the command as it is run, against a running server and beside one that does not run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer } from '../../src/server/start-server.ts';
import { Api, request } from '../server/support/api.ts';
import { expectError } from '../server/support/expect-error.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'an-admin-token-of-32-characters!';
const ADMIN = { adminUser: 'root', adminPassword: 'correct horse' };

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

let directory: string;
let dataDirectory: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-user-'));
  dataDirectory = join(directory, 'data');
  await writeFile(join(directory, 'config.json'), JSON.stringify({ server: { dataDirectory: 'data' } }));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

async function user(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/isthmus.js'), 'user', ...args], {
    cwd: directory,
    env: { ...process.env, ...env },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that needs no input may be over before it arrives.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  running.delete(child);
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

const start = () => startServer({ dataDirectory, port: 0, ...ADMIN });

test('users of the running server are made, changed and deleted, and it knows at once', async () => {
  const server = await start();
  try {
    const api = new Api(server.url);
    expect((await stat(join(dataDirectory, 'control.json'))).mode & 0o077).toBe(0);
    expect(await user(['create', 'ann@example.com', '--password-stdin'], 'secret1\n')).toMatchObject({
      code: 0,
    });
    const ann = await api.withPassword('ann@example.com', 'secret1');
    const data = await user(['data', 'ann@example.com', '{"leads": "garden"}']);
    expect(data).toMatchObject({ code: 0, stdout: '{"leads":"garden"}\n' });
    const profile = await request(`${api.base}/auth/profile`, { token: ann.accessToken });
    expect(profile.body.custom_data).toEqual({ leads: 'garden' });
    expect((await user(['promote', ann.userId])).stdout).toContain('administrator');
    const listed: unknown = JSON.parse((await user(['list', '--json'])).stdout);
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: ann.userId, admin: true, customData: { leads: 'garden' } }),
      ]),
    );

    expect((await user(['disable', 'ann@example.com'])).code).toBe(0);
    expectError(await request(`${api.base}/auth/profile`, { token: ann.accessToken }), 401, 'InvalidSession');
    const unsure = await user(['delete', 'ann@example.com']);
    expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect((await user(['delete', 'ann@example.com', '--yes'])).code).toBe(0);
    const missing = await user(['promote', 'ann@example.com']);
    expect(missing).toMatchObject({ code: 3, stderr: expect.stringContaining('ann@example.com') });
  } finally {
    await server.close();
  }
});

test('without a running server the data directory is changed, and the server finds it so', async () => {
  await (await start()).close();
  expect(existsSync(join(dataDirectory, 'control.json'))).toBe(false);
  const made = await user(['create', 'bob', '--generate-password', '--admin', '--json']);
  const { password } = JSON.parse(made.stdout) as { readonly password: string };
  const server = await start();
  try {
    expect((await new Api(server.url).withPassword('bob', password)).userId).toMatch(/^[0-9a-f]{24}$/);
  } finally {
    await server.close();
  }
});

test('what a killed server left behind does not keep the command from working', async () => {
  await (await start()).close();
  const left = { url: 'http://127.0.0.1:1', token: TOKEN };
  await writeFile(join(dataDirectory, 'control.json'), JSON.stringify(left));
  expect(await user(['list'])).toMatchObject({ code: 0, stdout: expect.stringContaining('root') });
});

test('a server that is named is opened by its token, which is not shown', async () => {
  const server = await startServer({ dataDirectory, port: 0, ...ADMIN, adminToken: TOKEN });
  try {
    const there = ['list', '--server', server.url];
    expect((await user(there, '', { ISTHMUS_ADMIN_TOKEN: TOKEN })).code).toBe(0);
    expect((await user([...there, '--admin-token', TOKEN])).code).toBe(0);
    const wrong = `${TOKEN}wrong`;
    const refused = await user([...there, '--admin-token', wrong]);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('--admin-token') });
    expect(refused.stderr).not.toContain(wrong);
  } finally {
    await server.close();
  }
});
