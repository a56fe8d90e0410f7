/** Canonical texts, arguments and variables, order, dependencies, index conditions. */
import { describe, expect, test } from 'vitest';
import { compileQuery, evaluateCondition } from '../../src/query/compile.ts';
import type { CompileOptions, QueryArgument, QueryWorld } from '../../src/query/contract.ts';
import { QueryError } from '../../src/query/query-error.ts';
import {
  bool,
  date,
  decimal,
  double,
  float,
  int,
  keysOf,
  link,
  oid,
  SCHEMA,
  text,
  uuid,
  ZOO,
} from './zoo.ts';

const PERSON = { schema: SCHEMA, table: 'Person' } as const;

function canonical(query: string, options: Partial<CompileOptions> = {}): string {
  return compileQuery(query, { ...PERSON, ...options }).canonical;
}

describe('texts that mean the same have one canonical text', () => {
  test.each<readonly [string, readonly string[]]>([
    [
      'age == 25',
      [
        'age=25',
        ' age  ==\n25 ',
        '25 == age',
        'age IN {25}',
        '(age == 25)',
        'age == 25.0',
        "age == '25'",
        'age == 0x19',
        '!!(age = 25)',
        'age == ANY {25, 25}',
      ],
    ],
    ['age > 25', ['25 < age', 'age>25']],
    [
      'age IN {1, 2, 3}',
      [
        'age IN {3, 2, 1}',
        'age == 3 OR age == 1 OR age = 2',
        'age IN {3} || age IN {1, 2}',
        '{1, 2, 3} == age OR FALSEPREDICATE',
      ],
    ],
    [
      'age == 1 AND name == "a"',
      [
        "name = 'a' && age = 1",
        "age == 1 and name == 'a' and age == 1",
        "(name == 'a' AND TRUEPREDICATE) AND age == 1",
      ],
    ],
    ['(age == 1 OR name == "a") AND sort == NULL', ["sort = nil and (name == 'a' or age == 1)"]],
    ['age == 1 AND name == "a" OR sort == NULL', ["sort == NULL OR (name == 'a' AND age == 1)"]],
    [
      'NOT (age == 1 AND name == "a")',
      ["!(name == 'a' && age == 1)", "NOT(NOT(NOT(age == 1 AND name == 'a')))"],
    ],
    ['nick_names[0] == "a"', ["nick_names[FIRST] == 'a'"]],
    ['settings["color"] == "red"', ["settings.color == 'red'", "settings['color'] = 'red'"]],
    ['full\\ name == "x"', ["full\\ name == 'x'"]],
    ['born == T0:0', ['born == 1970-01-01@00:00:00', 'born == 1970-1-1T0:0:0:0']],
    ['name == B64"YSJi"', ["name == 'a\"b'", 'name == "a\\"b"', "name == 'a\\u0022b'"]],
    [
      'SUBQUERY(dogs, $x1, $x1.legs == 4).@count > 0',
      ['subquery(dogs, $d, legs = 4).@size > 0', '0 < SUBQUERY(dogs, $dog, $dog.legs == 4).@count'],
    ],
    ['friend == obj("Person",2)', ["friend == obj('class_Person', 2)"]],
    ['dogs.@sum.price > 1.0', ['dogs.@sum.price > 1.0', '1.0 < dogs.@sum.price']],
    ['age + _id * 2 == 5', ['age + (_id * 2) == 5', '(age + _id * 2) == 5']],
    ['TRUEPREDICATE', ['1 == 1', 'NOT FALSEPREDICATE', 'age == 1 OR TRUEPREDICATE']],
    ['FALSEPREDICATE', ['age IN {}', 'age == 1 AND FALSEPREDICATE', "age IN {'a', 'b'}", 'height == nan']],
    ['anything.@type == "binary"', ["anything.@type == 'byte[]'", "anything.@type = 'DATA'"]],
    ['ANY nick_names == "x"', ["SOME nick_names = 'x'", "any nick_names == 'x'"]],
    [
      'TRUEPREDICATE SORT(age ASC, name DESC) LIMIT(2)',
      ['truepredicate sort(age ascending, name descending) limit(2)'],
    ],
  ])('%s', (expected, spellings) => {
    for (const spelling of spellings) expect([spelling, canonical(spelling)]).toEqual([spelling, expected]);
  });

  test('arguments and variables leave only their values', () => {
    const values: readonly QueryArgument[] = [
      int(25),
      [int(2), int(1)],
      text('a'),
      text('friend.age'),
      text('color'),
    ];
    const given = (query: string) => canonical(query, { arguments: values });
    expect(given('age == $0')).toBe('age == 25');
    expect(given('age IN $1')).toBe('age IN {1, 2}');
    expect(given('age IN {$0, 3}')).toBe('age IN {25, 3}');
    expect(given('age BETWEEN {$0, 30}')).toBe('age BETWEEN {25, 30}');
    expect(given('ANY scores IN ANY $1')).toBe('ANY scores == ANY {2, 1}');
    expect(given('$K3 == $0')).toBe('friend.age == 25');
    expect(given('settings[$4] == $2')).toBe('settings["color"] == "a"');
    expect(given("friend == obj('Person', $0)")).toBe('friend == obj("Person",25)');
    const variables = (path: readonly string[]) =>
      path.join('/') === 'user/custom_data/my team' ? text('red') : undefined;
    expect(canonical("name == %%user.custom_data['my team']", { variables })).toBe('name == "red"');
    expect(canonical('name == %%user.id', { variables })).toBe('name == NULL');
  });

  test('a literal of every type is read back as it was', () => {
    const values = [
      int(-9223372036854775808n),
      double(0.1),
      double(1e21),
      double(-5),
      float(0.1),
      decimal('1.00'),
      decimal('1E+40'),
      decimal('-Infinity'),
      bool(false),
      text('quote " \' \\ \n \0 é 🦄'),
      date(-5, -7),
      oid('c'),
      uuid('d'),
      { type: 'data', value: new Uint8Array([0, 255, 10]) } as const,
      link('Dog', { type: 'string', value: 'it\'s "x"' }),
    ];
    for (const value of values) {
      const member = compileQuery('anything == $0', { ...PERSON, arguments: [value] });
      const again = compileQuery(member.canonical, PERSON);
      expect(again.canonical).toBe(member.canonical);
      const objects = [
        { key: int(1) as { type: 'int'; value: bigint }, state: { fields: new Map([['anything', value]]) } },
      ];
      expect(again.matches(objects[0]!, ZOO)).toBe(true);
    }
  });
});

