import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../../src/schema/definition.ts';
import { NULL, type ScalarValue } from '../../../src/schema/value.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import { defaultValue, readField } from '../../../src/store/state/default-value.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import { stateDifference } from '../../../src/store/state/state-difference.ts';
import { writeField } from '../../../src/store/state/value-instructions.ts';
import { valueToken } from '../../../src/store/state/value-token.ts';
import { MemoryView } from '../../../src/store/state/view.ts';
import { Random, testSeed } from '../../support/random.ts';

const RUNS = 3_000;
const column = (type: ColumnDefinition['type'], rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: true,
  collection: 'single',
  ...rest,
});
const part = { linkTarget: 'Part' };
const PART: Record<string, ColumnDefinition> = {
  n: column('int', { nullable: false }),
  name: column('string'),
  labels: column('string', { collection: 'list' }),
  any: column('mixed'),
  inner: column('link', part),
};
const ITEM: Record<string, ColumnDefinition> = {
  list: column('int', { collection: 'list' }),
  set: column('string', { collection: 'set' }),
  dictionary: column('double', { collection: 'dictionary' }),
  any: column('mixed'),
  anys: column('mixed', { collection: 'list' }),
  part: column('link', part),
  parts: column('link', { collection: 'list', nullable: false, ...part }),
  keyed: column('link', { collection: 'dictionary', ...part }),
};
const key = { type: 'int', value: 1n } as const;

function view(): MemoryView {
  const made = new MemoryView();
  made.addClass({ name: 'Part', kind: 'embedded', columns: new Map(Object.entries(PART)) });
  made.addClass({
    name: 'Item',
    kind: 'topLevel',
    primaryKey: { field: 'id', type: 'int', nullable: false },
    columns: new Map(Object.entries(ITEM)),
  });
  made.createObject('Item', key);
  return made;
}

const SCHEMA: RealmSchema = view().schema;
const at = (field: string) => ({ table: 'Item', key, field, path: [] });
const str = (value: string): ScalarValue => ({ type: 'string', value });
const strings = (...values: string[]): StateValue => ({ type: 'list', items: values.map(str) });
const object = (fields: Record<string, StateValue>): StateValue => ({
  type: 'object',
  fields: new Map(Object.entries(fields)),
});

function between(field: string, before: StateValue, after: StateValue): Instruction[] {
  return stateDifference(SCHEMA, at(field), ITEM[field]!, before, after);
}

/** Operation, path and value, as short as that. */
function told(instructions: readonly Instruction[]): unknown[] {
  return instructions.map((instruction) => {
    if (!('path' in instruction)) return instruction.op;
    const value = 'value' in instruction ? instruction.value : undefined;
    return [
      instruction.op,
      ...instruction.path,
      value !== undefined && 'value' in value ? value.value : value?.type,
    ];
  });
}

