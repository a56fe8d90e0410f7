import { describe, expect, test } from 'vitest';
import type { Logger } from '../../../src/log.ts';
import { silentLogger } from '../../../src/log.ts';
import type { QueryWorld } from '../../../src/query/contract.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../../src/schema/definition.ts';
import type { ScalarValue } from '../../../src/schema/value.ts';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import { type ClassAccess, covers, type RuleUser } from '../../../src/server/rules/contract.ts';
import type { Role } from '../../../src/server/rules/options.ts';
import { userOf } from './support/users.ts';

const column = (type: ColumnDefinition['type']): ColumnDefinition => ({
  type,
  nullable: true,
  collection: 'single',
});

function classOf(name: string, columns: Record<string, ColumnDefinition['type']>): ClassDefinition {
  return {
    name,
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
    columns: new Map(Object.entries(columns).map(([field, type]) => [field, column(type)])),
  };
}

function schemaOf(...classes: readonly ClassDefinition[]): Map<string, ClassDefinition> {
  return new Map(classes.map((definition) => [definition.name, definition]));
}

const schema = schemaOf(
  classOf('Task', { owner: 'string', team: 'string', level: 'int', secret: 'string' }),
  classOf('Note', { text: 'string' }),
);
const world: QueryWorld = {
  schema,
  object: () => undefined,
  objects: () => [],
  linking: () => [],
};

const text = (value: string): ScalarValue => ({ type: 'string', value });
const ada = userOf('ada', {
  customData: { team: 'ops', teams: ['ops', 'dev'], level: 3, nested: { on: true } },
});
const bob = userOf('bob', { customData: { team: 'dev' }, data: { mail: 'bob@example.com' }, name: 'bob' });
const admin = userOf('admin', { isAdmin: true });

const tasks: Readonly<Record<string, Readonly<Record<string, ScalarValue>>>> = {
  adasOps: { owner: text('ada'), team: text('ops'), level: { type: 'int', value: 1n } },
  bobsOps: { owner: text('bob'), team: text('ops'), level: { type: 'int', value: 3n } },
  bobsDev: { owner: text('bob'), team: text('dev'), level: { type: 'int', value: 5n } },
  nobodys: { owner: text('eve'), team: text('hr'), level: { type: 'int', value: 9n } },
};

function accessOf(
  roles: readonly Role[],
  user: RuleUser,
  more: { schema?: RealmSchema; logger?: Logger } = {},
) {
  const rules = compileRules({
    rules: { classes: { Task: { roles } } },
    ...(more.logger && { logger: more.logger }),
  });
  return rules.flexible.access(user, 'Task', more.schema ?? schema);
}

/** The names of the tasks that a right covers. */
function covered(access: ClassAccess, right: 'read' | 'write'): string[] {
  return Object.entries(tasks)
    .filter(([, fields]) =>
      covers(
        access[right],
        { key: { type: 'int', value: 1n }, state: { fields: new Map(Object.entries(fields)) } },
        world,
      ),
    )
    .map(([name]) => name);
}

const ALL = Object.keys(tasks);

