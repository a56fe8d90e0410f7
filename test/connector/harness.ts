/** A replica reader in memory, a Chinook-like mapping, and short ways to write instructions down. */
import type { MergedInstruction } from '../../src/adapter/merged-instruction.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import type { ColumnInfo, TableInfo, ValueCodec } from '../../src/connector/dialect.ts';
import { type ClassMapping, type MappedColumn, Mapping } from '../../src/connector/mapping/class-mapping.ts';
import type { ClassDefinition, ColumnDefinition } from '../../src/schema/definition.ts';
import type { IntValue, LinkValue, PrimaryKey, StringValue } from '../../src/schema/value.ts';
import type { ReplicaReader } from '../../src/store/replica/contract.ts';
import { applyInstruction } from '../../src/store/state/apply.ts';
import { MemoryView } from '../../src/store/state/view.ts';

export const int = (value: number): IntValue => ({ type: 'int', value: BigInt(value) });
export const str = (value: string): StringValue => ({ type: 'string', value });
export const link = (table: string, key: number): LinkValue => ({ type: 'link', table, key: int(key) });

export const textCodec: ValueCodec = {
  toRealm: (text) => ({ type: 'string', value: text }),
  toSql: (value) => (value.type === 'string' ? value.value : null),
};
export const linkTo = (table: string): ValueCodec => ({
  toRealm: (text) => ({ type: 'link', table, key: { type: 'int', value: BigInt(text) } }),
  toSql: (value) => (value.type === 'link' && value.key.type === 'int' ? value.key.value.toString() : null),
});

export function column(name: string, nullable: boolean): ColumnInfo {
  return { name, type: 'text', baseType: 'text', nullable, hasDefault: false, readOnly: false };
}

export function table(name: string, columns: ColumnInfo[], foreignKeys: [string, string][] = []): TableInfo {
  return {
    table: { schema: 'public', name },
    columns: [column('id', false), ...columns],
    primaryKey: ['id'],
    foreignKeys: foreignKeys.map(([from, to]) => ({
      name: `${name}_${from}_fkey`,
      columns: [from],
      referenced: { schema: 'public', name: to },
      referencedColumns: ['id'],
    })),
  };
}

export const text: ColumnDefinition = { type: 'string', nullable: true, collection: 'single' };
export const link0 = (linkTarget: string): ColumnDefinition => ({
  type: 'link',
  nullable: true,
  collection: 'single',
  linkTarget,
});

export function mapClass(
  className: string,
  info: TableInfo,
  properties: [string, ColumnDefinition, ValueCodec][],
  lists: ClassMapping['lists'] = new Map(),
): ClassMapping {
  const columns = new Map<string, ColumnDefinition>(
    properties.map(([name, definition]) => [name, definition]),
  );
  for (const name of lists.keys())
    columns.set(name, { type: 'link', nullable: false, collection: 'list', linkTarget: 'Album' });
  const definition: ClassDefinition = {
    name: className,
    kind: 'topLevel',
    primaryKey: { field: 'id', type: 'int', nullable: false },
    columns,
  };
  return {
    className,
    definition,
    table: info,
    key: {
      columns: ['id'],
      toRealm: (texts) => ({ type: 'int', value: BigInt(texts[0] ?? '') }),
      toSql: (key) => [key.type === 'int' ? key.value.toString() : ''],
    },
    properties: new Map(
      properties.map(([property, propertyDefinition, codec]): [string, MappedColumn] => {
        const found = info.columns.find((candidate) => candidate.name === property);
        if (found === undefined) throw new Error(`no column ${property}`);
        return [property, { property, definition: propertyDefinition, column: found, codec }];
      }),
    ),
    states: new Map(),
    itemTables: new Map(),
    lists,
  };
}

const artists = table('artist', [column('name', true), column('country', true)]);
const albums = table('album', [column('title', true), column('artist', true)], [['artist', 'artist']]);
const employees = table('employee', [column('name', true), column('boss', true)], [['boss', 'employee']]);
const favourites: TableInfo = {
  table: { schema: 'public', name: 'artist_favourites' },
  columns: [column('oid', false), column('idx', false), column('target', true)],
  primaryKey: ['oid', 'idx'],
  foreignKeys: [],
};

/** Album before Artist, so that the order must come from the foreign keys. */
export const mapping = new Mapping([
  mapClass('Album', albums, [
    ['title', text, textCodec],
    ['artist', link0('Artist'), linkTo('Artist')],
  ]),
  mapClass(
    'Artist',
    artists,
    [
      ['name', text, textCodec],
      ['country', text, textCodec],
    ],
    new Map([
      [
        'favourites',
        {
          property: 'favourites',
          table: favourites,
          toRealm: (target: string) => link('Album', Number(target)),
          toSql: linkTo('Album').toSql,
        },
      ],
    ]),
  ),
  mapClass('Employee', employees, [
    ['name', text, textCodec],
    ['boss', link0('Employee'), linkTo('Employee')],
  ]),
]);

export class MemoryReplica implements ReplicaReader {
  readonly #view = new MemoryView();

  constructor(of: Mapping = mapping) {
    for (const mapped of of.order) this.#view.addClass(mapped.definition);
  }

  get schema() {
    return this.#view.schema;
  }

  object(className: string, key: PrimaryKey) {
    return this.#view.object(className, key);
  }

  objects(className: string) {
    return this.#view.objects(className);
  }

  count(className: string): number {
    return [...this.#view.objects(className)].length;
  }

  apply(instructions: readonly Instruction[]): this {
    for (const instruction of instructions) applyInstruction(this.#view, instruction);
    return this;
  }
}

export function create(
  className: string,
  id: number,
  values: Record<string, string | LinkValue> = {},
): Instruction[] {
  return [
    { op: 'CreateObject', table: className, key: int(id) },
    ...Object.entries(values).map(
      ([field, value]): Instruction => ({
        op: 'Update',
        table: className,
        key: int(id),
        field,
        path: [],
        value: typeof value === 'string' ? str(value) : value,
        isDefault: false,
      }),
    ),
  ];
}

export function insert(
  className: string,
  id: number,
  values: Record<string, string | LinkValue> = {},
): MergedInstruction {
  return { type: 'INSERT', table: className, key: int(id), values: asMap(values) };
}

export function set(
  className: string,
  id: number,
  values: Record<string, string | LinkValue>,
): MergedInstruction {
  return { type: 'SET', table: className, key: int(id), values: asMap(values) };
}

export function remove(className: string, id: number): MergedInstruction {
  return { type: 'DELETE', table: className, key: int(id) };
}

function asMap(values: Record<string, string | LinkValue>) {
  return new Map(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? str(value) : value]),
  );
}