describe('the difference of two values', () => {
  it('leaves the elements alone that two lists have in common', () => {
    const list = (...values: number[]): StateValue => ({
      type: 'list',
      items: values.map((value) => ({ type: 'int', value: BigInt(value) })),
    });
    expect(told(between('list', list(1, 2, 3, 4), list(9, 1, 3, 5, 4)))).toEqual([
      ['ArrayInsert', 0, 9n],
      ['ArrayErase', 2, undefined],
      ['ArrayInsert', 3, 5n],
    ]);
    expect(told(between('list', list(1, 2, 3), list(1, 7, 3)))).toEqual([['Update', 1, 7n]]);
    expect(told(between('list', list(1, 2), list()))).toEqual([
      ['ArrayErase', 0, undefined],
      ['ArrayErase', 0, undefined],
    ]);
  });

  it('names the members and keys that came and went', () => {
    const set = (...values: string[]): StateValue => ({
      type: 'set',
      items: new Map(values.map((value) => [valueToken(str(value)), str(value)])),
    });
    expect(told(between('set', set('a', 'b'), set('b', 'c')))).toEqual([
      ['SetErase', 'a'],
      ['SetInsert', 'c'],
    ]);
    const dictionary = (entries: Record<string, number>): StateValue => ({
      type: 'dictionary',
      entries: new Map(Object.entries(entries).map(([name, value]) => [name, { type: 'double', value }])),
    });
    expect(
      told(between('dictionary', dictionary({ a: 1, b: 2, c: 3 }), dictionary({ b: 2, c: 4, d: 5 }))),
    ).toEqual([
      ['Update', 'a', 'erased'],
      ['Update', 'c', 4],
      ['Update', 'd', 5],
    ]);
  });

  it('goes into embedded objects, also those in lists and dictionaries', () => {
    const before = object({ name: str('a'), inner: object({ labels: strings('x', 'y') }) });
    const after = object({
      name: str('b'),
      n: { type: 'int', value: 0n },
      inner: object({ labels: strings('x', 'z', 'y') }),
    });
    const expected = [
      ['Update', 'name', 'b'],
      ['ArrayInsert', 'inner', 'labels', 1, 'z'],
    ];
    expect(told(between('part', before, after))).toEqual(expected);
    expect(
      told(between('parts', { type: 'list', items: [before] }, { type: 'list', items: [after] })),
    ).toEqual(expected.map(([op, ...rest]) => [op, 0, ...rest]));
    expect(told(between('part', before, NULL))).toEqual([['Update', 'null']]);
  });

  const seed = testSeed();
  it(`turns any value into any other, and is empty between equals (ISTHMUS_TEST_SEED=${seed})`, () => {
    const random = new Random(seed);
    for (let run = 0; run < RUNS; run += 1) {
      for (const [field, definition] of Object.entries(ITEM)) {
        const before = randomValue(random, definition, 0);
        const after = random.chance(0.5)
          ? randomValue(random, definition, 0)
          : variation(random, definition, before);
        const made = view();
        applyInstructions(made, writeField(SCHEMA, at(field), definition, before));
        const difference = between(field, before, after);
        applyInstructions(made, difference);
        const reached = readField(made.object('Item', key)!, field, definition);
        expect(between(field, reached, after), `run ${run}, ${field}`).toEqual([]);
        expect(between(field, before, before), `run ${run}, ${field}`).toEqual([]);
      }
    }
  });
});

function randomValue(random: Random, definition: ColumnDefinition, depth: number): StateValue {
  const single = { ...definition, collection: 'single' } as const;
  const many = (): StateValue[] =>
    Array.from({ length: random.below(6) }, () => randomValue(random, single, depth + 1));
  switch (definition.collection) {
    case 'list':
      return { type: 'list', items: many() };
    case 'set':
      return {
        type: 'set',
        items: new Map(many().flatMap((item) => (isScalar(item) ? [[valueToken(item), item]] : []))),
      };
    case 'dictionary':
      return { type: 'dictionary', entries: new Map(many().map((item) => [`k${random.below(6)}`, item])) };
    case 'single':
      return randomSingle(random, single, depth);
  }
}

function randomSingle(random: Random, definition: ColumnDefinition, depth: number): StateValue {
  if (definition.nullable && random.chance(0.15)) return NULL;
  if (definition.linkTarget === 'Part') {
    if (depth > 3 && definition.nullable) return NULL;
    const fields = new Map<string, StateValue>();
    for (const [name, inner] of Object.entries(PART))
      if (random.chance(0.6)) fields.set(name, randomValue(random, inner, depth + 1));
    return { type: 'object', fields };
  }
  if (definition.type === 'mixed' && depth < 3 && random.chance(0.4)) {
    return randomValue(random, { ...definition, collection: random.pick(['list', 'dictionary']) }, depth + 1);
  }
  switch (definition.type === 'mixed' ? random.pick(['int', 'string', 'double'] as const) : definition.type) {
    case 'int':
      return { type: 'int', value: BigInt(random.below(5)) };
    case 'double':
      return { type: 'double', value: random.below(5) / 2 };
    default:
      return str(random.pick(['', 'a', 'b', 'c']));
  }
}

/** Mostly the same value, as one edit of many leaves it. */
function variation(random: Random, definition: ColumnDefinition, value: StateValue): StateValue {
  if (value.type === 'list') {
    const items = [...value.items];
    const single = { ...definition, collection: 'single' } as const;
    if (random.chance(0.6)) items.splice(random.below(items.length + 1), 0, randomValue(random, single, 1));
    if (items.length > 0 && random.chance(0.6)) items.splice(random.below(items.length), 1);
    return { type: 'list', items };
  }
  if (value.type === 'object') {
    const fields = new Map(value.fields);
    const name = random.pick(Object.keys(PART));
    fields.set(name, randomValue(random, PART[name]!, 1));
    return { type: 'object', fields };
  }
  return value.type === 'null' ? defaultValue(definition) : value;
}

function isScalar(value: StateValue): value is ScalarValue {
  return (
    value.type !== 'object' && value.type !== 'list' && value.type !== 'dictionary' && value.type !== 'set'
  );
}
