/** The Chinook tables of a SQL Server, for comparison with objects. */
import { compoundPrimaryKeys, mapRealmPropertyName } from '../../models/chinook-sqlserver-mapping.ts';
import type { TestConnection } from '../support/sqlserver-connection.ts';
import { type ChinookTables, columnsOf, plainDecimal } from './compare.ts';

export function sqlServerTables(connection: TestConnection): ChinookTables {
  return {
    rows: async (className) => {
      const { key, types } = columnsOf(className);
      const parts = Object.entries(compoundPrimaryKeys).find(([name]) => name === className)?.[1];
      const keys = parts?.map(({ dbColumn }) => dbColumn) ?? [mapRealmPropertyName(className, key)];
      const select = [
        ...keys.map((name, index) => `CONVERT(varchar(20), [${name}]) AS k${index}`),
        ...[...types].map(
          ([property, type], index) =>
            `${textOf(mapRealmPropertyName(className, property), type)} AS c${index}`,
        ),
      ];
      const rows = await connection.query(`SELECT ${select.join(', ')} FROM [${className}]`);
      return new Map(
        rows.map((row) => [
          keys.map((_, index) => row[`k${index}`]).join('-'),
          new Map(
            [...types].map(([property, type], index) => [property, shown(row[`c${index}`] ?? null, type)]),
          ),
        ]),
      );
    },
    favourites: async () => {
      const rows = await connection.query(
        'SELECT CONVERT(varchar(20), oid) AS oid, CONVERT(varchar(10), idx) AS idx, CONVERT(varchar(20), target) AS target FROM [__Playlist__favourites] ORDER BY oid, [__Playlist__favourites].idx',
      );
      const lists = Map.groupBy(rows, ({ oid }) => oid ?? '');
      return new Map(
        [...lists].map(([oid, items]) => [oid, items.map(({ idx, target }) => `${idx}:${target}`).join(',')]),
      );
    },
  };
}

function textOf(column: string, type: string): string {
  if (type === 'date') return `CONVERT(varchar(33), [${column}], 126)`;
  return type === 'string' ? `[${column}]` : `CONVERT(varchar(50), [${column}])`;
}

function shown(text: string | null, type: string): string | null {
  if (text === null) return null;
  if (type === 'date') return String(BigInt(Date.parse(`${text}Z`)) * 1000n);
  return type === 'decimal128' ? plainDecimal(text) : text;
}