describe('SORT, DISTINCT and LIMIT are applied in the order in which they stand', () => {
  test.each([
    ['TRUEPREDICATE SORT(age ASC)', '4 2 3 1'],
    ['TRUEPREDICATE SORT(age DESC)', '1 2 3 4'],
    ['TRUEPREDICATE SORT(age ASC, _id DESC)', '4 3 2 1'],
    ['TRUEPREDICATE SORT(name ASC)', '4 1 2 3'],
    ['TRUEPREDICATE SORT(name DESC)', '3 2 1 4'],
    ['TRUEPREDICATE SORT(height ASC)', '4 3 1 2'],
    ['TRUEPREDICATE SORT(friend.age ASC, _id DESC)', '4 3 2 1'],
    ['TRUEPREDICATE SORT(settings.color ASC)', '3 4 2 1'],
    ["TRUEPREDICATE SORT(settings['color'] DESC)", '1 2 3 4'],
    ['TRUEPREDICATE SORT(anything ASC)', '4 1 2 3'],
    ['TRUEPREDICATE SORT(_id DESC) SORT(age ASC)', '4 3 2 1'],
    ['TRUEPREDICATE DISTINCT(age)', '1 2 4'],
    ['TRUEPREDICATE DISTINCT(age, name)', '1 2 3 4'],
    ['TRUEPREDICATE SORT(_id DESC) DISTINCT(age)', '4 3 1'],
    ['TRUEPREDICATE DISTINCT(friend.age)', '1 3'],
    ['TRUEPREDICATE DISTINCT(age) SORT(age ASC) LIMIT(2)', '4 2'],
    ['TRUEPREDICATE LIMIT(2)', '1 2'],
    ['TRUEPREDICATE LIMIT(2) SORT(age ASC)', '2 1'],
    ['TRUEPREDICATE SORT(age ASC) LIMIT(2)', '4 2'],
    ['TRUEPREDICATE LIMIT(3) LIMIT(1)', '1'],
    ['TRUEPREDICATE LIMIT(0)', ''],
    ['age == 25 SORT(name DESC)', '3 2'],
    ["sort == 'a' sort(sort asc)", '2'],
  ])('%s', (query, keys) => {
    const compiled = compileQuery(query, PERSON);
    expect(compiled.hasDescriptors).toBe(true);
    expect(keysOf(compiled.run(ZOO))).toBe(keys);
    expect(keysOf(compileQuery(compiled.canonical, PERSON).run(ZOO))).toBe(keys);
  });
});