describe('roles × users × operations', () => {
  test.each<readonly [Omit<Role, 'name'>, RuleUser, read: readonly string[], write: readonly string[]]>([
    [{}, ada, [], []],
    [{ read: false, write: false }, ada, [], []],
    [{ read: true }, ada, ALL, []],
    [{ write: true }, ada, ALL, ALL],
    [{ read: 'owner == %%user.id' }, ada, ['adasOps'], []],
    [{ read: 'owner == %%user.id' }, bob, ['bobsOps', 'bobsDev'], []],
    [{ read: 'TRUEPREDICATE', write: 'FALSEPREDICATE' }, ada, ALL, []],
    [{ write: 'owner == %%user.id' }, ada, ['adasOps'], ['adasOps']],
    [
      { read: 'team == %%user.custom_data.team', write: 'owner == %%user.id' },
      bob,
      ['bobsOps', 'bobsDev'],
      ['bobsOps', 'bobsDev'],
    ],
    [
      { read: 'team == %%user.custom_data.team', write: 'owner == %%user.id' },
      ada,
      ['adasOps', 'bobsOps'],
      ['adasOps'],
    ],
    [{ read: true, write: 'owner == %%user.id' }, ada, ALL, ['adasOps']],
    [{ read: 'team IN %%user.custom_data.teams' }, ada, ['adasOps', 'bobsOps', 'bobsDev'], []],
    [{ read: 'level > %%user.custom_data.level' }, ada, ['bobsDev', 'nobodys'], []],
    [{ read: "owner == 'bob' AND %%user.custom_data.nested.on == true" }, ada, ['bobsOps', 'bobsDev'], []],
    [{ read: 'owner == %%user.name' }, bob, ['bobsOps', 'bobsDev'], []],
    [{ read: true, applyWhen: "%%user.custom_data.team == 'ops'" }, ada, ALL, []],
    [{ read: true, applyWhen: "%%user.custom_data.team == 'ops'" }, bob, [], []],
    [{ read: true, applyWhen: "%%user.data.mail ENDSWITH '@example.com'" }, bob, ALL, []],
    [{ read: true, applyWhen: "%%user.data.mail ENDSWITH '@example.com'" }, ada, [], []],
    [{ read: true, applyWhen: false }, ada, [], []],
    [{ read: false }, admin, ALL, ALL],
    // What a user does not have is null, or an empty list.
    [{ read: 'level > %%user.custom_data.level' }, bob, [], []],
    [{ read: 'team IN %%user.custom_data.teams' }, bob, [], []],
    [{ read: "team == %%user.custom_data.toString OR owner == 'ada'" }, bob, ['adasOps'], []],
    [{ read: true, applyWhen: "'ops' IN %%user.custom_data.teams" }, ada, ALL, []],
    [{ read: true, applyWhen: "'ops' IN %%user.custom_data.teams" }, bob, [], []],
    [{ read: true, applyWhen: '%%user.custom_data.level >= 3' }, ada, ALL, []],
    [{ read: true, applyWhen: '%%user.custom_data.level >= 3' }, bob, [], []],
    [{ read: true, applyWhen: '%%user.custom_data.level == NULL' }, bob, ALL, []],
  ])('%j for $1.id', (role, user, read, write) => {
    const access = accessOf([{ name: 'tested', ...role }], user);
    expect({ read: covered(access, 'read'), write: covered(access, 'write') }).toEqual({ read, write });
    expect([access.mayInsert, access.mayDelete]).toEqual([write.length > 0, write.length > 0]);
  });

  test('of several roles the first that applies counts alone', () => {
    const roles: Role[] = [
      { name: 'ops', applyWhen: "%%user.custom_data.team == 'ops'", read: 'owner == %%user.id' },
      { name: 'dev', applyWhen: "%%user.custom_data.team == 'dev'", write: true },
      { name: 'others', read: true },
    ];
    expect([ada, bob, userOf('eve')].map((user) => accessOf(roles, user).role)).toEqual([
      'ops',
      'dev',
      'others',
    ]);
    expect(covered(accessOf(roles, ada), 'read')).toEqual(['adasOps']);
  });

  test('a user without what the first role asks for gets to the next', () => {
    const roles: Role[] = [
      { name: 'admins', applyWhen: "'admin' IN %%user.custom_data.groups", write: true },
      { name: 'others', read: true },
    ];
    const lead = userOf('lead', { customData: { groups: ['admin'] } });
    expect([ada, lead].map((user) => accessOf(roles, user).role)).toEqual(['others', 'admins']);
  });

  test('insert and delete can be taken from those who write', () => {
    const right = (role: Omit<Role, 'name'>) => {
      const { mayInsert, mayDelete, write } = accessOf([{ name: 'tested', ...role }], ada);
      return [mayInsert, mayDelete, write];
    };
    expect(right({ write: true })).toEqual([true, true, 'all']);
    expect(right({ write: true, insert: false })).toEqual([false, true, 'all']);
    expect(right({ write: true, delete: false })).toEqual([true, false, 'all']);
    expect(right({ read: true, insert: false, delete: false })).toEqual([false, false, 'none']);
  });
});

