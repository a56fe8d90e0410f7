import { beforeEach, describe, expect, test } from 'vitest';
import { BadChangesetError } from '../../../src/changeset/codec.ts';
import type { Instruction, Path, Payload } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import { NULL, type PrimaryKey } from '../../../src/schema/value.ts';
import { applyInstruction, applyInstructions } from '../../../src/store/state/apply.ts';
import { readField } from '../../../src/store/state/default-value.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import type { StateView } from '../../../src/store/state/view.ts';
import { VIEWS } from './views.ts';

const int = (value: number): Payload & { type: 'int' } => ({ type: 'int', value: BigInt(value) });
const text = (value: string): Payload & { type: 'string' } => ({ type: 'string', value });
const link = (table: string, key: PrimaryKey): Payload & { type: 'link' } => ({ type: 'link', table, key });
const OBJECT: Payload = { type: 'object' };
const LIST: Payload = { type: 'list' };
const DICTIONARY: Payload = { type: 'dictionary' };
const SET: Payload = { type: 'set' };
const ERASED: Payload = { type: 'erased' };
const KEY = int(1);

type Collection = ColumnDefinition['collection'];
const column = (
  type: ColumnDefinition['type'],
  collection: Collection = 'single',
  nullable = false,
  linkTarget?: string,
): ColumnDefinition => ({
  type,
  collection,
  nullable,
  ...(linkTarget === undefined ? {} : { linkTarget }),
});

const addTable = (table: string, kind: 'topLevel' | 'embedded' = 'topLevel'): Instruction =>
  kind === 'embedded'
    ? { op: 'AddTable', table, kind }
    : { op: 'AddTable', table, kind, primaryKey: { field: '_id', type: 'int', nullable: false } };
const addColumn = (table: string, field: string, definition: ColumnDefinition): Instruction => ({
  op: 'AddColumn',
  table,
  field,
  column: definition,
});
const create = (key: PrimaryKey, table = 'T'): Instruction => ({ op: 'CreateObject', table, key });
const erase = (key: PrimaryKey, table = 'T'): Instruction => ({ op: 'EraseObject', table, key });
const at = (field: string, path: Path) => ({ table: 'T', key: KEY, field, path }) as const;
const update = (field: string, path: Path, value: Payload): Instruction =>
  typeof path.at(-1) === 'number'
    ? { op: 'Update', ...at(field, path), value, priorSize: 99 }
    : { op: 'Update', ...at(field, path), value, isDefault: false };
const add = (field: string, path: Path, addend: bigint): Instruction => ({
  op: 'AddInteger',
  ...at(field, path),
  addend,
});
const insert = (field: string, path: Path, value: Payload, priorSize: number): Instruction => ({
  op: 'ArrayInsert',
  ...at(field, path),
  value,
  priorSize,
});
const move = (field: string, path: Path, destination: number, priorSize: number): Instruction => ({
  op: 'ArrayMove',
  ...at(field, path),
  destination,
  priorSize,
});
const eraseItem = (field: string, path: Path, priorSize: number): Instruction => ({
  op: 'ArrayErase',
  ...at(field, path),
  priorSize,
});
const clear = (field: string, path: Path, collection: Collection): Instruction => ({
  op: 'Clear',
  ...at(field, path),
  collection,
});
const setInsert = (field: string, value: Payload): Instruction => ({
  op: 'SetInsert',
  ...at(field, []),
  value,
});
const setErase = (field: string, value: Payload): Instruction => ({
  op: 'SetErase',
  ...at(field, []),
  value,
});