test('a condition is decided by literals and variables alone', () => {
  const user: Readonly<Record<string, QueryArgument>> = {
    'user.custom_data.role': text('admin'),
    'user.id': text('abc'),
    'user.custom_data.teams': [text('red'), text('blue')],
    'user.custom_data.age': int(30),
  };
  const holds = (condition: string) => evaluateCondition(condition, (path) => user[path.join('.')]);
  expect(holds("%%user.custom_data.role == 'admin' AND %%user.id != ''")).toBe(true);
  expect(holds("%%user.custom_data.role == 'user'")).toBe(false);
  expect(holds("'red' IN %%user.custom_data.teams")).toBe(true);
  expect(holds("ANY %%user.custom_data.teams BEGINSWITH 'bl'")).toBe(true);
  expect(holds('%%user.custom_data.age >= 18')).toBe(true);
  expect(holds('%%user.custom_data.age * 2 == 60')).toBe(true);
  expect(holds('%%user.custom_data.missing == NULL')).toBe(true);
  expect(holds("%%user.custom_data['role'] ==[c] 'ADMIN'")).toBe(true);
  expect(() => holds("%%user.custom_data.age == 'x'")).toThrow(QueryError);
  expect(holds('ANY {1, 2} + %%user.custom_data.age == 32')).toBe(true);
  expect(holds('TRUEPREDICATE')).toBe(true);
});

describe('a query knows what its result depends on', () => {
  const forward = (table: string, field: string, target: string) => ({
    kind: 'forward',
    table,
    field,
    target,
  });
  const backward = (table: string, field: string, source: string) => ({
    kind: 'backward',
    table,
    field,
    source,
  });

  test.each<readonly [string, readonly string[], readonly unknown[], boolean]>([
    ['TRUEPREDICATE', [], [], false],
    ['age == 1', ['age'], [], false],
    ['_id == 1', [], [], false],
    ['age == 1 OR name == sort', ['age', 'name', 'sort'], [], false],
    ['friend.age == 1', ['friend'], [[forward('Person', 'friend', 'Person')]], false],
    ['friend == NULL', ['friend'], [[forward('Person', 'friend', 'Person')]], false],
    [
      'dogs.owner.name == NULL AND dogs.legs == 4',
      ['dogs'],
      [[forward('Person', 'dogs', 'Dog'), forward('Dog', 'owner', 'Person')]],
      false,
    ],
    ['@links.Dog.owner.legs == 1', [], [[backward('Person', 'owner', 'Dog')]], false],
    [
      'SUBQUERY(dogs, $d, $d.owner.age == 1).@count > 0',
      ['dogs'],
      [[forward('Person', 'dogs', 'Dog'), forward('Dog', 'owner', 'Person')]],
      false,
    ],
    ["address.street == 'x'", ['address'], [], false],
    ["address.keeper.name == 'x'", ['address'], [], true],
    ['anything == 1', ['anything'], [], false],
    ['anything.who.name == NULL', ['anything'], [], true],
    ['age == 1 AND FALSEPREDICATE', [], [], false],
    ["settings.color == 'red'", ['settings'], [], false],
    [
      'friend.@links.Note.about.@count == 1',
      ['friend'],
      [[forward('Person', 'friend', 'Person'), backward('Person', 'about', 'Note')]],
      false,
    ],
  ])('%s', (query, fields, paths, everything) => {
    const { dependencies } = compileQuery(query, PERSON);
    expect([...dependencies.fields].sort()).toEqual(fields);
    expect(dependencies.paths).toEqual(paths);
    expect(dependencies.everything).toBe(everything);
  });

  test('@links of all classes depends on each of them', () => {
    const { paths } = compileQuery('@links.@count == 0', PERSON).dependencies;
    expect(paths).toEqual([
      [backward('Person', 'friend', 'Person')],
      [backward('Person', 'owner', 'Dog')],
      [backward('Person', 'about', 'Note')],
    ]);
  });
});

