/** Random changes of collections and documents on two devices and in SQL, with everything under way at once. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { stateToJs } from '../../../src/connector/mapping/js-values.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import { NULL, type ScalarValue } from '../../../src/schema/value.ts';
import type { Replica } from '../../../src/store/replica/contract.ts';
import { defaultValue, readField } from '../../../src/store/state/default-value.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import { stateDifference } from '../../../src/store/state/state-difference.ts';
import { valueToken } from '../../../src/store/state/value-token.ts';
import { Random, testSeed } from '../../support/random.ts';
import { type Place, Places } from './place.ts';

const ROUNDS = 30;
const KEYS = [1, 2, 3, 4] as const;
const WORDS = ['', 'a', 'b', 'c', '"', '{x}'] as const;

const MODELS = [
  {
    name: 'doc',
    primaryKey: 'id',
    properties: {
      id: 'int',
      list: 'string[]',
      members: 'int<>',
      map: 'string?{}',
      any: 'mixed',
      part: 'part?',
      parts: 'part[]',
      flat: 'part?',
      items: 'int[]',
      links: 'doc[]',
    },
  },
  { name: 'part', embedded: true, properties: { name: 'string?', count: 'int?', tags: 'string[]' } },
];
const TABLES = `
  CREATE TABLE doc (id int PRIMARY KEY, list text[], members int[], map jsonb, "any" jsonb, part jsonb, parts jsonb,
    flat_name text, flat_count int, flat_tags text[]);
  CREATE TABLE doc_items (oid int, idx int, target int, PRIMARY KEY (oid, idx));
  CREATE TABLE doc_links (oid int, idx int, target int, PRIMARY KEY (oid, idx))`;

let places: Places;
beforeAll(async () => {
  places = await Places.start();
});
afterEach(() => places.closeAll());
afterAll(() => places.stop());

describe('documents and collections that both sides change at once', () => {
  const seed = testSeed();
  it(`end as the same on both (ISTHMUS_TEST_SEED=${seed})`, { timeout: 300_000 }, async () => {
    const random = new Random(seed);
    const place = await places.open(TABLES, MODELS);
    const devices = [place.device, place.deployment.device()];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { replica } of devices) {
        const changes = random.chance(0.8) ? deviceChanges(random, replica) : [];
        if (changes.length > 0) replica.write(changes);
      }
      if (random.chance(0.7)) await place.sql(sqlChange(random));
      if (random.chance(0.4)) await place.deployment.carryAll();
      if (random.chance(0.15)) await place.deployment.settle();
    }
    await place.deployment.settle();
    const shown = shownOf(place.device.replica);
    expect(devices.map(({ replica }) => shownOf(replica))).toEqual([shown, shown]);
    expect(await rowsOf(place)).toEqual(shown);
    const { length } = place.deployment.synced;
    await place.deployment.settle();
    expect(place.deployment.synced.slice(length)).toEqual([]); // nothing goes round in circles
  });
});

const key = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;
const str = (value: string): ScalarValue => ({ type: 'string', value });
const int = (value: number): ScalarValue => ({ type: 'int', value: BigInt(value) });

/** What an app does in one transaction, as instructions. */
function deviceChanges(random: Random, replica: Replica): Instruction[] {
  const id = random.pick(KEYS);
  const object = replica.object('doc', key(id));
  if (object === undefined) return [{ op: 'CreateObject', table: 'doc', key: key(id) }];
  if (random.chance(0.05)) return [{ op: 'EraseObject', table: 'doc', key: key(id) }];
  const columns = replica.schema.get('doc')?.columns ?? new Map<string, ColumnDefinition>();
  const field = random.pick([...columns.keys()]);
  const column = columns.get(field)!;
  const before = readField(object, field, column);
  const after = edited(random, column, before, replica);
  return stateDifference(
    replica.schema,
    { table: 'doc', key: key(id), field, path: [] },
    column,
    before,
    after,
  );
}

function edited(random: Random, column: ColumnDefinition, before: StateValue, replica: Replica): StateValue {
  const element: ColumnDefinition = { ...column, collection: 'single' };
  switch (before.type) {
    case 'list': {
      const items = [...before.items];
      const at = random.below(items.length + 1);
      const fresh = random.chance(0.7) ? [randomSingle(random, element, replica)] : [];
      items.splice(at, random.below(2), ...fresh);
      return { type: 'list', items };
    }
    case 'set': {
      const items = new Map(before.items);
      const member = int(random.below(6));
      if (!items.delete(valueToken(member))) items.set(valueToken(member), member);
      return { type: 'set', items };
    }
    case 'dictionary': {
      const entries = new Map(before.entries);
      const name = random.pick(['k', 'l', 'm']);
      if (random.chance(0.3)) entries.delete(name);
      else entries.set(name, randomSingle(random, element, replica));
      return { type: 'dictionary', entries };
    }
    case 'object': {
      if (random.chance(0.1)) return NULL;
      const fields = new Map(before.fields);
      const inner = replica.schema.get('part')?.columns ?? new Map<string, ColumnDefinition>();
      const name = random.pick([...inner.keys()]);
      const definition = inner.get(name)!;
      fields.set(name, edited(random, definition, fields.get(name) ?? defaultValue(definition), replica));
      return { type: 'object', fields };
    }
    default:
      return randomSingle(random, element, replica);
  }
}

