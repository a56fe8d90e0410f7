/** Compares every row of the Chinook tables with its object, column by column, in both directions. */
import type pg from 'pg';
import { chinookModels } from '../../models/chinook.ts';
import {
  compoundPrimaryKeys,
  mapRealmClassName,
  mapRealmPropertyName,
} from '../../models/chinook-mapping.ts';
import { decimalToText } from '../../src/schema/decimal128.ts';
import { classDefinitions } from '../../src/schema/definitions.ts';
import { parseSchema } from '../../src/schema/notation.ts';
import type { PrimaryKey } from '../../src/schema/value.ts';
import type { ReplicaReader } from '../../src/store/replica/contract.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';

const definitions = classDefinitions(parseSchema(chinookModels));

/** Every difference as a line of text; empty when both sides agree. Links to objects that do not exist read as null. */
export async function differences(client: pg.ClientBase, realm: ReplicaReader): Promise<string[]> {
  const found: string[] = [];
  for (const definition of definitions.values()) {
    const rows = await rowsOf(client, definition.name);
    const objects = objectsOf(realm, definition.name);
    for (const [key, row] of rows) {
      const object = objects.get(key);
      if (object === undefined) found.push(`${definition.name} ${key}: row without object`);
      else compareFields(`${definition.name} ${key}`, row, object, found);
    }
    for (const key of objects.keys()) {
      if (!rows.has(key)) found.push(`${definition.name} ${key}: object without row`);
    }
  }
  found.push(...(await listDifferences(client, realm)));
  return found;
}

type Fields = Map<string, string | null>;

function compareFields(where: string, row: Fields, object: Fields, found: string[]): void {
  for (const [property, text] of row) {
    const value = object.get(property) ?? null;
    if (value !== text) found.push(`${where}.${property}: row has ${text}, object has ${value}`);
  }
}

async function rowsOf(client: pg.ClientBase, className: string): Promise<Map<string, Fields>> {
  const table = mapRealmClassName(className);
  const definition = definitions.get(className);
  if (definition?.primaryKey === undefined) throw new Error(`${className} has no key`);
  const columns = [...definition.columns].filter(([, column]) => column.collection === 'single');
  const keyColumns = keyColumnsOf(className, definition.primaryKey.field);
  const select = [...keyColumns, ...columns.map(([property]) => mapRealmPropertyName(className, property))];
  const { rows } = await client.query<(string | null)[]>({
    text: `SELECT ${select.map((name) => textOf(name, columns, className)).join(', ')} FROM ${table}`,
    rowMode: 'array',
  });
  return new Map(
    rows.map((row) => {
      const key = row.slice(0, keyColumns.length).join('-');
      const fields = columns.map(([property], index): [string, string | null] => [
        property,
        row[keyColumns.length + index] ?? null,
      ]);
      return [key, new Map(fields)];
    }),
  );
}

function keyColumnsOf(className: string, field: string): string[] {
  const parts = Object.entries(compoundPrimaryKeys).find(([name]) => name === className)?.[1];
  return parts?.map((part) => part.dbColumn) ?? [mapRealmPropertyName(className, field)];
}

/** The text form that {@link valueText} gives the same value. */
function textOf(column: string, columns: [string, { type: string }][], className: string): string {
  const type = columns.find(([property]) => mapRealmPropertyName(className, property) === column)?.[1].type;
  if (type === 'date') return `(extract(epoch FROM ${column} AT TIME ZONE 'UTC') * 1000000)::bigint::text`;
  if (type === 'decimal128') return `trim_scale(${column})::text`;
  return `${column}::text`;
}

function objectsOf(realm: ReplicaReader, className: string): Map<string, Fields> {
  const objects = new Map<string, Fields>();
  for (const { key, state } of realm.objects(className)) {
    const fields: Fields = new Map();
    for (const [property, value] of state.fields) fields.set(property, valueText(value, realm));
    objects.set(keyText(key), fields);
  }
  return objects;
}

function keyText(key: PrimaryKey): string {
  return 'value' in key ? String(key.value) : key.type;
}

function valueText(value: StateValue, realm: ReplicaReader): string | null {
  switch (value.type) {
    case 'null':
      return null;
    case 'link':
      return realm.object(value.table, value.key) === undefined ? null : keyText(value.key);
    case 'date':
      return String(value.seconds * 1_000_000n + BigInt(Math.trunc(value.nanoseconds / 1000)));
    case 'decimal128':
      return plainDecimal(decimalToText(value));
    case 'int':
    case 'string':
      return String(value.value);
    default:
      return `(${value.type})`;
  }
}

/** Without zeros at the end, as trim_scale gives it. */
function plainDecimal(text: string): string {
  if (/e/i.test(text)) return String(Number(text));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

async function listDifferences(client: pg.ClientBase, realm: ReplicaReader): Promise<string[]> {
  const { rows } = await client.query<{ oid: string; targets: string }>(
    `SELECT oid::text, string_agg(idx || ':' || target, ',' ORDER BY idx) AS targets FROM playlist_favourites GROUP BY oid`,
  );
  const inSql = new Map(rows.map((row) => [row.oid, row.targets]));
  const found: string[] = [];
  for (const { key, state } of realm.objects('Playlist')) {
    const list = state.fields.get('favourites');
    const items = list?.type === 'list' ? list.items : [];
    const expected = items
      .map((item, index) => `${index}:${item.type === 'link' ? keyText(item.key) : ''}`)
      .join(',');
    const actual = inSql.get(keyText(key)) ?? '';
    if (expected !== actual)
      found.push(`Playlist ${keyText(key)}.favourites: table has ${actual}, list has ${expected}`);
    inSql.delete(keyText(key));
  }
  for (const [oid, targets] of inSql)
    found.push(`playlist_favourites ${oid}: rows ${targets} without playlist`);
  return found;
}
