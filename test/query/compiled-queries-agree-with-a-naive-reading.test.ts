/** Random conditions on random objects, compiled and read naively; and random rubbish, which must only be refused. */
import { expect, test } from 'vitest';
import { compileQuery } from '../../src/query/compile.ts';
import type { QueryObject } from '../../src/query/contract.ts';
import { QueryError } from '../../src/query/query-error.ts';
import { decimalFromText } from '../../src/schema/decimal128.ts';
import type { ClassDefinition, ColumnDefinition } from '../../src/schema/definition.ts';
import { NULL, type ScalarValue } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import { valueToken } from '../../src/store/state/value-token.ts';
import { Random, testSeed } from '../support/random.ts';
import { ConditionMaker } from './reference-evaluator.ts';
import { keysOf, MemoryWorld, SCHEMA } from './zoo.ts';

const column = (
  type: ColumnDefinition['type'],
  nullable = false,
  collection: ColumnDefinition['collection'] = 'single',
): ColumnDefinition => ({
  type,
  nullable,
  collection,
  ...(type === 'link' ? { linkTarget: 'Node' } : {}),
});

const NODE: ClassDefinition = {
  name: 'Node',
  kind: 'topLevel',
  primaryKey: { field: 'key', type: 'int', nullable: false },
  columns: new Map([
    ['a', column('int')],
    ['b', column('int', true)],
    ['c', column('double')],
    ['d', column('decimal128', true)],
    ['s', column('string', true)],
    ['words', column('string', false, 'list')],
    ['list', column('int', false, 'list')],
    ['nullable', column('double', true, 'list')],
    ['set', column('int', false, 'set')],
    ['next', column('link', true)],
    ['many', column('link', false, 'list')],
  ]),
};
const NODES = new Map([['Node', NODE]]);

function randomWorld(random: Random): MemoryWorld {
  const number = () => random.below(6) - 1;
  const many = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  const link = (): ScalarValue => ({
    type: 'link',
    table: 'Node',
    key: { type: 'int', value: BigInt(random.below(7)) },
  });
  const int = (): ScalarValue => ({ type: 'int', value: BigInt(number()) });
  const half = (): ScalarValue => ({ type: 'double', value: number() + random.pick([0, 0.5]) });
  const word = () => random.pick(['', 'a', 'ab', 'AB', 'abc', 'xb', 'É', 'éa']);
  const makers: Readonly<Record<string, () => StateValue>> = {
    a: int,
    b: () => random.pick([NULL, int()]),
    c: half,
    d: () =>
      random.pick<ScalarValue>([NULL, decimalFromText(`${number()}.50`), decimalFromText(`${number()}`)]),
    s: () => random.pick<ScalarValue>([NULL, { type: 'string', value: word() }]),
    words: () => ({ type: 'list', items: many((): ScalarValue => ({ type: 'string', value: word() })) }),
    list: () => ({ type: 'list', items: many(int) }),
    nullable: () => ({ type: 'list', items: many(() => random.pick([NULL, half()])) }),
    set: () => ({ type: 'set', items: new Map(many(int).map((value) => [valueToken(value), value])) }),
    next: () => random.pick([NULL, link(), link()]),
    many: () => ({ type: 'list', items: many(link) }),
  };
  const objects = Array.from({ length: 6 }, (_, key): QueryObject => {
    const fields = new Map<string, StateValue>();
    for (const [field, make] of Object.entries(makers)) if (random.chance(0.85)) fields.set(field, make());
    return { key: { type: 'int', value: BigInt(key) }, state: { fields } };
  });
  return new MemoryWorld(NODES, new Map([['Node', objects]]));
}

const seed = testSeed();

test(`compiled and naive reading find the same objects (seed ${seed})`, () => {
  const random = new Random(seed);
  const maker = new ConditionMaker(random);
  let world = randomWorld(random);
  for (let round = 0; round < 4_000; round++) {
    if (round % 20 === 0) world = randomWorld(random);
    const { text, holds } = maker.condition(random.below(4));
    const query = compileQuery(text, { schema: NODES, table: 'Node' });
    const expected = keysOf(world.objects('Node').filter((object) => holds(object, world)));
    expect(`${text}: ${keysOf(query.run(world))}`).toBe(`${text}: ${expected}`);
    const again = compileQuery(query.canonical, { schema: NODES, table: 'Node' });
    expect(again.canonical).toBe(query.canonical);
    expect(`${query.canonical}: ${keysOf(again.run(world))}`).toBe(`${query.canonical}: ${expected}`);
  }
});

