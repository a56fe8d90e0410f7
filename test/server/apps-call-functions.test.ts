import { EJSON } from 'bson';
import { expect, test } from 'vitest';
import type { AppFunctionsOptions } from '../../src/server/functions/app-function.ts';
import type { ServerOptions } from '../../src/server/server-options.ts';
import { type Answer, Api, request } from './support/api.ts';
import { expectError } from './support/expect-error.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

async function world(functions: AppFunctionsOptions, options: Partial<ServerOptions> = {}) {
  const server = await startTestServer({ functions, ...options });
  const api = new Api(server.url);
  const ann = await api.newUser('ann@example.com');
  const url = `${api.app}/functions/call`;
  const call = (name: string, args: readonly unknown[] = [], token = ann.accessToken): Promise<Answer> =>
    request(url, { method: 'POST', token, body: { name, arguments: args } });
  return { server, api, ann, url, call };
}

/** Any type but exactly `application/json`, under which native clients look for errors. */
const RESULT = { status: 200, contentType: 'application/json; charset=utf-8' };

test('arguments arrive as values, canonical or relaxed, and results leave in canonical form', async () => {
  let taken: readonly unknown[] = [];
  const { call } = await world({
    take: (...args: unknown[]) => {
      taken = args;
      return args;
    },
  });
  const canonical = [
    { $numberInt: '1' },
    { $numberLong: '2' },
    { $numberLong: '9007199254740993' },
    { $numberDouble: '1.5' },
    { $date: { $numberLong: '1700000000123' } },
    { nested: [{ $numberInt: '7' }, null, 'x', true] },
  ];
  const answer = await call('take', canonical);
  expect(answer).toMatchObject(RESULT);
  expect(taken).toEqual([
    1,
    2,
    9007199254740993n,
    1.5,
    new Date(1_700_000_000_123),
    { nested: [7, null, 'x', true] },
  ]);
  expect(JSON.parse(answer.text)).toEqual([{ $numberInt: '1' }, { $numberInt: '2' }, ...canonical.slice(2)]);

  await call('take', [5, 2.5, { $date: '2026-01-02T03:04:05.678Z' }, { $numberDouble: 'NaN' }]);
  expect(taken).toEqual([5, 2.5, new Date('2026-01-02T03:04:05.678Z'), Number.NaN]);

  const kept = [
    { $oid: '0123456789abcdef01234567' },
    { $binary: { base64: 'AAEC', subType: '00' } },
    { $binary: { base64: 'AAAAAAAAAAAAAAAAAAAAAA==', subType: '04' } },
    { $numberDecimal: '1.10' },
    { $regularExpression: { pattern: 'a', options: 'i' } },
    { $numberDouble: '-Infinity' },
  ];
  expect(JSON.parse((await call('take', kept)).text)).toEqual(kept);
});

test('results of every kind have a body that clients can read', async () => {
  const { call } = await world({
    nothing: () => undefined,
    misleading: () => ({ error: 'none', error_code: 'neither' }),
    bytes: async () => new Uint8Array([0, 1, 2]),
    map: () => new Map([['a', new Set([1n])]]),
    text: () => 'hello',
  });
  expect(await call('nothing')).toMatchObject({ ...RESULT, text: 'null' });
  expect(await call('misleading')).toMatchObject({
    ...RESULT,
    body: { error: 'none', error_code: 'neither' },
  });
  expect((await call('bytes')).text).toBe('{"$binary":{"base64":"AAEC","subType":"00"}}');
  expect(EJSON.parse((await call('map')).text)).toEqual({ a: [1] });
  expect((await call('text')).text).toBe('"hello"');
});

test('functions learn who calls from the server, whatever the client passes', async () => {
  const { call, ann } = await world({
    who: {
      run: async ({ user, headers }, ...args: readonly unknown[]) => ({
        id: user.id,
        name: user.name,
        secrets: Object.keys(headers).filter((name) => /auth|cookie/.test(name)),
        args,
      }),
    },
    plain: (...args: unknown[]) => args.length,
  });
  const forged = { user: { id: 'somebody else' } };
  expect(JSON.parse((await call('who', [forged])).text)).toEqual({
    id: ann.userId,
    name: 'ann@example.com',
    secrets: [],
    args: [forged],
  });
  expect((await call('plain', [1, 2])).text).toBe('{"$numberInt":"2"}');
});

test('functions call each other, private ones, too, but not without end', async () => {
  const { call } = await world({
    outer: { run: async ({ callFunction }, n: number) => callFunction('inner', n, 1) },
    inner: { run: ({ user }, a: number, b: number) => (user.isAdmin ? 0 : a + b), private: true },
    round: { run: ({ callFunction }) => callFunction('round') },
    lost: { run: ({ callFunction }) => callFunction('missing') },
  });
  expect((await call('outer', [4])).text).toBe('{"$numberInt":"5"}');
  expectError(await call('inner', [1, 2]), 404, 'FunctionNotFound');
  expectError(await call('round'), 400, 'FunctionExecutionError', /without end/);
  expectError(await call('lost'), 404, 'FunctionNotFound', /missing/);
});