describe('a query knows the narrowest condition on what is indexed', () => {
  const indexed = (field: string) =>
    ['age', 'name', 'friend', 'nick_names', 'anything', 'height', 'money'].includes(field);
  const field = (name: string, ...values: unknown[]) => ({ kind: 'field', field: name, values });
  const keys = (...ids: number[]) => ({ kind: 'key', keys: ids.map((id) => int(id)) });

  test.each<readonly [string, unknown]>([
    ['age == 5', field('age', int(5))],
    ['age == 5.0', field('age', int(5))],
    ['age IN {3, 1}', field('age', int(1), int(3))],
    ['age == 1 OR age == 3', field('age', int(1), int(3))],
    ['age > 5', undefined],
    ['NOT age == 5', undefined],
    ['TRUEPREDICATE', undefined],
    ['FALSEPREDICATE', keys()],
    ['_id == 2', keys(2)],
    ['_id IN {2, 3.0}', keys(2, 3)],
    ['_id == 2.5', keys()],
    ["name == 'a' AND age IN {1, 2}", field('name', text('a'))],
    ["name IN {'a', 'b', 'c'} AND age IN {1, 2}", field('age', int(1), int(2))],
    ["name == 'a' AND _id == 2", keys(2)],
    ["name == 'a' AND sort == 'b'", field('name', text('a'))],
    ["sort == 'b'", undefined],
    ["name == 'a' OR age == 1", undefined],
    ["(name == 'a' AND age == 1) OR (age == 2 AND sort == 'x')", undefined],
    ["(sort == 'a' AND age == 1) OR (age == 2 AND sort == 'x')", field('age', int(1), int(2))],
    ["name ==[c] 'a'", undefined],
    ['name == NULL', field('name', { type: 'null' })],
    ["friend == obj('Person', 2)", field('friend', link('Person', { type: 'int', value: 2n }))],
    ['friend == NULL', undefined],
    ['friend.age == 1', undefined],
    ["nick_names == 'a'", field('nick_names', text('a'))],
    ["ANY nick_names IN {'a', 'b'}", field('nick_names', text('a'), text('b'))],
    ["ALL nick_names == 'a'", undefined],
    ["nick_names == {'a', 'b'}", undefined],
    ["anything == 'a'", field('anything', text('a'))],
    ['anything == 1', undefined],
    ['height == 1', field('height', double(1))],
    ['money == 1', undefined],
    ['SUBQUERY(dogs, $d, $d.legs == 1).@count > 0', undefined],
  ])('%s', (query, expected) => {
    expect(compileQuery(query, PERSON).indexCondition(indexed)).toEqual(expected);
  });
});

test('constants are decided when a query is compiled', () => {
  expect(compileQuery('1 == 1', PERSON).constant).toBe(true);
  expect(compileQuery('age == 1 AND FALSEPREDICATE', PERSON).constant).toBe(false);
  expect(compileQuery('age == 1', PERSON).constant).toBeUndefined();
});

test('a link that is not meant is not looked up', () => {
  let lookups = 0;
  const world: QueryWorld = {
    ...ZOO,
    schema: SCHEMA,
    object: (table, key) => {
      lookups += 1;
      return ZOO.object(table, key);
    },
    objects: (table) => ZOO.objects(table),
    linking: () => [],
  };
  const query = compileQuery("friend == obj('Person', 3)", PERSON);
  expect(keysOf([...ZOO.objects('Person')].filter((object) => query.matches(object, world)))).toBe('2');
  expect(lookups).toBe(1);
});