test(`index conditions leave no match out (seed ${seed})`, () => {
  const random = new Random(seed + 1);
  const maker = new ConditionMaker(random);
  for (let round = 0; round < 1_000; round++) {
    const world = randomWorld(random);
    const query = compileQuery(maker.condition(random.below(3)).text, { schema: NODES, table: 'Node' });
    const condition = query.indexCondition(() => true);
    if (condition === undefined) continue;
    for (const { key, state } of query.run(world)) {
      if (condition.kind === 'key') {
        expect(condition.keys).toContainEqual(key);
        continue;
      }
      const value = state.fields.get(condition.field);
      const wanted = new Set(condition.values.map(valueToken));
      const held = tokens(value, NODE.columns.get(condition.field)!);
      expect(`${query.canonical} ${held.some((token) => wanted.has(token))}`).toBe(`${query.canonical} true`);
    }
  }
});

function tokens(value: StateValue | undefined, { type, nullable, collection }: ColumnDefinition): string[] {
  if (value === undefined) {
    if (collection !== 'single') return [];
    return [
      valueToken(
        nullable ? NULL : type === 'int' ? { type: 'int', value: 0n } : { type: 'double', value: 0 },
      ),
    ];
  }
  switch (value.type) {
    case 'list':
      return value.items.flatMap((item) => tokens(item, { type, nullable, collection }));
    case 'set':
      return [...value.items.values()].map(valueToken);
    case 'object':
    case 'dictionary':
      return [];
    default:
      return [valueToken(value)];
  }
}

const SCRAPS = [
  'age',
  'name',
  'friend',
  'dogs',
  'scores',
  'settings',
  'anything',
  'address',
  '_id',
  '.',
  '.',
  '@count',
  '@links',
  'Dog',
  'owner',
  '@max',
  '@type',
  '@keys',
  '[',
  ']',
  '0',
  'FIRST',
  '*',
  '(',
  ')',
  '{',
  '}',
  ',',
  '==',
  '!=',
  '<',
  '>=',
  'IN',
  'BETWEEN',
  'AND',
  'OR',
  'NOT',
  '!',
  'ANY',
  'ALL',
  'NONE',
  'CONTAINS',
  'LIKE',
  '[c]',
  "'a*'",
  '"x"',
  '5',
  '-1.5',
  'NULL',
  'true',
  'inf',
  'T1:2',
  'oid(aaaaaaaaaaaaaaaaaaaaaaaa)',
  "obj('Person', 1)",
  'SUBQUERY',
  '$x',
  'SORT',
  'DISTINCT',
  'LIMIT',
  'ASC',
  '+',
  '-',
  '*',
  '/',
  '$0',
  '$K0',
  '%%user.id',
  'TRUEPREDICATE',
  'O1',
  'B64"YQ=="',
  "'",
  '"',
  '\\',
  '\u0000',
  '🦄',
  '\ud800',
  '@',
  '%',
  '&',
];

test(`rubbish is refused with QueryError and nothing else (seed ${seed})`, () => {
  const random = new Random(seed + 2);
  let compiled = 0;
  for (let round = 0; round < 30_000; round++) {
    const length = 1 + random.below(12);
    const glue = random.pick(['', ' ']);
    const text = Array.from({ length }, () => random.pick(SCRAPS)).join(glue);
    try {
      const query = compileQuery(text, {
        schema: SCHEMA,
        table: 'Person',
        arguments: [{ type: 'string', value: 'name' }],
        variables: () => undefined,
      });
      compiled += 1;
      const again = compileQuery(query.canonical, { schema: SCHEMA, table: 'Person' });
      expect(`${text} → ${again.canonical}`).toBe(`${text} → ${query.canonical}`);
    } catch (error) {
      if (!(error instanceof QueryError)) throw new Error(`on ${JSON.stringify(text)}`, { cause: error });
      expect(error.position).toBeLessThanOrEqual(text.length);
    }
  }
  expect(compiled).toBeGreaterThan(0);
});
