import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chinookModels } from '../../models/chinook.ts';
import * as mapping from '../../models/chinook-mapping.ts';
import { statementsOf } from '../../src/cli/demo/chinook-database.ts';
import { parseSchema } from '../../src/schema/notation.ts';

const script = readFileSync(join(import.meta.dirname, '../../data/chinook/Chinook_PostgreSql.sql'), 'utf8');
const tables = new Map(
  [...script.matchAll(/CREATE TABLE (\w+)\s*\(([\s\S]*?)\n\);/g)].map(([, table = '', body = '']) => [
    table,
    [...body.matchAll(/^\s+(\w+) (INT|VARCHAR|TIMESTAMP|NUMERIC)\S*( NOT NULL)?/gm)].map(
      ([, column = '', type = '', required]) => ({ column, type, required: required !== undefined }),
    ),
  ]),
);
const schema = new Map(parseSchema(chinookModels).map((definition) => [definition.name, definition]));

test('the eleven tables have the eleven classes', () => {
  expect(tables.size).toBe(11);
  expect([...tables.keys()].map(mapping.mapPostgresTableName).sort()).toEqual([...schema.keys()].sort());
});

describe.each([...tables])('%s', (table, columns) => {
  const className = mapping.mapPostgresTableName(table);
  const properties: Record<string, unknown> = {
    ...chinookModels.find(({ name }) => name === className)?.properties,
  };

  test('the name of the class leads back to it', () => {
    expect(mapping.mapRealmClassName(className)).toBe(table);
  });

  test('every column is a property of its class and leads back', () => {
    for (const { column } of columns) {
      const property = mapping.mapPostgresColumnName(table, column);
      expect(properties, column).toHaveProperty(property);
      expect(mapping.mapRealmPropertyName(className, property), property).toBe(column);
    }
  });

  test('every property is a column, a list, a backlink or the key of a join table, and leads back', () => {
    const names = new Set(columns.map(({ column }) => column));
    for (const [property, notation] of Object.entries(properties)) {
      const column = mapping.mapRealmPropertyName(className, property);
      expect(mapping.mapPostgresColumnName(table, column), property).toBe(property);
      const kept = names.has(column);
      const list = typeof notation === 'string' && notation.endsWith('[]');
      const backlink = typeof notation === 'object';
      const joinKey = property === 'key' && className in mapping.compoundPrimaryKeys;
      expect([kept, list, backlink, joinKey].filter(Boolean), property).toHaveLength(1);
    }
  });

  test('a value has the type of its column, and may be missing where the column may be NULL', () => {
    const types: Record<string, string> = {
      INT: 'int',
      VARCHAR: 'string',
      TIMESTAMP: 'date',
      NUMERIC: 'decimal128',
    };
    for (const { column, type, required } of columns) {
      const notation = properties[mapping.mapPostgresColumnName(table, column)];
      if (typeof notation !== 'string' || schema.has(notation.replace('?', ''))) continue;
      expect(notation, column).toBe(`${types[type]}${required ? '' : '?'}`);
    }
  });
});

test('the script holds nothing that only psql understands, and its data is untouched', () => {
  const statements = statementsOf(script);
  expect(statements).not.toMatch(/^\\/m);
  expect(statements).not.toMatch(/(DROP|CREATE) DATABASE/);
  expect(script.split('\n').length - statements.split('\n').length).toBe(3);
});
