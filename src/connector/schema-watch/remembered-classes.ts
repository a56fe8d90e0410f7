/**
 * What the tables of each class were when they last fitted, kept in the replica store: a connector that starts can tell
 * what was changed while it was stopped, and a class whose table no longer fits can still be referred to by others.
 */
import { z } from 'zod';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { TableInfo, TableVersion } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';

const MARK = 'schema:class:';

const columnSchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  baseType: z.string(),
  nullable: z.boolean(),
  hasDefault: z.boolean(),
  readOnly: z.boolean(),
});
const tableNameSchema = z.object({ schema: z.string(), name: z.string() });
const tableSchema = z.looseObject({
  table: tableNameSchema,
  columns: z.array(columnSchema),
  primaryKey: z.array(z.string()),
  foreignKeys: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      referenced: tableNameSchema,
      referencedColumns: z.array(z.string()),
    }),
  ),
});
const versionSchema = z.object({
  identity: z.string(),
  columns: z.record(z.string(), z.string()),
  parts: z.record(z.string(), z.enum(['empty', 'filled'])),
  followed: z.string().optional(),
});
const rememberedSchema = z.object({
  /** The table of the class, then those of its collections. */
  tables: z.array(tableSchema),
  version: versionSchema.optional(),
  /** Columns by property. */
  columns: z.record(z.string(), z.array(z.string())),
  /** Properties that stay in the realm because their column was dropped, with its name. */
  left: z.record(z.string(), z.string()),
});

export type RememberedClass = {
  readonly tables: readonly TableInfo[];
  readonly version?: TableVersion | undefined;
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly left: Readonly<Record<string, string>>;
};

/** By class name. */
export function rememberedClasses(store: ReplicaStore): Map<string, RememberedClass> {
  const classes = new Map<string, RememberedClass>();
  for (const [name, text] of store.marks(MARK))
    classes.set(name.slice(MARK.length), rememberedSchema.parse(JSON.parse(text)));
  return classes;
}

/** Call inside the store's transaction. */
export function remember(store: ReplicaStore, className: string, remembered: RememberedClass): void {
  const text = JSON.stringify(remembered);
  if (store.mark(MARK + className) !== text) store.setMark(MARK + className, text);
}

/** Call inside the store's transaction. */
export function forget(store: ReplicaStore, className: string): void {
  store.setMark(MARK + className, undefined);
}

/** What is worth remembering of a class that fits. */
export function memoryOf(
  mapped: ClassMapping,
  version: TableVersion | undefined,
  left: ReadonlyMap<string, string>,
): RememberedClass {
  return {
    tables: [mapped.table, ...itemTablesOf(mapped)],
    ...(version === undefined ? {} : { version }),
    columns: Object.fromEntries(columnsOf(mapped)),
    left: Object.fromEntries(left),
  };
}

/** The tables of a class' collections. */
export function itemTablesOf(mapped: ClassMapping): TableInfo[] {
  return [...mapped.lists.values(), ...mapped.itemTables.values()].map(({ table }) => table);
}

/** Columns by property, those of the key under the empty name; none for a property that has a table of its own. */
export function columnsOf(mapped: ClassMapping): Map<string, readonly string[]> {
  const columns = new Map<string, readonly string[]>([['', mapped.key.columns]]);
  for (const { property, column } of mapped.properties.values()) columns.set(property, [column.name]);
  for (const state of mapped.states.values())
    columns.set(
      state.property,
      state.columns.map(({ name }) => name),
    );
  for (const places of [mapped.lists, mapped.itemTables, mapped.followed ?? new Map<string, never>()])
    for (const property of places.keys()) columns.set(property, []);
  return columns;
}