describe('fields', () => {
  function rights(role: Omit<Role, 'name'>): Record<string, string> {
    const access = accessOf([{ name: 'tested', ...role }], ada);
    return Object.fromEntries(
      ['_id', 'owner', 'secret'].map((field) => [
        field,
        `${access.mayReadField(field) ? 'r' : '-'}${access.mayWriteField(field) ? 'w' : '-'}`,
      ]),
    );
  }

  test.each<readonly [Omit<Role, 'name'>, Record<string, string>]>([
    [{ write: true }, { _id: 'rw', owner: 'rw', secret: 'rw' }],
    [{ read: true }, { _id: 'r-', owner: 'r-', secret: 'r-' }],
    [
      { write: true, fields: { secret: { read: false } } },
      { _id: 'rw', owner: 'rw', secret: '--' },
    ],
    [
      { write: true, fields: { secret: { write: false } } },
      { _id: 'rw', owner: 'rw', secret: 'r-' },
    ],
    [
      { write: true, additionalFields: { write: false } },
      { _id: 'rw', owner: 'r-', secret: 'r-' },
    ],
    [
      { write: true, fields: { owner: { write: true } }, additionalFields: { read: false } },
      { _id: 'rw', owner: 'rw', secret: '--' },
    ],
    [
      { write: true, fields: { owner: { read: true } }, additionalFields: { read: false } },
      { _id: 'rw', owner: 'r-', secret: '--' },
    ],
    [
      { write: true, fields: { _id: { read: false } } },
      { _id: 'rw', owner: 'rw', secret: 'rw' },
    ],
  ])('%j', (role, expected) => {
    expect(rights(role)).toEqual(expected);
  });

  test('whether all are readable is told, so that nobody asks one by one', () => {
    const all = (role: Omit<Role, 'name'>) => {
      const { readsAllFields, writesAllFields } = accessOf([{ name: 'tested', ...role }], ada);
      return [readsAllFields, writesAllFields];
    };
    expect(all({ write: true })).toEqual([true, true]);
    expect(all({ read: true })).toEqual([true, false]);
    expect(all({ write: true, fields: { secret: { write: false } } })).toEqual([true, false]);
    expect(all({ write: true, additionalFields: { read: false } })).toEqual([false, false]);
    expect(all({})).toEqual([false, false]);
  });
});

describe('signatures', () => {
  const signatures = (role: Omit<Role, 'name'>, user: RuleUser, name = 'a') => {
    const { signature, readSignature } = accessOf([{ name, ...role }], user);
    return { signature, readSignature };
  };

  test('are equal for users with equal rights', () => {
    const dev = userOf('carl', { customData: { team: 'dev' } });
    const byTeam = { read: 'team == %%user.custom_data.team' };
    expect(signatures(byTeam, bob)).toEqual(signatures(byTeam, dev, 'another role'));
    expect(signatures({ write: true }, ada)).toEqual(signatures({ read: true }, admin));
    expect(signatures({ read: 'owner=="ada"' }, bob)).toEqual(signatures({ read: "owner == 'ada'" }, ada));
  });

  test('differ where rights differ', () => {
    const different = [
      signatures({}, ada),
      signatures({ read: true }, ada),
      signatures({ read: 'owner == %%user.id' }, ada),
      signatures({ read: 'owner == %%user.id' }, bob),
      signatures({ read: true, fields: { secret: { read: false } } }, ada),
      signatures({ read: true, additionalFields: { read: false }, fields: { secret: { read: true } } }, ada),
    ];
    expect(new Set(different.map(({ readSignature }) => readSignature)).size).toBe(different.length);
    const writing = [
      signatures({ read: true }, ada),
      signatures({ write: true }, ada),
      signatures({ write: true, insert: false }, ada),
      signatures({ write: true, delete: false }, ada),
      signatures({ write: true, fields: { secret: { write: false } } }, ada),
      signatures({ read: true, write: "owner == 'ada'" }, ada),
    ];
    expect(new Set(writing.map(({ signature }) => signature)).size).toBe(writing.length);
    expect(new Set(writing.map(({ readSignature }) => readSignature)).size).toBe(1);
  });
});

