/** The Chinook tables of a PostgreSQL server, for comparison with objects. */
import type pg from 'pg';
import {
  compoundPrimaryKeys,
  mapRealmClassName,
  mapRealmPropertyName,
} from '../../models/chinook-mapping.ts';
import { type ChinookTables, columnsOf } from './compare.ts';

export function postgresTables(client: pg.ClientBase): ChinookTables {
  return {
    rows: async (className) => {
      const { key, types } = columnsOf(className);
      const keys = keyColumnsOf(className, key);
      const select = [
        ...keys.map((name) => `${name}::text`),
        ...[...types].map(([property, type]) => textOf(mapRealmPropertyName(className, property), type)),
      ];
      const { rows } = await client.query<(string | null)[]>({
        text: `SELECT ${select.join(', ')} FROM ${mapRealmClassName(className)}`,
        rowMode: 'array',
      });
      return new Map(
        rows.map((row) => [
          row.slice(0, keys.length).join('-'),
          new Map([...types.keys()].map((property, index) => [property, row[keys.length + index] ?? null])),
        ]),
      );
    },
    favourites: async () => {
      const { rows } = await client.query<{ oid: string; targets: string }>(
        `SELECT oid::text, string_agg(idx || ':' || target, ',' ORDER BY idx) AS targets FROM playlist_favourites GROUP BY oid`,
      );
      return new Map(rows.map((row) => [row.oid, row.targets]));
    },
  };
}

function keyColumnsOf(className: string, field: string): string[] {
  const parts = Object.entries(compoundPrimaryKeys).find(([name]) => name === className)?.[1];
  return parts?.map((part) => part.dbColumn) ?? [mapRealmPropertyName(className, field)];
}

function textOf(column: string, type: string): string {
  if (type === 'date') return `(extract(epoch FROM ${column} AT TIME ZONE 'UTC') * 1000000)::bigint::text`;
  if (type === 'decimal128') return `trim_scale(${column})::text`;
  return `${column}::text`;
}
