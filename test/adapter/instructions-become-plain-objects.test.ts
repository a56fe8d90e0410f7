/** The instruction objects of the Adapter API for every kind of value (spec/server-history.md §10.3). */
import { describe, expect, it } from 'vitest';
import { toInstructionObject } from '../../src/adapter/instruction-objects.ts';
import type { MergedInstruction } from '../../src/adapter/merged-instruction.ts';
import { realmFilter } from '../../src/adapter/realm-filter.ts';
import { classDefinitions } from '../../src/schema/definitions.ts';
import { parseSchema } from '../../src/schema/notation.ts';
import { toNotation } from '../../src/schema/to-notation.ts';
import type { PrimaryKey } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';

const NOTATION = [
  {
    name: 'A',
    primaryKey: '_id',
    properties: {
      _id: 'string',
      n: 'int?',
      a: 'A',
      as: 'A[]',
      d: 'mixed{}',
      s: 'int<>',
      e: 'E',
      x: 'double?[]',
    },
  },
  { name: 'Keyless', properties: { n: 'int' } },
  { name: 'E', embedded: true, properties: { t: 'string?' } },
];
const SCHEMA = classDefinitions(parseSchema(NOTATION));
const key: PrimaryKey = { type: 'string', value: 'k' };
const objectOf = (merged: MergedInstruction) => toInstructionObject(merged, SCHEMA);
const javaScriptOf = (value: StateValue): unknown => {
  const made = objectOf({ type: 'SET', table: 'A', key, values: new Map([['v', value]]) });
  return made.type === 'SET' ? made.values.v : undefined;
};

describe('values', () => {
  it.each<[StateValue, unknown]>([
    [{ type: 'null' }, null],
    [{ type: 'int', value: 5n }, 5],
    [{ type: 'int', value: 1n << 60n }, 1n << 60n],
    [{ type: 'bool', value: true }, true],
    [{ type: 'string', value: 'ä' }, 'ä'],
    [{ type: 'float', value: 0.5 }, 0.5],
    [{ type: 'double', value: 0.1 }, 0.1],
    [{ type: 'date', seconds: 1n, nanoseconds: 5_000_000 }, new Date(1005)],
    [{ type: 'decimal128', coefficient: 125n, exponent: -2, negative: true }, '-1.25'],
    [{ type: 'objectId', value: '0123456789abcdef01234567' }, '0123456789abcdef01234567'],
    [{ type: 'uuid', value: '01234567-89ab-4def-8123-456789abcdef' }, '01234567-89ab-4def-8123-456789abcdef'],
    [{ type: 'link', table: 'A', key: { type: 'int', value: 7n } }, 7],
    [{ type: 'link', table: 'K', key: { type: 'globalKey', hi: 2n, lo: 0xabcden } }, '{0002-abcde}'],
    [{ type: 'list', items: [{ type: 'int', value: 1n }, { type: 'null' }] }, [1, null]],
    [{ type: 'set', items: new Map([['int 1', { type: 'int', value: 1n }]]) }, [1]],
    [{ type: 'object', fields: new Map([['t', { type: 'string', value: 'x' }]]) }, { t: 'x' }],
  ])('%o come as JavaScript has them', (value, expected) => {
    expect(javaScriptOf(value)).toEqual(expected);
  });

  it('of bytes are an ArrayBuffer of just these bytes', () => {
    const value = javaScriptOf({ type: 'data', value: Buffer.from('xabcx').subarray(1, 4) });
    expect(value).toBeInstanceOf(ArrayBuffer);
    expect(Buffer.from(value as ArrayBuffer).toString()).toBe('abc');
  });

  it('of dictionaries may have any key', () => {
    const entries = new Map<string, StateValue>([['__proto__', { type: 'int', value: 1n }]]);
    const value = javaScriptOf({ type: 'dictionary', entries });
    expect(Object.entries(value as object)).toEqual([['__proto__', 1]]);
  });
});

describe('objects', () => {
  it('have their key among the values of an INSERT, unless their class has none', () => {
    const values = new Map<string, StateValue>([['n', { type: 'int', value: 1n }]]);
    expect(objectOf({ type: 'INSERT', table: 'A', key, values })).toEqual({
      type: 'INSERT',
      object_type: 'A',
      identity: 'k',
      values: { _id: 'k', n: 1 },
    });
    const globalKey = { type: 'globalKey', hi: 1n, lo: 2n } as const;
    expect(objectOf({ type: 'INSERT', table: 'Keyless', key: globalKey, values })).toEqual({
      type: 'INSERT',
      object_type: 'Keyless',
      identity: '{0001-0002}',
      values: { n: 1 },
    });
  });

  it('are named by class and identity in every other instruction', () => {
    const on = { object_type: 'A', identity: 'k' };
    const target = { type: 'link', table: 'A', key: { type: 'string', value: 'z' } } as const;
    expect(objectOf({ type: 'DELETE', table: 'A', key })).toEqual({ type: 'DELETE', ...on });
    expect(objectOf({ type: 'CLEAR', table: 'A' })).toEqual({ type: 'CLEAR', object_type: 'A' });
    expect(objectOf({ type: 'LIST_SET', table: 'A', key, property: 'as', index: 3, target })).toEqual({
      type: 'LIST_SET',
      ...on,
      property: 'as',
      list_index: 3,
      object_identity: 'z',
    });
    expect(objectOf({ type: 'LIST_ERASE', table: 'A', key, property: 'as', index: 0 })).toEqual({
      type: 'LIST_ERASE',
      ...on,
      property: 'as',
      list_index: 0,
    });
    expect(objectOf({ type: 'LIST_CLEAR', table: 'A', key, property: 'as' })).toEqual({
      type: 'LIST_CLEAR',
      ...on,
      property: 'as',
    });
  });
});

describe('classes', () => {
  it('come with their key and what their properties are', () => {
    expect(objectOf({ type: 'ADD_TYPE', definition: SCHEMA.get('A')! })).toEqual({
      type: 'ADD_TYPE',
      object_type: 'A',
      primary_key: '_id',
      properties: {
        _id: { type: 'string', nullable: false },
        n: { type: 'int', nullable: true },
        a: { type: 'object', nullable: true, object_type: 'A' },
        as: { type: 'list', nullable: false, object_type: 'A' },
        d: { type: 'dictionary', nullable: true, object_type: 'mixed' },
        s: { type: 'set', nullable: false, object_type: 'int' },
        e: { type: 'object', nullable: true, object_type: 'E' },
        x: { type: 'list', nullable: true, object_type: 'double' },
      },
    });
    const columns = new Map([['n', SCHEMA.get('Keyless')!.columns.get('n')!]]);
    expect(objectOf({ type: 'ADD_PROPERTIES', table: 'A', columns })).toEqual({
      type: 'ADD_PROPERTIES',
      object_type: 'A',
      properties: { n: { type: 'int', nullable: false } },
    });
  });

  it('can be declared from what a realm has', () => {
    expect(classDefinitions(parseSchema(toNotation(SCHEMA)))).toEqual(SCHEMA);
  });
});

describe('a filter', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/ab', false],
    ['/a', '/b/a', false],
    ['^/a|/b$', '/b', true],
    ['/^\\/([0-9a-f]+)\\/private$/', '/0af/private', true],
    ['/^\\/([0-9a-f]+)\\/private$/', '/0ag/private', false],
  ])('%j against %s: %s', (filter, path, expected) => {
    expect(realmFilter(filter)(path)).toBe(expected);
  });
});