describe('which rules count for a class', () => {
  const rules = compileRules({
    rules: {
      classes: {
        Task: { roles: [{ name: 'nobody', applyWhen: false, write: true }] },
        '*': { roles: [{ name: 'default', read: true }] },
      },
    },
  }).flexible;

  test('the class’s own, else those of *', () => {
    expect(rules.access(ada, 'Note', schema)).toMatchObject({ role: 'default', read: 'all' });
    expect(rules.access(ada, 'Task', schema)).toMatchObject({ role: undefined, read: 'none' });
    expect(rules.access(ada, 'Unknown', schema)).toMatchObject({ role: 'default', read: 'all' });
  });

  test('none: nobody but administrators, which is said once', () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
    const { flexible } = compileRules({ logger });
    expect(flexible.access(admin, 'Task', schema).read).toBe('all');
    expect(warnings).toEqual([]);
    expect([flexible.access(ada, 'Task', schema).read, flexible.access(bob, 'Note', schema).read]).toEqual([
      'none',
      'none',
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('rules.classes');
  });

  test('in development everybody may everything, and the schema may grow', () => {
    const { flexible } = compileRules({ development: true, rules: { classes: {} } });
    expect(flexible.access(ada, 'Task', schema)).toMatchObject({
      read: 'all',
      write: 'all',
      mayInsert: true,
    });
    expect(flexible.schemaMayGrow).toBe(true);
    expect(compileRules({}).flexible.schemaMayGrow).toBe(false);
    expect(compileRules({ schema: 'additive' }).flexible.schemaMayGrow).toBe(true);
  });
});

describe('a filter that does not fit the schema', () => {
  function scene(role: Omit<Role, 'name'>) {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
    const { flexible } = compileRules({
      rules: {
        classes: {
          Task: {
            roles: [
              { name: 'tested', ...role },
              { name: 'wider', write: true },
            ],
          },
        },
      },
      logger,
    });
    return { flexible, warnings };
  }

  test('gives no access, and no later role does; the log names class, role and place, once', () => {
    const { flexible, warnings } = scene({ read: "ownr == 'ada'" });
    for (const user of [ada, bob]) {
      expect(flexible.access(user, 'Task', schema)).toMatchObject({
        role: 'tested',
        read: 'none',
        write: 'none',
      });
    }
    expect(warnings).toHaveLength(1);
    for (const part of ['Task', 'tested', 'ownr', 'column 1']) expect(warnings[0]).toContain(part);
  });

  test('so does a mistyped field, which would leave another one open', () => {
    const { flexible, warnings } = scene({ read: true, fields: { secrt: { read: false } } });
    expect(flexible.access(ada, 'Task', schema)).toMatchObject({ role: 'tested', read: 'none' });
    expect(warnings).toHaveLength(1);
    for (const part of ['Task', 'tested', "'secrt'", "did you mean 'secret'"])
      expect(warnings[0]).toContain(part);
    // Rules for every class name fields that only some have.
    const forAll = compileRules({
      rules: {
        classes: { '*': { roles: [{ name: 'all', read: true, fields: { secret: { read: false } } }] } },
      },
    }).flexible;
    const rights = (table: string) => forAll.access(ada, table, schema);
    expect([rights('Note').read, rights('Task').mayReadField('secret')]).toEqual(['all', false]);
  });

  test('fits as soon as the property is there', () => {
    const { flexible } = scene({ read: "added == 'yes'" });
    const growing = schemaOf(classOf('Task', { owner: 'string' }));
    expect(flexible.access(ada, 'Task', growing).read).toBe('none');
    growing.set('Task', classOf('Task', { owner: 'string', added: 'string' }));
    expect(flexible.access(ada, 'Task', growing).read).not.toBe('none');
  });
});

test('the same user gets the same access object, so that sessions may ask at every object', () => {
  const { flexible } = compileRules({
    rules: { classes: { Task: { roles: [{ name: 'own', read: 'owner == %%user.id' }] } } },
  });
  expect(flexible.access(ada, 'Task', schema)).toBe(flexible.access(ada, 'Task', schema));
  // Another object for the same user, after the custom data changed, is judged anew.
  const read = (user: RuleUser) => covered(flexible.access(user, 'Task', schema), 'read');
  expect([read(ada), read({ ...ada, id: 'bob' })]).toEqual([['adasOps'], ['bobsOps', 'bobsDev']]);
});
