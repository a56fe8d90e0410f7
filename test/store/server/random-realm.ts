/** Random valid changes of a small realm, and a model that holds every state it went through. */
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../../src/schema/definition.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../../src/schema/value.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import { readField } from '../../../src/store/state/default-value.ts';
import { indexTokens } from '../../../src/store/state/index-token.ts';
import type { ObjectState, StateValue } from '../../../src/store/state/object-state.ts';
import type { StateReader } from '../../../src/store/state/reader.ts';
import { MemoryView } from '../../../src/store/state/view.ts';
import type { Random } from '../../support/random.ts';

const column = (type: ColumnDefinition['type'], rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: false,
  collection: 'single',
  ...rest,
});

const COLUMNS: Readonly<Record<string, Readonly<Record<string, ColumnDefinition>>>> = {
  Part: { x: column('int') },
  Owner: { name: column('string', { nullable: true }) },
  Item: {
    n: column('int'),
    owner: column('link', { nullable: true, linkTarget: 'Owner' }),
    others: column('link', { collection: 'list', linkTarget: 'Owner' }),
    tags: column('string', { collection: 'set' }),
    any: column('mixed', { nullable: true }),
    part: column('link', { nullable: true, linkTarget: 'Part' }),
  },
  Report: { n: column('int') },
};

export const TABLES = ['Owner', 'Item'] as const;
/** Properties that tests put indexes on. */
export const INDEXABLE = [
  ['Item', 'n'],
  ['Item', 'owner'],
  ['Item', 'others'],
  ['Item', 'tags'],
  ['Item', 'any'],
  ['Owner', 'name'],
] as const;

const text = (value: string): ScalarValue => ({ type: 'string', value });
const int = (value: number) => ({ type: 'int', value: BigInt(value) }) as const;

const addTable = (
  table: string,
  kind: 'topLevel' | 'embedded' | 'asymmetric',
  type: 'int' | 'string',
): Instruction =>
  kind === 'embedded'
    ? { op: 'AddTable', table, kind }
    : { op: 'AddTable', table, kind, primaryKey: { field: '_id', type, nullable: false } };

export const REALM_SCHEMA: readonly Instruction[] = [
  addTable('Part', 'embedded', 'int'),
  addTable('Owner', 'topLevel', 'string'),
  addTable('Item', 'topLevel', 'int'),
  addTable('Report', 'asymmetric', 'int'),
  ...Object.entries(COLUMNS).flatMap(([table, columns]) =>
    Object.entries(columns).map(([field, definition]): Instruction => {
      return { op: 'AddColumn', table, field, column: definition };
    }),
  ),
];

