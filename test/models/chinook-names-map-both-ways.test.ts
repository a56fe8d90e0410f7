import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chinookModels } from '../../models/chinook.ts';
import * as postgres from '../../models/chinook-mapping.ts';
import * as sqlserver from '../../models/chinook-sqlserver-mapping.ts';
import { statementsOf } from '../../src/cli/demo/postgres-chinook.ts';
import { parseSchema } from '../../src/schema/notation.ts';

type Column = { readonly column: string; readonly type: string; readonly required: boolean };
type Names = {
  readonly database: string;
  readonly tables: ReadonlyMap<string, readonly Column[]>;
  readonly classOf: (table: string) => string;
  readonly tableOf: (className: string) => string;
  readonly propertyOf: (table: string, column: string) => string;
  readonly columnOf: (className: string, property: string) => string;
  readonly joinTables: object;
};

const scriptOf = (file: string): string =>
  readFileSync(join(import.meta.dirname, '../../data/chinook', file), 'utf8');

/** Both scripts put a column on a line of its own; brackets around names are SQL Server's. */
function tablesOf(script: string): ReadonlyMap<string, readonly Column[]> {
  const plain = script.replaceAll(/\[(?:dbo\]\.\[)?(\w+)\]/g, '$1').replaceAll('\r', '');
  return new Map(
    [...plain.matchAll(/CREATE TABLE (\w+)\s*\(([\s\S]*?)\n\);/g)].map(([, table = '', body = '']) => [
      table,
      [...body.matchAll(/^\s+(\w+) (INT|N?VARCHAR|TIMESTAMP|DATETIME|NUMERIC)\S*( NOT NULL)?/gm)].map(
        ([, column = '', type = '', required]) => ({ column, type, required: required !== undefined }),
      ),
    ]),
  );
}

const TYPES: Readonly<Record<string, string>> = {
  INT: 'int',
  VARCHAR: 'string',
  NVARCHAR: 'string',
  TIMESTAMP: 'date',
  DATETIME: 'date',
  NUMERIC: 'decimal128',
};

const DATABASES: readonly Names[] = [
  {
    database: 'PostgreSQL',
    tables: tablesOf(scriptOf('Chinook_PostgreSql.sql')),
    classOf: postgres.mapPostgresTableName,
    tableOf: postgres.mapRealmClassName,
    propertyOf: postgres.mapPostgresColumnName,
    columnOf: postgres.mapRealmPropertyName,
    joinTables: postgres.compoundPrimaryKeys,
  },
  {
    database: 'SQL Server',
    tables: tablesOf(scriptOf('Chinook_SqlServer.sql')),
    classOf: (table) => table,
    tableOf: (className) => className,
    propertyOf: sqlserver.mapSQLServerColumnName,
    columnOf: sqlserver.mapRealmPropertyName,
    joinTables: sqlserver.compoundPrimaryKeys,
  },
];
const schema = new Map(parseSchema(chinookModels).map((definition) => [definition.name, definition]));

describe.each(DATABASES)('$database', ({ tables, classOf, tableOf, propertyOf, columnOf, joinTables }) => {
  test('the eleven tables have the eleven classes', () => {
    expect(tables.size).toBe(11);
    expect([...tables.keys()].map(classOf).sort()).toEqual([...schema.keys()].sort());
  });

  describe.each([...tables])('%s', (table, columns) => {
    const className = classOf(table);
    const properties: Record<string, unknown> = {
      ...chinookModels.find(({ name }) => name === className)?.properties,
    };

    test('the name of the class leads back to it', () => {
      expect(tableOf(className)).toBe(table);
    });

    test('every column is a property of its class and leads back', () => {
      expect(columns).not.toHaveLength(0);
      for (const { column } of columns) {
        const property = propertyOf(table, column);
        expect(properties, column).toHaveProperty(property);
        expect(columnOf(className, property), property).toBe(column);
      }
    });

    test('every property is a column, a list, a backlink or the key of a join table, and leads back', () => {
      const names = new Set(columns.map(({ column }) => column));
      for (const [property, notation] of Object.entries(properties)) {
        const column = columnOf(className, property);
        expect(propertyOf(table, column), property).toBe(property);
        const kept = names.has(column);
        const list = typeof notation === 'string' && notation.endsWith('[]');
        const backlink = typeof notation === 'object';
        const joinKey = property === 'key' && className in joinTables;
        expect([kept, list, backlink, joinKey].filter(Boolean), property).toHaveLength(1);
      }
    });

    test('a value has the type of its column, and may be missing where the column may be NULL', () => {
      for (const { column, type, required } of columns) {
        const notation = properties[propertyOf(table, column)];
        if (typeof notation !== 'string' || schema.has(notation.replace('?', ''))) continue;
        expect(notation, column).toBe(`${TYPES[type]}${required ? '' : '?'}`);
      }
    });
  });
});

test('the script holds nothing that only psql understands, and its data is untouched', () => {
  const script = scriptOf('Chinook_PostgreSql.sql');
  const statements = statementsOf(script);
  expect(statements).not.toMatch(/^\\/m);
  expect(statements).not.toMatch(/(DROP|CREATE) DATABASE/);
  expect(script.split('\n').length - statements.split('\n').length).toBe(3);
});
