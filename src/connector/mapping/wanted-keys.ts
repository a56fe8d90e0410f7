/** The key columns of tables that are made or extended from the models. */
import type { ClassDefinition } from '../../schema/definition.ts';
import type { SourceDialect, TableInfo, WantedColumn } from '../dialect.ts';
import type { MappingContext } from './build-mapping.ts';
import { columnNameFor } from './names.ts';
import { generatedColumn } from './row-key.ts';

type Context = Pick<MappingContext, 'options' | 'generatedKeys'> & {
  readonly dialect: Pick<SourceDialect, 'columnTypeFor'>;
};

export type WantedKey = {
  /** By which the rows are known, and other tables refer to them. */
  readonly primaryKey: readonly WantedColumn[];
  /** Further columns that hold the key of the class. */
  readonly others: readonly WantedColumn[];
};

/** `info` is the table as it is, if it is there. */
export function wantedKey(
  definition: ClassDefinition,
  table: string,
  info: TableInfo | undefined,
  context: Context,
): WantedKey {
  const { dialect, options } = context;
  const parts = options.compoundPrimaryKeys.get(definition.name);
  if (parts !== undefined) {
    const primaryKey = parts.map((part) => ({
      name: part.dbColumn,
      type: dialect.columnTypeFor({ type: part.type, nullable: false, collection: 'single' }),
      nullable: false,
    }));
    return { primaryKey, others: [] };
  }
  const key = definition.primaryKey;
  if (key === undefined || key.type === 'globalKey') return { primaryKey: [], others: [] };
  const existing = info?.columns.map((column) => column.name) ?? [];
  const name = columnNameFor(definition.name, key.field, table, existing, options);
  // What refers to a column that is there has to be of its type.
  const type =
    info?.columns.find((column) => column.name === name)?.type ??
    dialect.columnTypeFor({ type: key.type, nullable: false, collection: 'single' });
  const row = info === undefined ? undefined : generatedColumn(info);
  if (row !== undefined && row.name !== name) {
    const own = { name: row.name, type: row.type, nullable: false, generated: true };
    return { primaryKey: [own], others: [{ name, type, nullable: true, unique: true }] };
  }
  const plain = { name, type, nullable: false };
  const declared = context.generatedKeys?.get(definition.name);
  if (declared === undefined) return { primaryKey: [plain], others: [] };
  const generated = {
    name: columnNameFor(definition.name, declared, table, existing, options),
    type: dialect.columnTypeFor({ type: 'int', nullable: false, collection: 'single' }),
    nullable: false,
    generated: true,
  };
  return info === undefined
    ? { primaryKey: [generated], others: [{ name, type, nullable: true, unique: true }] }
    : { primaryKey: [plain], others: [{ ...generated, unique: true }] };
}