const SCHEMA: readonly Instruction[] = [
  addTable('T'),
  addTable('Target'),
  addTable('Part', 'embedded'),
  addColumn('Part', 'x', column('int')),
  addColumn('Part', 'xs', column('int', 'list')),
  addColumn('T', 'n', column('int')),
  addColumn('T', 'maybe', column('int', 'single', true)),
  addColumn('T', 's', column('string')),
  addColumn('T', 'ints', column('int', 'list')),
  addColumn('T', 'nums', column('int', 'set')),
  addColumn('T', 'dict', column('int', 'dictionary', true)),
  addColumn('T', 'link', column('link', 'single', true, 'Target')),
  addColumn('T', 'links', column('link', 'list', false, 'Target')),
  addColumn('T', 'part', column('link', 'single', true, 'Part')),
  addColumn('T', 'parts', column('link', 'list', false, 'Part')),
  addColumn('T', 'partsByName', column('link', 'dictionary', true, 'Part')),
  addColumn('T', 'any', column('mixed', 'single', true)),
  addColumn('T', 'anys', column('mixed', 'list', true)),
  create(KEY),
];

describe.each(VIEWS)('a state $name', ({ open }) => {
  let view: StateView;
  let settle: () => void;

  beforeEach(() => {
    ({ view, settle } = open());
    applyInstructions(view, SCHEMA);
    settle();
  });

  const apply = (...instructions: Instruction[]): void => {
    applyInstructions(view, instructions);
    settle();
  };
  const field = (name: string, key: PrimaryKey = KEY): StateValue | undefined => {
    const state = view.object('T', key);
    const definition = view.schema.get('T')?.columns.get(name);
    return state && definition && readField(state, name, definition);
  };
  const items = (name: string): unknown[] => {
    const value = field(name);
    if (value?.type !== 'list') throw new Error(`${name} is no list`);
    return value.items.map((item) => (item.type === 'int' ? Number(item.value) : item.type));
  };
  const refuse = (instruction: Instruction, problem: RegExp): void => {
    expect(() => applyInstruction(view, instruction)).toThrow(BadChangesetError);
    expect(() => applyInstruction(view, instruction)).toThrow(problem);
  };

  describe('changes its schema', () => {
    test('takes the same class twice and refuses another definition', () => {
      apply(addTable('T'));
      expect(field('n')).toEqual(int(0));
      refuse({ op: 'AddTable', table: 'T', kind: 'embedded' }, /another definition/);
      refuse(
        {
          op: 'AddTable',
          table: 'T',
          kind: 'topLevel',
          primaryKey: { field: '_id', type: 'string', nullable: false },
        },
        /another definition/,
      );
      refuse(addTable('x'.repeat(58)), /too long/);
    });

    test('erases a class with its objects, but not one that others link to', () => {
      apply({ op: 'EraseTable', table: 'T' });
      expect(view.schema.has('T')).toBe(false);
      refuse({ op: 'EraseTable', table: 'T' }, /no such class/);
      apply(...SCHEMA.slice(0, -1));
      expect(view.object('T', KEY)).toBeUndefined();
      refuse({ op: 'EraseTable', table: 'Target' }, /T\.links? still links/);
    });

    test('takes the same column twice, whatever its nullability, and refuses another type', () => {
      apply(addColumn('T', 'n', column('int', 'single', true)));
      expect(view.schema.get('T')?.columns.get('n')?.nullable).toBe(false);
      refuse(addColumn('T', 'n', column('string')), /another type/);
      refuse(addColumn('T', 'n', column('int', 'list')), /another type/);
      refuse(addColumn('T', 'links', column('link', 'list', false, 'T')), /another type/);
      refuse(addColumn('Nowhere', 'n', column('int')), /no such class/);
      refuse(addColumn('T', 'l', column('link', 'single', true, 'Nowhere')), /no class Nowhere/);
      refuse(addColumn('T', 'x'.repeat(64), column('int')), /too long/);
    });

    test('forgets the values of an erased column, also inside embedded objects', () => {
      apply(
        update('n', [], int(5)),
        update('part', [], OBJECT),
        update('part', ['x'], int(6)),
        insert('parts', [0], OBJECT, 0),
        update('parts', [0, 'x'], int(7)),
      );
      apply({ op: 'EraseColumn', table: 'T', field: 'n' }, { op: 'EraseColumn', table: 'Part', field: 'x' });
      refuse({ op: 'EraseColumn', table: 'T', field: 'n' }, /no such field/);
      apply(addColumn('T', 'n', column('int')), addColumn('Part', 'x', column('int')));
      expect(field('n')).toEqual(int(0));
      expect(field('part')).toEqual({ type: 'object', fields: new Map() });
      expect(field('parts')).toEqual({ type: 'list', items: [{ type: 'object', fields: new Map() }] });
    });
  });

  describe('creates and erases objects', () => {
    test('creating one that exists changes nothing', () => {
      apply(update('n', [], int(5)), create(KEY));
      expect(field('n')).toEqual(int(5));
    });

    test('erasing one that does not exist changes nothing', () => {
      apply(erase(int(9)));
      apply(erase(KEY));
      expect(view.object('T', KEY)).toBeUndefined();
      apply(create(KEY));
      expect(field('n')).toEqual(int(0));
    });

    test('refuses keys of another kind', () => {
      refuse(create(text('a')), /keys of type int, not string/);
      refuse(create(NULL), /keys of type int, not null/);
      refuse(erase({ type: 'globalKey', hi: 0n, lo: 1n }), /not globalKey/);
      refuse(create(KEY, 'Part'), /embedded/);
      refuse(create(KEY, 'Nowhere'), /no such class/);
    });

    test('has one object with a null key where keys may be null', () => {
      const primaryKey = { field: '_id', type: 'string', nullable: true } as const;
      apply(
        { op: 'AddTable', table: 'N', kind: 'topLevel', primaryKey },
        create(NULL, 'N'),
        create(NULL, 'N'),
      );
      expect(view.object('N', NULL)).toBeDefined();
      expect(view.object('N', text(''))).toBeUndefined();
    });
  });

  describe('updates fields', () => {
    test('refuses what the column cannot hold', () => {
      refuse(update('n', [], NULL), /null in a required/);
      refuse(update('n', [], text('x')), /string value in a property of type int/);
      refuse(update('nothing', [], int(1)), /no such field/);
      refuse(update('_id', [], int(1)), /no such field/);
      refuse(
        { ...update('n', [], int(1)), key: int(9) } as Instruction,
        /T\[i9\]\.n: there is no such object/,
      );
      refuse(update('n', [], OBJECT), /no embedded objects/);
      refuse(update('n', [], LIST), /needs a mixed/);
      refuse(update('n', [], ERASED), /only a dictionary key/);
      refuse(update('ints', [], int(1)), /is a list/);
      refuse(update('any', [], SET), /no place here/);
    });

    test('writes a default like any other value', () => {
      apply({ ...update('n', [], int(5)), isDefault: true } as Instruction);
      expect(field('n')).toEqual(int(5));
    });

    test('keeps links to objects that do not exist, and refuses links to other classes', () => {
      apply(update('link', [], link('Target', int(7))));
      expect(field('link')).toEqual(link('Target', int(7)));
      refuse(update('link', [], link('T', KEY)), /property that links to Target/);
      refuse(update('any', [], link('Nowhere', KEY)), /no class Nowhere/);
      refuse(update('any', [], link('Part', KEY)), /embedded/);
      refuse(update('part', [], link('Part', KEY)), /embedded/);
    });

    test('keeps the raw length of a list whose targets were erased', () => {
      apply(
        create(int(7), 'Target'),
        insert('links', [0], link('Target', int(7)), 0),
        erase(int(7), 'Target'),
        insert('links', [1], link('Target', int(8)), 1),
      );
      expect(items('links')).toEqual(['link', 'link']);
      apply(create(int(7), 'Target'));
      expect(items('links')).toEqual(['link', 'link']);
    });
  });

  describe('holds embedded objects', () => {
    test('a field keeps the object it has, a dictionary key gets a fresh one, a list index ignores it', () => {
      apply(
        update('part', [], OBJECT),
        update('part', ['x'], int(1)),
        update('part', [], OBJECT),
        update('partsByName', ['k'], OBJECT),
        update('partsByName', ['k', 'x'], int(2)),
        update('partsByName', ['k'], OBJECT),
        insert('parts', [0], OBJECT, 0),
        update('parts', [0, 'x'], int(3)),
        update('parts', [0], OBJECT),
      );
      const fresh = { type: 'object', fields: new Map() };
      expect(field('part')).toEqual({ type: 'object', fields: new Map([['x', int(1)]]) });
      expect(field('partsByName')).toEqual({ type: 'dictionary', entries: new Map([['k', fresh]]) });
      expect(field('parts')).toEqual({
        type: 'list',
        items: [{ type: 'object', fields: new Map([['x', int(3)]]) }],
      });
    });

    test('refuses paths through what is not there', () => {
      refuse(update('part', ['x'], int(1)), /through a null value/);
      refuse(update('parts', [0, 'x'], int(1)), /missing element/);
      refuse(update('partsByName', ['k', 'x'], int(1)), /missing element/);
      apply(update('part', [], OBJECT));
      refuse(update('part', ['nothing'], int(1)), /no field nothing/);
      refuse(update('n', ['x'], int(1)), /through a int value/);
      refuse(update('ints', ['x'], int(1)), /indexes, not keys/);
      refuse(update('dict', [0], int(1)), /keys, not indexes/);
      refuse(insert('parts', [0], int(1), 0), /int value in a property of type link/);
      refuse(insert('ints', [0], OBJECT, 0), /no embedded objects/);
    });

    test('changes lists inside them', () => {
      apply(
        insert('parts', [0], OBJECT, 0),
        insert('parts', [0, 'xs', 0], int(4), 0),
        add('parts', [0, 'x'], 2n),
      );
      expect(field('parts')).toEqual({
        type: 'list',
        items: [
          {
            type: 'object',
            fields: new Map<string, unknown>([
              ['xs', { type: 'list', items: [int(4)] }],
              ['x', int(2)],
            ]),
          },
        ],
      });
    });
  });

  describe('changes lists', () => {
    beforeEach(() => apply(...[10, 20, 30].map((value, i) => insert('ints', [i], int(value), i))));

    test('inserts, moves, overwrites and erases', () => {
      apply(insert('ints', [1], int(15), 3));
      expect(items('ints')).toEqual([10, 15, 20, 30]);
      apply(move('ints', [0], 2, 4));
      expect(items('ints')).toEqual([15, 20, 10, 30]);
      apply(move('ints', [3], 0, 4));
      expect(items('ints')).toEqual([30, 15, 20, 10]);
      apply(eraseItem('ints', [1], 4));
      apply(update('ints', [1], int(99)));
      expect(items('ints')).toEqual([30, 99, 10]);
    });

    test('refuses wrong sizes and indexes', () => {
      refuse(insert('ints', [0], int(1), 2), /has 3 elements, not 2/);
      refuse(insert('ints', [4], int(1), 3), /beyond the 3/);
      refuse(insert('ints', [0], NULL, 3), /null in a required/);
      refuse(move('ints', [0], 1, 2), /has 3 elements/);
      refuse(move('ints', [0], 3, 3), /beyond the 3/);
      refuse(move('ints', [3], 0, 3), /beyond the 3/);
      refuse(move('ints', [1], 1, 3), /to where it is/);
      refuse(eraseItem('ints', [0], 4), /has 3 elements/);
      refuse(eraseItem('ints', [3], 3), /beyond the 3/);
      refuse(update('ints', [3], int(1)), /beyond the 3/);
      refuse(insert('dict', ['k'], int(1), 0), /does not end in a list index/);
    });
  });

  describe('changes dictionaries', () => {
    test('puts, nulls and removes keys', () => {
      apply(update('dict', ['a'], int(1)), update('dict', ['b'], NULL), update('dict', ['c'], int(3)));
      apply(update('dict', ['c'], ERASED), update('dict', ['missing'], ERASED));
      expect(field('dict')).toEqual({
        type: 'dictionary',
        entries: new Map<string, unknown>([
          ['a', int(1)],
          ['b', NULL],
        ]),
      });
      refuse(update('dict', ['a'], text('x')), /string value/);
    });
  });

  describe('changes sets', () => {
    test('inserts and erases idempotently', () => {
      apply(setInsert('nums', int(1)), setInsert('nums', int(2)), setInsert('nums', int(1)));
      apply(setErase('nums', int(2)), setErase('nums', int(5)));
      const set = field('nums');
      expect(set?.type === 'set' && [...set.items.values()]).toEqual([int(1)]);
      refuse(setInsert('nums', text('x')), /string value/);
      refuse(setInsert('nums', NULL), /null/);
      for (const payload of [OBJECT, LIST, DICTIONARY, SET, ERASED])
        refuse(setInsert('nums', payload), /no place/);
      refuse(setInsert('ints', int(1)), /no set/);
    });
  });

  describe('adds to integers', () => {
    test('wraps around at 64 bits and leaves null alone', () => {
      apply(update('n', [], { type: 'int', value: 2n ** 63n - 1n }), add('n', [], 1n), add('maybe', [], 5n));
      expect(field('n')).toEqual({ type: 'int', value: -(2n ** 63n) });
      expect(field('maybe')).toEqual(NULL);
    });

    test('works on mixed values that hold an integer, and on fields only', () => {
      apply(update('any', [], int(1)), add('any', [], 2n));
      expect(field('any')).toEqual(int(3));
      apply(update('any', [], text('x')), insert('ints', [0], int(1), 0), update('dict', ['k'], int(1)));
      refuse(add('any', [], 1n), /string value cannot be incremented/);
      refuse(add('s', [], 1n), /string value cannot be incremented/);
      refuse(add('ints', [0], 1n), /only a field/);
      refuse(add('dict', ['k'], 1n), /only a field/);
    });
  });

  describe('holds collections in mixed values', () => {
    test('keeps a collection of the same kind and replaces anything else', () => {
      apply(update('any', [], LIST), insert('any', [0], int(1), 0), update('any', [], LIST));
      expect(items('any')).toEqual([1]);
      apply(
        update('any', [], DICTIONARY),
        update('any', ['k'], LIST),
        insert('any', ['k', 0], DICTIONARY, 0),
      );
      apply(
        update('any', ['k', 0, 'z'], int(5)),
        insert('anys', [0], LIST, 0),
        insert('anys', [0, 0], int(1), 0),
      );
      expect(field('any')).toEqual({
        type: 'dictionary',
        entries: new Map([
          ['k', { type: 'list', items: [{ type: 'dictionary', entries: new Map([['z', int(5)]]) }] }],
        ]),
      });
      expect(items('anys')).toEqual(['list']);
      apply(update('anys', [0], int(3)));
      expect(items('anys')).toEqual([3]);
    });

    test('clears to an empty collection of the stated kind', () => {
      apply(update('any', [], int(1)), clear('any', [], 'list'), insert('anys', [0], int(1), 0));
      expect(field('any')).toEqual({ type: 'list', items: [] });
      apply(clear('anys', [0], 'dictionary'));
      expect(items('anys')).toEqual(['dictionary']);
      refuse(clear('any', [], 'single'), /cannot be cleared/);
      refuse(clear('any', [], 'set'), /cannot be cleared/);
      refuse(clear('anys', [1], 'list'), /no such element/);
      apply(update('any', [], DICTIONARY));
      refuse(clear('any', ['k'], 'list'), /no such element/);
    });
  });

  test('refuses nesting without end', () => {
    apply(update('any', [], LIST));
    const deep: number[] = [];
    for (let depth = 0; depth < 500; depth++) {
      deep.push(0);
      apply(insert('any', deep, LIST, 0));
    }
    refuse(insert('any', [...deep, 0], LIST, 0), /too deep/);
  });

  test('clears collection properties of the stated or an unstated kind', () => {
    apply(insert('ints', [0], int(1), 0), setInsert('nums', int(1)), update('dict', ['k'], int(1)));
    refuse(clear('ints', [], 'set'), /is a list, not a set/);
    refuse(clear('n', [], 'list'), /no collection/);
    apply(clear('ints', [], 'list'), clear('nums', [], 'set'), clear('dict', [], 'single'));
    expect(items('ints')).toEqual([]);
    expect(field('nums')).toEqual({ type: 'set', items: new Map() });
    expect(field('dict')).toEqual({ type: 'dictionary', entries: new Map() });
  });
});