test('a call that fails says why in the terms of the SDKs', async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const { call, url, ann } = await world(
    {
      fail: (message: string) => {
        throw new Error(message);
      },
      reject: () => Promise.reject(new TypeError('later')),
      silent: () => Promise.reject(undefined),
      circle: () => circle,
      huge: () => 'x'.repeat(2_000),
      hang: () => new Promise(() => {}),
      admins: { run: () => 'in', canExecute: (user) => user.isAdmin },
      unsure: {
        run: () => 'in',
        canExecute: () => {
          throw new Error('no idea');
        },
      },
    },
    { limits: { functionTime: 50, functionResult: 1_000 } },
  );
  expectError(await call('fail', ['on purpose']), 400, 'FunctionExecutionError', /^on purpose$/);
  expectError(await call('reject'), 400, 'FunctionExecutionError', /^later$/);
  expectError(await call('silent'), 400, 'FunctionExecutionError', /silent failed/);
  expectError(await call('circle'), 400, 'FunctionExecutionError', /nested/);
  expectError(await call('huge'), 400, 'ReadSizeLimitExceeded');
  expectError(await call('hang'), 400, 'ExecutionTimeLimitExceeded', /hang/);
  expectError(await call('admins'), 403, 'NoMatchingRuleFound');
  expectError(await call('unsure'), 403, 'NoMatchingRuleFound', /may not call/);
  expectError(await call('missing'), 404, 'FunctionNotFound', /'missing'/);
  expectError(await call('constructor'), 404, 'FunctionNotFound');
  expectError(await call('fail', ['x'], 'no token'), 401, 'InvalidSession');
  const post = (body: unknown) => request(url, { method: 'POST', token: ann.accessToken, body });
  expectError(await post({ arguments: [] }), 400, 'MissingParameter', /name/);
  expectError(await post({ name: 'fail', arguments: [{ $numberDecimal: 'x' }] }), 400, 'BadRequest');
  expectError(
    await post({ name: 'find', arguments: [{}], service: 'mongodb-atlas' }),
    404,
    'ServiceNotFound',
  );
});

test('who may call is asked with the user as of now', async () => {
  const { call, api } = await world({ admins: { run: () => 'in', canExecute: (user) => user.isAdmin } });
  const admin = await api.withPassword(ADMIN.user, ADMIN.password);
  expect((await call('admins', [], admin.accessToken)).text).toBe('"in"');
});

test('a function that hangs does not hold up the end of the server, and is told', async () => {
  let begun = (): void => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let told: AbortSignal | undefined;
  const { call, server } = await world({
    hang: {
      run: ({ signal }) => {
        told = signal;
        begun();
        return new Promise(() => {});
      },
    },
  });
  const answer = call('hang').then(
    ({ status }) => status,
    () => 503,
  );
  await running;
  await server.close();
  expect(await answer).toBe(503);
  expect(told?.aborted).toBe(true);
});

test('more functions than may run at a time are refused', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = (): void => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const { call } = await world(
    {
      wait: () => {
        begun();
        return held;
      },
    },
    { limits: { functionsRunning: 1 } },
  );
  const first = call('wait');
  await running;
  expectError(await call('wait'), 429, 'TooManyRequests');
  release();
  expect((await first).status).toBe(200);
  expect((await call('wait')).status).toBe(200);
});

test('a stream is refused by an event, which is what its clients read', async () => {
  const { url, ann } = await world({});
  const asked = Buffer.from(JSON.stringify({ name: 'watch', arguments: [{}], service: 'atlas 100%' }));
  const query = `baas_request=${encodeURIComponent(asked.toString('base64'))}`;
  const { contentType, text } = await request(`${url}?${query}&baas_at=${ann.accessToken}`);
  expect(contentType).toContain('text/event-stream');
  expect(text).toBe(
    'event: error\ndata: {"error_code":"ServiceNotFound","error":"service not found: \'atlas 100%25\'"}\n\n',
  );
  expect((await request(`${url}?${query}`, { token: ann.accessToken })).text).toBe(text);
  expectError(await request(`${url}?${query}&baas_at=bad`), 401, 'InvalidSession');
  expectError(await request(`${url}?baas_request=x`, { token: ann.accessToken }), 400, 'BadRequest');
});

test('devices register for messages with the services of the configuration', async () => {
  const registered: unknown[] = [];
  const { api, ann } = await world(
    {},
    {
      pushServices: {
        gcm: {
          register: (user, token) => void registered.push([user.id, token]),
          deregister: async (user) => void registered.push([user.id]),
        },
      },
    },
  );
  const at = (service: string) => `${api.app}/push/providers/${service}/registration`;
  const token = ann.accessToken;
  const put = (service: string, body: unknown) => request(at(service), { method: 'PUT', token, body });
  expect((await put('gcm', { registrationToken: 'device' })).status).toBe(204);
  expect((await request(at('gcm'), { method: 'DELETE', token })).status).toBe(204);
  expect(registered).toEqual([[ann.userId, 'device'], [ann.userId]]);
  expectError(await put('gcm', {}), 400, 'MissingParameter', /registrationToken/);
  expectError(await put('apns', { registrationToken: 'device' }), 404, 'ServiceNotFound');
  expectError(await put('toString', { registrationToken: 'device' }), 404, 'ServiceNotFound');
  expectError(await request(at('gcm'), { method: 'DELETE' }), 401, 'InvalidSession');
});
