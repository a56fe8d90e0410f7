/**
 * A server as an operator would set it up for an app in the browser, and beside it a small site on another origin: it
 * has the app's page, the mails that were sent, and what else the journeys need from outside.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import type { Mail } from '../../src/server/accounts/email-options.ts';
import { ADMIN, startTestServer } from '../server/support/test-server.ts';

const SECRET = 'a secret of thirty-two characters';
const PAGE = '<!doctype html><title>app</title><script src="/realm-web.js"></script>';
const BUNDLE = new URL('../../node_modules/realm-web/dist/bundle.iife.js', import.meta.url);
const JOURNEYS = new URL('./journeys.js', import.meta.url);
const HELPERS = new URL('./journey-helpers.js', import.meta.url);

export type WebWorld = { readonly serverUrl: string; readonly siteUrl: string };

export async function startWebWorld(): Promise<WebWorld> {
  const mails = new Map<string, Mail>();
  const mail = { send: async (sent: Mail) => void mails.set(sent.to, sent) };
  const server = await startTestServer({
    authentication: {
      emailPassword: {
        confirmation: { mail, confirmationUrl: 'https://app.example.com/confirm' },
        reset: { mail, resetUrl: 'https://app.example.com/reset' },
      },
      apiKey: true,
      customToken: {
        algorithm: 'HS256',
        key: SECRET,
        audience: 'isthmus',
        metadata: [{ from: 'name', to: 'name' }],
      },
      customFunction: ({ ticket, of }) => {
        if (ticket !== 'good') throw new Error('no good ticket');
        return String(of);
      },
    },
    functions: {
      sum: (a: unknown, b: unknown) => Number(a) + Number(b),
      echo: (value: unknown) => value,
      nothing: () => undefined,
      misleading: () => ({ error: 'none at all', error_code: 'neither' }),
      fail: (message: unknown) => {
        throw new Error(String(message));
      },
      who: { run: ({ user }) => user.id },
    },
  });
  const answers: Readonly<Record<string, (url: URL) => Promise<string> | string>> = {
    '/': () => PAGE,
    '/realm-web.js': () => readFile(BUNDLE, 'utf8'),
    '/journeys.js': () => readFile(JOURNEYS, 'utf8'),
    '/journey-helpers.js': () => readFile(HELPERS, 'utf8'),
    '/mail': (url) => linkOf(mails, url.searchParams.get('to') ?? ''),
    '/token': (url) => tokenFor(url.searchParams.get('for') ?? ''),
    '/custom-data': (url) => setCustomData(server.url, url.searchParams),
  };
  const site = await listen(answers);
  return { serverUrl: server.url, siteUrl: site };
}

async function listen(
  answers: Readonly<Record<string, (url: URL) => Promise<string> | string>>,
): Promise<string> {
  const site: Server = createServer((request, response) => void answer(answers, request, response));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => site.close(() => resolve())));
  onTestFinished(() => site.closeAllConnections());
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
}

async function answer(
  answers: Readonly<Record<string, (url: URL) => Promise<string> | string>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://site');
  const found = answers[url.pathname];
  const type = url.pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
  try {
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': type });
    response.end(found === undefined ? '' : await found(url));
  } catch (error) {
    response.end(String(error));
  }
}

/** The token and token id of the last mail to somebody. */
function linkOf(mails: ReadonlyMap<string, Mail>, to: string): string {
  const link = /https:\S+/.exec(mails.get(to)?.text ?? '')?.[0] ?? 'https://none';
  const { searchParams } = new URL(link);
  return JSON.stringify({ token: searchParams.get('token'), tokenId: searchParams.get('tokenId') });
}

function tokenFor(user: string): Promise<string> {
  return new SignJWT({ name: 'Jane' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setAudience('isthmus')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(SECRET));
}

/** As an administrator does it, over the admin API. */
async function setCustomData(serverUrl: string, asked: URLSearchParams): Promise<string> {
  const login = await fetch(`${serverUrl}/api/client/v2.0/app/isthmus/auth/providers/local-userpass/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: ADMIN.user, password: ADMIN.password }),
  });
  const { access_token: token } = (await login.json()) as { readonly access_token?: unknown };
  const response = await fetch(`${serverUrl}/api/admin/v1/users/${asked.get('user')}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${String(token)}` },
    body: JSON.stringify({ customData: JSON.parse(asked.get('data') ?? '{}') }),
  });
  if (!response.ok) throw new Error(`custom data: ${response.status} ${await response.text()}`);
  return 'done';
}
