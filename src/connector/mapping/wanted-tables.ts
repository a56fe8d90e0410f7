/** The tables and columns that the models need, for databases that are made (or extended) from the models. */
import type { ClassDefinition } from '../../schema/definition.ts';
import { type SourceDialect, tableId, type WantedColumn, type WantedTable } from '../dialect.ts';
import {
  isColumnProperty,
  isListTableProperty,
  listTableName,
  type MappingContext,
  tableNames,
} from './build-mapping.ts';
import { columnNameFor, tableNameFor } from './names.ts';

type Context = Omit<MappingContext, 'dialect'> & { readonly dialect: Pick<SourceDialect, 'columnTypeFor'> };

/** Every table of the models with every column; the dialect creates what is missing of them. */
export function wantedTables(context: Context): WantedTable[] {
  const wanted: WantedTable[] = [];
  for (const definition of context.definitions.values()) {
    if (definition.kind === 'embedded' || definition.primaryKey === undefined) continue;
    wanted.push(objectTable(definition, context), ...listTables(definition, context));
  }
  return wanted;
}

function nameFor(className: string, context: Context): string {
  return tableNameFor(className, tableNames(context), context.options);
}

function columnsOf(className: string, context: Context): string[] {
  const table = context.catalog.get(tableId({ schema: context.schema, name: nameFor(className, context) }));
  return table?.columns.map((column) => column.name) ?? [];
}

function objectTable(definition: ClassDefinition, context: Context): WantedTable {
  const name = nameFor(definition.name, context);
  const existing = columnsOf(definition.name, context);
  const key = keyColumns(definition, name, existing, context);
  const columns = new Map<string, WantedColumn>(key.map((column) => [column.name, column]));
  const foreignKeys: WantedTable['foreignKeys'][number][] = [];
  for (const [property, column] of definition.columns) {
    if (context.options.ignores(definition.name, property) || !isColumnProperty(column, context)) continue;
    const columnName = columnNameFor(definition.name, property, name, existing, context.options);
    const target = column.type === 'link' ? context.definitions.get(column.linkTarget ?? '') : undefined;
    const targetKey = target === undefined ? undefined : keyOf(target, context);
    if (!columns.has(columnName)) {
      const type = targetKey?.type ?? context.dialect.columnTypeFor(column);
      columns.set(columnName, { name: columnName, type, nullable: column.nullable });
    }
    if (target !== undefined && targetKey !== undefined) {
      foreignKeys.push({
        columns: [columnName],
        referenced: { schema: context.schema, name: nameFor(target.name, context) },
        referencedColumns: [targetKey.name],
      });
    }
  }
  return {
    kind: 'object',
    table: { schema: context.schema, name },
    columns: [...columns.values()],
    primaryKey: key.map((column) => column.name),
    foreignKeys,
  };
}

function keyColumns(
  definition: ClassDefinition,
  table: string,
  existing: readonly string[],
  context: Context,
): WantedColumn[] {
  const parts = context.options.compoundPrimaryKeys.get(definition.name);
  if (parts !== undefined) {
    return parts.map((part) => ({
      name: part.dbColumn,
      type: context.dialect.columnTypeFor({ type: part.type, nullable: false, collection: 'single' }),
      nullable: false,
    }));
  }
  const key = definition.primaryKey;
  if (key === undefined || key.type === 'globalKey') return [];
  const name = columnNameFor(definition.name, key.field, table, existing, context.options);
  const type = context.dialect.columnTypeFor({ type: key.type, nullable: false, collection: 'single' });
  return [{ name, type, nullable: false }];
}

function keyOf(definition: ClassDefinition, context: Context): WantedColumn | undefined {
  const name = nameFor(definition.name, context);
  const columns = keyColumns(definition, name, columnsOf(definition.name, context), context);
  return columns.length === 1 ? columns[0] : undefined;
}

function listTables(definition: ClassDefinition, context: Context): WantedTable[] {
  const parent = nameFor(definition.name, context);
  const parentKey = keyColumns(definition, parent, columnsOf(definition.name, context), context);
  const tables: WantedTable[] = [];
  for (const [property, column] of definition.columns) {
    if (context.options.ignores(definition.name, property) || !isListTableProperty(column, context)) continue;
    const target = context.definitions.get(column.linkTarget ?? '');
    const targetType = target === undefined ? undefined : keyOf(target, context)?.type;
    const text = context.dialect.columnTypeFor({ type: 'string', nullable: false, collection: 'single' });
    tables.push({
      kind: 'list',
      table: {
        schema: context.schema,
        name: listTableName(definition.name, property, parent, context.options),
      },
      columns: [
        { name: 'oid', type: parentKey.length === 1 ? (parentKey[0]?.type ?? text) : text, nullable: false },
        { name: 'idx', type: 'integer', nullable: false },
        { name: 'target', type: targetType ?? text, nullable: true },
      ],
      primaryKey: ['oid', 'idx'],
      foreignKeys: [],
    });
  }
  return tables;
}
