import { expect, test } from 'vitest';
import { parseServerOptions } from '../../src/cli/server-section.ts';
import { ConfigError } from '../../src/config/config-error.ts';

function problemsOf(section: unknown): Record<string, string> {
  try {
    parseServerOptions(section, '/tmp');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
  return {};
}

test('functions, push services and the admin token reach the server as they are', () => {
  const sum = (a: number, b: number): number => a + b;
  const section = {
    functions: { sum, guarded: { run: () => 1, canExecute: () => true, private: false } },
    pushServices: { gcm: { register: () => {}, deregister: () => {} } },
    adminToken: 'x'.repeat(32),
  };
  expect(parseServerOptions(section, '/tmp')).toMatchObject(section);
});

test('every mistake in them is reported where it is, and the token is not shown', () => {
  const problems = problemsOf({
    functions: { sum: 'a + b', none: null, guarded: { run: 1, canExecute: true, privat: true } },
    pushServices: { gcm: { register: () => {} } },
    adminToken: 'tooshort',
  });
  expect(Object.keys(problems).sort()).toEqual([
    'server.adminToken',
    'server.functions.guarded.canExecute',
    'server.functions.guarded.privat',
    'server.functions.guarded.run',
    'server.functions.none',
    'server.functions.sum',
    'server.pushServices.gcm.deregister',
  ]);
  expect(problems['server.functions.sum']).toMatch(/expected a function \(…arguments\) => result/);
  expect(problems['server.functions.guarded.run']).toMatch(/expected a function \(context/);
  expect(problems['server.adminToken']).toMatch(/at least 32/);
  expect(JSON.stringify(problems)).not.toContain('tooshort');
});
