import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import type { RulesOptions } from '../../../src/server/rules/options.ts';

function problems(rules: RulesOptions): string[] {
  try {
    compileRules({ rules });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const role = (more: object) => ({ classes: { Task: { roles: [{ name: 'own', ...more }] } } });
const place = 'server.rules.classes.Task.roles[0]';

test.each<readonly [what: string, rules: RulesOptions, path: string, message: readonly string[]]>([
  ['a cut-off filter', role({ read: 'owner ==' }), `${place}.read`, ['role "own"', 'column 9']],
  ['a filter with garbage', role({ write: 'owner == 1 )' }), `${place}.write`, ['column 12']],
  ['a filter that sorts', role({ read: 'owner == 1 SORT(a ASC)' }), `${place}.read`, ['SORT']],
  [
    'an unknown variable',
    role({ read: 'owner == %%user.nme' }),
    `${place}.read`,
    ['%%user.nme', 'custom_data'],
  ],
  ['another root', role({ read: 'owner == %%root.x' }), `${place}.read`, ['%%root.x']],
  ['a part of the id', role({ read: 'owner == %%user.id.x' }), `${place}.read`, ['single value']],
  [
    'custom data as a whole',
    role({ read: 'owner == %%user.custom_data' }),
    `${place}.read`,
    ['name a field'],
  ],
  ['a condition on an object', role({ applyWhen: 'owner == 1' }), `${place}.applyWhen`, ['owner']],
  ['a cut-off condition', role({ applyWhen: '%%user.id ==' }), `${place}.applyWhen`, ['column 13']],
  ['insert without write', role({ read: true, insert: true }), `${place}.insert`, ['write']],
  [
    'a field written unread',
    role({ fields: { a: { read: false, write: true } } }),
    `${place}.fields.a`,
    ['read'],
  ],
  [
    'two roles of one name',
    { classes: { Task: { roles: [{ name: 'a' }, { name: 'a' }] } } },
    'server.rules.classes.Task.roles[1].name',
    ['"a"'],
  ],
  [
    'a bad path',
    { paths: [{ path: '/a//b', access: 'read' }] },
    'server.rules.paths[0].path',
    ['empty segment'],
  ],
  [
    'a bad condition on a path',
    { paths: [{ path: '/a', users: 'team ==', access: 'read' }] },
    'server.rules.paths[0].users',
    ['team'],
  ],
])('%s is named with its place', (_what, rules, path, parts) => {
  const [first, ...more] = problems(rules);
  expect(more).toEqual([]);
  expect(first?.startsWith(`${path}: `), first).toBe(true);
  for (const part of parts) expect(first).toContain(part);
});

test('all mistakes are named at once', () => {
  const rules: RulesOptions = {
    classes: {
      Task: { roles: [{ name: 'a', read: '(', write: ')' }] },
      '*': { roles: [{ name: 'b', read: '&' }] },
    },
    paths: [{ path: '', access: 'read' }],
  };
  expect(problems(rules)).toHaveLength(4);
});

test.each([
  "%%user.custom_data.level >= 3 AND %%user.custom_data.team IN {'a', 'b'}",
  "'admin' IN %%user.custom_data.roles",
  "%%user.data.mail ENDSWITH[c] '@example.com'",
  '%%user.custom_data.active == true',
  "%%user.name == NULL OR %%user.identities.provider_type == 'api-key'",
])('%s is a good condition, whatever the types turn out to be', (users) => {
  expect(problems({ paths: [{ path: '/a', users, access: 'read' }] })).toEqual([]);
});
