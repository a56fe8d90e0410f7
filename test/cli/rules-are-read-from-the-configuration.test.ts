import { expect, test } from 'vitest';
import { parseServerOptions } from '../../src/cli/server-section.ts';
import { ConfigError } from '../../src/config/config-error.ts';

function problems(rules: unknown): string[] {
  try {
    parseServerOptions({ rules }, '/tmp');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

test('rules reach the server as they were written', () => {
  const rules = {
    classes: {
      Task: {
        roles: [
          {
            name: 'own',
            applyWhen: true,
            read: 'owner == %%user.id',
            write: false,
            fields: { secret: { read: false } },
            additionalFields: { write: false },
          },
        ],
      },
    },
    paths: [{ path: '/news', users: 'all', access: 'read' }],
  };
  expect(parseServerOptions({ rules }, '/tmp').rules).toEqual(rules);
  expect(parseServerOptions({}, '/tmp').rules).toBeUndefined();
});

test.each<readonly [unknown, string]>([
  [{ clases: {} }, 'server.rules.clases: unknown option, did you mean classes?'],
  [
    { classes: { A: { roles: [{ read: true }] } } },
    'server.rules.classes.A.roles[0].name: expected the name',
  ],
  [{ classes: { A: { roles: {} } } }, 'server.rules.classes.A.roles: expected a list of roles'],
  [
    { classes: { A: { roles: [{ name: 'a', raed: true }] } } },
    'server.rules.classes.A.roles[0].raed: unknown option, did you mean read?',
  ],
  [
    { classes: { A: { roles: [{ name: 'a', read: 1 }] } } },
    'server.rules.classes.A.roles[0].read: expected true, false or a condition',
  ],
  [
    { paths: [{ path: '/a', access: 'owner' }] },
    'server.rules.paths[0].access: expected one of none, read, write, manage, found "owner"',
  ],
])('%j is reported with its place', (rules, expected) => {
  const [first, ...more] = problems(rules);
  expect(more).toEqual([]);
  expect(first?.startsWith(expected), first).toBe(true);
});
