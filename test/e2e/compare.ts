/** Compares every row of the Chinook tables with its object, column by column, in both directions. */
import { chinookModels } from '../../models/chinook.ts';
import { decimalToText } from '../../src/schema/decimal128.ts';
import { classDefinitions } from '../../src/schema/definitions.ts';
import { parseSchema } from '../../src/schema/notation.ts';
import type { PrimaryKey } from '../../src/schema/value.ts';
import type { ReplicaReader } from '../../src/store/replica/contract.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';

const definitions = classDefinitions(parseSchema(chinookModels));

/** Text by property; that of links is the key they lead to. */
export type Fields = Map<string, string | null>;

/** What a database holds, in the texts that {@link differences} makes of objects. */
export type ChinookTables = {
  /** Rows by their key, the parts of a compound one joined by `-`. */
  rows(className: string): Promise<Map<string, Fields>>;
  /** By key of the playlist: `0:17,1:4`. */
  favourites(): Promise<Map<string, string>>;
};

/** The tables as they are when they are first asked for, for comparison with several realms. */
export function readOnce(tables: ChinookTables): ChinookTables {
  const rows = new Map<string, ReturnType<ChinookTables['rows']>>();
  let favourites: ReturnType<ChinookTables['favourites']> | undefined;
  return {
    rows: (className) => {
      const read = rows.get(className) ?? tables.rows(className);
      rows.set(className, read);
      return read;
    },
    favourites: () => {
      favourites ??= tables.favourites();
      return favourites;
    },
  };
}

/** Properties that stand in a column, with their types. */
export function columnsOf(className: string): { readonly key: string; readonly types: Map<string, string> } {
  const definition = definitions.get(className);
  if (definition?.primaryKey === undefined) throw new Error(`${className} has no key`);
  const single = [...definition.columns].filter(([, column]) => column.collection === 'single');
  return {
    key: definition.primaryKey.field,
    types: new Map(single.map(([property, { type }]): [string, string] => [property, type])),
  };
}

/** Every difference as a line of text; empty when both sides agree. Links to objects that do not exist read as null. */
export async function differences(tables: ChinookTables, realm: ReplicaReader): Promise<string[]> {
  const found: string[] = [];
  for (const definition of definitions.values()) {
    const rows = await tables.rows(definition.name);
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
  found.push(...listDifferences(await tables.favourites(), realm));
  return found;
}

function compareFields(where: string, row: Fields, object: Fields, found: string[]): void {
  for (const [property, text] of row) {
    const value = object.get(property) ?? null;
    if (value !== text) found.push(`${where}.${property}: row has ${text}, object has ${value}`);
  }
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

/** Without zeros at the end. */
export function plainDecimal(text: string): string {
  if (/e/i.test(text)) return String(Number(text));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function listDifferences(favourites: Map<string, string>, realm: ReplicaReader): string[] {
  const inSql = new Map(favourites);
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
  for (const [oid, targets] of inSql) found.push(`favourites of ${oid}: rows ${targets} without playlist`);
  return found;
}