function randomSingle(random: Random, column: ColumnDefinition, replica: Replica): StateValue {
  if (column.linkTarget === 'part') {
    const tags: StateValue = { type: 'list', items: [str(random.pick(WORDS))] };
    return {
      type: 'object',
      fields: new Map<string, StateValue>([
        ['name', str(random.pick(WORDS))],
        ['tags', tags],
      ]),
    };
  }
  if (column.linkTarget === 'doc') {
    const targets = [...replica.objects('doc')];
    return { type: 'link', table: 'doc', key: random.pick(targets).key };
  }
  switch (column.type) {
    case 'int':
      return int(random.below(6));
    case 'mixed':
      return random.pick<() => StateValue>([
        () => int(random.below(6)),
        () => str(random.pick(WORDS)),
        () => ({ type: 'list', items: [str('x'), int(1)] }),
        () => ({ type: 'dictionary', entries: new Map([['k', int(random.below(3))]]) }),
        () => NULL,
      ])();
    default:
      return str(random.pick(WORDS));
  }
}

/** What an application does to the tables. Lists in tables of their own are the realm's. */
function sqlChange(random: Random): string {
  const id = random.pick(KEYS);
  const word = random.pick(WORDS);
  const number = random.below(6);
  const json = JSON.stringify(word);
  const change = random.pick([
    `list = array_append(list, '${word}')`,
    `list = array_prepend('${word}', list[2:])`,
    `list = NULL`,
    `members = array_append(array_remove(members, ${number}), ${number})`,
    `members = members[2:]`,
    `map = coalesce(map, '{}') || '{"k": ${json}}'`,
    `map = map - 'l'`,
    `"any" = '["x", ${number}]'`,
    `"any" = '${json}'`,
    `"any" = CASE jsonb_typeof("any") WHEN 'object' THEN "any" || '{"sql": ${number}}' ELSE '{"k": 0}' END`,
    `part = coalesce(part, '{}') || '{"name": ${json}}'`,
    `part = coalesce(part, '{}') || '{"tags": ["sql", ${json}]}'`,
    `part = NULL`,
    `parts = coalesce(parts, '[]') || '[{"name": ${json}, "count": ${number}}]'`,
    `parts = jsonb_set(coalesce(parts, '[]'), '{0}', '{"name": "set"}')`,
    `flat_name = '${word}', flat_tags = array_append(flat_tags, 'sql')`,
    `flat_count = ${number}`,
  ]);
  if (random.chance(0.15)) return `INSERT INTO doc (id, list) VALUES (${id}, '{new}') ON CONFLICT DO NOTHING`;
  if (random.chance(0.05)) return `DELETE FROM doc WHERE id = ${id}`;
  return `UPDATE doc SET ${change} WHERE id = ${id}`;
}

type Shown = Record<string, unknown>;

function shownOf(replica: Replica): Shown[] {
  const columns = replica.schema.get('doc')?.columns ?? new Map<string, ColumnDefinition>();
  return [...replica.objects('doc')].map(({ key: id, state }) => {
    const shown: Shown = { id: 'value' in id ? Number(id.value) : id };
    for (const [name, column] of columns) shown[name] = stateToJs(readField(state, name, column));
    return {
      ...shown,
      members: sorted(shown.members),
      part: part(shown.part),
      parts: Array.isArray(shown.parts) ? shown.parts.map(part) : [],
      flat: isNothing(part(shown.flat)) ? null : part(shown.flat),
    };
  });
}

/** A part with all of its fields; what was never written reads as its default. */
function part(value: unknown): Shown | null {
  return typeof value === 'object' && value !== null ? { name: null, count: null, tags: [], ...value } : null;
}

/** Spread over columns, an object without values is none. */
function isNothing(value: Shown | null): boolean {
  return value !== null && value.name === null && value.count === null && isEmpty(value.tags);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value;
}

async function rowsOf(place: Place): Promise<Shown[]> {
  const rows = await place.sql(
    `SELECT json_build_object('id', id, 'list', coalesce(to_json(list), '[]'), 'members', coalesce(to_json(members), '[]'),
      'map', coalesce(map, '{}'), 'any', "any", 'part', part, 'parts', coalesce(parts, '[]'),
      'flat', CASE WHEN flat_name IS NULL AND flat_count IS NULL AND coalesce(flat_tags, '{}') = '{}' THEN NULL
        ELSE json_build_object('name', flat_name, 'count', flat_count, 'tags', coalesce(to_json(flat_tags), '[]')) END,
      'items', (SELECT coalesce(json_agg(target ORDER BY idx), '[]') FROM doc_items WHERE oid = id),
      'links', (SELECT coalesce(json_agg(target ORDER BY idx), '[]') FROM doc_links WHERE oid = id)) AS shown
     FROM doc ORDER BY id`,
  );
  return rows.map(({ shown: text }) => {
    const shown = JSON.parse(text ?? '') as Shown;
    return {
      ...shown,
      members: sorted([...new Set(shown.members as unknown[])]),
      part: part(shown.part),
      parts: (shown.parts as unknown[]).map(part),
    };
  });
}
