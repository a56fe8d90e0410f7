import { expect, test } from 'vitest';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import type { PathRule } from '../../../src/server/rules/options.ts';
import { compilePattern, patternFault } from '../../../src/server/rules/path-pattern.ts';
import { userOf } from './support/users.ts';

const ada = userOf('0a'.repeat(12));
const bob = userOf('0b'.repeat(12), { customData: { team: 'ops', level: 3 } });
const admin = userOf('ad'.repeat(12), { isAdmin: true });

test.each<readonly [pattern: string, fits: readonly string[], differs: readonly string[]]>([
  ['/news', ['/news'], ['/News', '/news/a', '/newsx', '/', '/a/news']],
  ['news', ['/news'], ['/news/a']],
  ['/', ['/'], ['/a', '/__admin']],
  ['/team-*', ['/team-', '/team-a'], ['/team', '/team-a/b', '/xteam-a']],
  ['/*', ['/a', '/a b'], ['/', '/a/b', '/__admin', '/__x']],
  ['/a*b*c', ['/abc', '/a1b2c', '/abbcc'], ['/ac', '/ab', '/abcd', '/acb']],
  ['/aa*aa', ['/aaaa', '/aaxaa'], ['/aaa', '/aa']],
  ['/*/x', ['/a/x'], ['/x', '/a/b/x', '/a/xx']],
  ['/**', ['/a', '/a/b/c', '/__partition/int/5'], ['/', '/__admin', '/__other/a']],
  ['/a/**', ['/a/b', '/a/b/c'], ['/a', '/ab/c', '/b/a/c']],
  ['/~', [`/${ada.id}`], ['/~', `/${bob.id}`, `/${ada.id}/a`]],
  ['/~/**', [`/${ada.id}/a`, `/${ada.id}/a/b`], [`/${ada.id}`, `/${bob.id}/a`, '/~/a']],
  ['/users/:userId/notes', [`/users/${ada.id}/notes`], [`/users/${bob.id}/notes`, '/users/:userId/notes']],
  ['/a.b', ['/a.b'], ['/axb', '/a.bc']],
  ['/__partition/int/*', ['/__partition/int/5'], ['/__partition/uuid/5', '/__partition/null']],
])('%s means the paths that it says', (pattern, fits, differs) => {
  expect(patternFault(pattern)).toBeUndefined();
  const meant = compilePattern(pattern);
  for (const path of fits) expect([path, meant(path, ada.id)]).toEqual([path, true]);
  for (const path of differs) expect([path, meant(path, ada.id)]).toEqual([path, false]);
});

test.each([
  ['/a//b', 'empty segment'],
  ['/a/', 'empty segment'],
  ['', 'empty segment'],
  ['/a/../b', 'the segment ".."'],
  ['/**/a', 'whole last segment'],
  ['/a**', 'whole last segment'],
  ['/:user', ':userId'],
  ['/__admin', 'administrators'],
  ['__admin/**', 'administrators'],
  ['/a"b', 'quote'],
  ['/a\u0000', 'control character'],
])('%s is no pattern', (pattern, reason) => {
  expect(patternFault(pattern)).toContain(reason);
});

function access(paths: readonly PathRule[]) {
  const rules = compileRules({ rules: { paths } }).paths;
  return (user: typeof ada, path: string) => rules.access(user, path);
}

test('the first rule that fits path and user decides', () => {
  const level = access([
    { path: '/ops/**', users: "%%user.custom_data.team == 'ops'", access: 'manage' },
    { path: '/ops/public', access: 'read' },
    { path: '/ops/**', access: 'none' },
    { path: '/*/public', access: 'write' },
  ]);
  expect([level(bob, '/ops/a'), level(bob, '/ops/public')]).toEqual(['manage', 'manage']);
  expect([level(ada, '/ops/a'), level(ada, '/ops/public'), level(ada, '/x/public')]).toEqual([
    'none',
    'read',
    'write',
  ]);
});

test('what no rule names is closed, but to its owner', () => {
  const level = access([{ path: '/news', access: 'read' }]);
  expect(level(ada, '/other')).toBe('none');
  expect([level(ada, `/${ada.id}`), level(ada, `/${ada.id}/a/b`)]).toEqual(['manage', 'manage']);
  expect([level(bob, `/${ada.id}`), level(bob, `/${ada.id}/a/b`)]).toEqual(['none', 'none']);
});

test('a configured rule goes before the right of owners', () => {
  const level = access([{ path: '/~/**', access: 'write' }]);
  expect([level(ada, `/${ada.id}/a`), level(ada, `/${ada.id}`)]).toEqual(['write', 'manage']);
});

test('system realms are the administrators’, whatever the rules say', () => {
  const level = access([{ path: '/**', access: 'manage' }]);
  expect(['/__admin', '/__x/y'].map((path) => level(ada, path))).toEqual(['none', 'none']);
  expect(['/__admin', '/news', '/'].map((path) => level(admin, path))).toEqual([
    'manage',
    'manage',
    'manage',
  ]);
});