/** Every object of a realm as text, by class and key token. */
export type Copy = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function objectText(state: ObjectState): string {
  const fields = [...state.fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return fields.map(([name, value]) => `${name}=${valueText(value)}`).join(';');
}

/** The object as a reader sees it: fields that were never written show their default. */
export function readText(schema: RealmSchema, table: string, state: ObjectState): string {
  const columns = [...(schema.get(table)?.columns ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return columns
    .map(([name, definition]) => `${name}=${valueText(readField(state, name, definition))}`)
    .join(';');
}

function valueText(value: StateValue): string {
  switch (value.type) {
    case 'object':
      return `{${objectText(value)}}`;
    case 'list':
      return `[${value.items.map(valueText).join()}]`;
    case 'dictionary':
      return `<${[...value.entries].map(([key, entry]) => `${key}:${valueText(entry)}`).join()}>`;
    case 'set':
      return `(${[...value.items.keys()].sort().join()})`;
    case 'link':
      return `${value.table}/${keyToken(value.key)}`;
    case 'int':
      return `${value.value}`;
    case 'string':
      return JSON.stringify(value.value);
    default:
      return value.type;
  }
}

/** What a reader shows of the classes that sync, in full. */
export function copyOf(reader: StateReader): Copy {
  return new Map(
    TABLES.map((table) => [
      table,
      new Map([...reader.objects(table)].map(({ key, state }) => [keyToken(key), objectText(state)])),
    ]),
  );
}

/** Key tokens, in the reader's order, of the objects that hold a value in a property, found by looking at all. */
export function holders(reader: StateReader, table: string, field: string, token: string): string[] {
  const definition = reader.schema.get(table)?.columns.get(field);
  if (definition === undefined) return [];
  return [...reader.objects(table)]
    .filter(({ state }) => indexTokens(definition, state.fields.get(field)).includes(token))
    .map(({ key }) => keyToken(key));
}

export class RandomRealm {
  readonly view = new MemoryView();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    applyInstructions(this.view, REALM_SCHEMA);
  }

  /** A transaction of a few random changes, which are applied to the model. */
  changes(): Instruction[] {
    const made: Instruction[] = [];
    const count = 1 + this.#random.below(6);
    for (let i = 0; i < count; i += 1) {
      for (const instruction of this.#change()) {
        applyInstructions(this.view, [instruction]);
        made.push(instruction);
      }
    }
    return made;
  }

  copy(): Copy {
    return new Map(
      TABLES.map((table) => {
        const objects = [...this.view.objects(table)];
        return [table, new Map(objects.map(({ key, state }) => [keyToken(key), objectText(state)]))];
      }),
    );
  }

  key(table: string): PrimaryKey {
    const n = this.#random.below(25);
    return table === 'Owner' ? { type: 'string', value: `o${n}${'é'.repeat(n % 3)}` } : int(n - 5);
  }

  value(field: string): ScalarValue {
    const random = this.#random;
    switch (field) {
      case 'n':
      case 'x':
        return int(random.below(4));
      case 'name':
        return random.chance(0.2) ? { type: 'null' } : text(random.pick(['ann', 'bob', 'x'.repeat(200)]));
      case 'tags':
        return text(random.pick(['red', 'green', 'blue']));
      case 'any':
        return random.chance(0.5) ? int(random.below(3)) : this.#link();
      default:
        return this.#link();
    }
  }

  #link(): ScalarValue {
    return { type: 'link', table: 'Owner', key: this.key('Owner') };
  }

  #change(): Instruction[] {
    const random = this.#random;
    const table = random.chance(0.06) ? 'Report' : random.pick(TABLES);
    const key = this.key(table);
    const state = this.view.object(table, key);
    if (state === undefined)
      return random.chance(0.1) ? [{ op: 'EraseObject', table, key }] : this.#create(table, key);
    if (random.chance(0.2)) return [{ op: 'EraseObject', table, key }];
    if (random.chance(0.1)) return [{ op: 'CreateObject', table, key }, ...this.#set(table, key)];
    return table === 'Item' && random.chance(0.5) ? [this.#collect(key, state)] : this.#set(table, key);
  }

  #create(table: string, key: PrimaryKey): Instruction[] {
    return [{ op: 'CreateObject', table, key }, ...(this.#random.chance(0.8) ? this.#set(table, key) : [])];
  }

  #set(table: string, key: PrimaryKey): Instruction[] {
    const field =
      table === 'Item' ? this.#random.pick(['n', 'owner', 'any']) : table === 'Owner' ? 'name' : 'n';
    const isDefault = this.#random.chance(0.2);
    return [{ op: 'Update', table, key, field, path: [], value: this.value(field), isDefault }];
  }

  #collect(key: PrimaryKey, { fields }: ObjectState): Instruction {
    const random = this.#random;
    const on = { table: 'Item', key } as const;
    const others = fields.get('others');
    const size = others?.type === 'list' ? others.items.length : 0;
    switch (random.below(6)) {
      case 0:
        return { op: 'SetInsert', ...on, field: 'tags', path: [], value: this.value('tags') };
      case 1:
        return { op: 'SetErase', ...on, field: 'tags', path: [], value: this.value('tags') };
      case 2:
        return { op: 'Clear', ...on, field: 'others', path: [], collection: 'list' };
      case 3: {
        const part = fields.get('part');
        if (part?.type !== 'object') {
          return {
            op: 'Update',
            ...on,
            field: 'part',
            path: [],
            value: { type: 'object' },
            isDefault: false,
          };
        }
        return { op: 'Update', ...on, field: 'part', path: ['x'], value: this.value('x'), isDefault: false };
      }
      case 4:
        if (size > 0) {
          return { op: 'ArrayErase', ...on, field: 'others', path: [random.below(size)], priorSize: size };
        }
        break;
    }
    const path = [random.below(size + 1)];
    return { op: 'ArrayInsert', ...on, field: 'others', path, value: this.#link(), priorSize: size };
  }
}
