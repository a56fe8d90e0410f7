import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Api, request } from './support/api.ts';
import { startTestServer, temporaryDirectory } from './support/test-server.ts';
import { signed } from './support/token-issuer.ts';

const AUTHENTICATION = {
  apiKey: true,
  customToken: { algorithm: 'HS256', key: 'a secret of thirty-two bytes or more' },
} as const;

async function startProcess(dataDirectory: string): Promise<{ url: string; kill: () => Promise<void> }> {
  const script = fileURLToPath(new URL('support/server-process.ts', import.meta.url));
  const options = JSON.stringify({ authentication: AUTHENTICATION });
  const child = spawn(process.execPath, [script, dataDirectory, options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    url,
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('users, identities, sessions and keys that were answered survive a kill', async () => {
  const dataDirectory = await temporaryDirectory();
  const process = await startProcess(dataDirectory);
  const before = new Api(process.url);
  const ada = await before.newUser('ada@example.com');
  const token = await signed(
    { algorithm: 'HS256', privateKey: Buffer.from(AUTHENTICATION.customToken.key) },
    { sub: 'ada' },
  );
  const linked = await request(`${before.app}/auth/providers/custom-token/login?link=true`, {
    method: 'POST',
    token: ada.accessToken,
    body: { token },
  });
  expect(linked.status).toBe(200);
  const made = await request(`${before.base}/auth/api_keys`, {
    method: 'POST',
    token: ada.refreshToken,
    body: { name: 'laptop' },
  });
  await process.kill();

  const after = new Api((await startTestServer({ dataDirectory, authentication: AUTHENTICATION })).url);
  expect((await after.withPassword('ada@example.com', 'secret1')).userId).toBe(ada.userId);
  expect((await after.login('api-key', { key: made.body.key })).body.user_id).toBe(ada.userId);
  expect((await after.login('custom-token', { token })).body.user_id).toBe(ada.userId);
  for (const refreshToken of [ada.refreshToken, String(linked.body.refresh_token)]) {
    const session = { method: 'POST', token: refreshToken };
    expect((await request(`${after.base}/auth/session`, session)).status).toBe(201);
  }
});
