import { expect, test } from 'vitest';
import { compileQuery } from '../../../src/query/compile.ts';
import type { ClassDefinition, ColumnDefinition } from '../../../src/schema/definition.ts';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import { hiddenDependency } from '../../../src/server/rules/hidden-dependency.ts';
import type { RulesOptions } from '../../../src/server/rules/options.ts';
import { userOf } from './support/users.ts';

const column = (type: ColumnDefinition['type'], linkTarget?: string): ColumnDefinition => ({
  type,
  nullable: true,
  collection: 'single',
  ...(linkTarget !== undefined && { linkTarget }),
});

function classOf(name: string, columns: Record<string, ColumnDefinition>): [string, ClassDefinition] {
  return [
    name,
    {
      name,
      kind: 'topLevel',
      primaryKey: { field: '_id', type: 'int', nullable: false },
      columns: new Map(Object.entries(columns)),
    },
  ];
}

const schema = new Map([
  classOf('Person', {
    name: column('string'),
    salary: column('int'),
    boss: column('link', 'Person'),
    account: column('link', 'Account'),
  }),
  classOf('Account', { balance: column('int') }),
  classOf('Team', { lead: column('link', 'Person'), name: column('string') }),
]);

const rules: RulesOptions = {
  classes: {
    Person: { roles: [{ name: 'all', read: true, fields: { salary: { read: false } } }] },
    Account: { roles: [{ name: 'none' }] },
    Team: { roles: [{ name: 'all', read: true }] },
  },
};

function hidden(table: string, text: string, user = userOf('ada')): string | undefined {
  const query = compileQuery(text, { schema, table });
  return hiddenDependency(query, { user, rules: compileRules({ rules }).flexible, schema });
}

test.each([
  ['Person', "name == 'x' AND _id > 3"],
  ['Person', 'TRUEPREDICATE'],
  ['Team', "name BEGINSWITH 'a'"],
])('%s where %s tells nothing', (table, text) => {
  expect(hidden(table, text)).toBeUndefined();
});

test.each([
  ['Person', "name == 'x' OR salary > 1000", 'Person.salary'],
  ['Person', 'account.balance > 0', 'Account may not be read'],
  ['Person', 'boss.salary > 0', 'Person'],
  ['Team', 'lead.salary > 0', 'Person'],
  ['Team', 'lead.account.balance > 0', 'Account may not be read'],
  ['Account', 'balance > 0', 'Account.balance'],
])('%s where %s would', (table, text, reason) => {
  expect(hidden(table, text)).toContain(reason);
  expect(hidden(table, text, userOf('admin', { isAdmin: true }))).toBeUndefined();
});
