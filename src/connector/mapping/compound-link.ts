/** Links to classes whose key spans several columns: a foreign key of as many columns. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import { NULL } from '../../schema/value.ts';
import type { ColumnInfo, ForeignKey, SqlText, TableInfo } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import type { MendingStatements } from '../mending.ts';
import type { KeyMapping, MappedState } from './class-mapping.ts';
import { closest } from './names.ts';

export type CompoundLinkPlace = {
  readonly className: string;
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly table: TableInfo;
  /** The column that the property would have if it were one. */
  readonly name: string;
  readonly target: { readonly table: TableInfo; readonly key: KeyMapping };
  /** Other links of the class that lead to the same class. */
  readonly siblings: readonly string[];
  /** Columns that other properties, or the key of the class, have for their own: the link reads them and leaves them. */
  readonly taken: ReadonlySet<string>;
  readonly mending: MendingStatements;
};

/** The columns that hold such a link where nothing says otherwise, in the order of the target's key. */
export function compoundLinkColumns(name: string, keyColumns: readonly string[]): string[] {
  return keyColumns.map((column) => `${name}_${column}`);
}

/** Throws `MappingError` when no columns hold the link, or it cannot be told which do. */
export function compoundLink(place: CompoundLinkPlace): Omit<MappedState, 'schema'> {
  const { className, property, definition, taken, target } = place;
  const columns = linkColumns(place).map((column) =>
    taken.has(column.name) ? { ...column, readOnly: true } : column,
  );
  return {
    property,
    definition,
    columns,
    toRealm: (texts) => {
      const present = texts.filter((text) => text !== null);
      if (present.length < columns.length) return NULL; // as the foreign key itself has it
      return { type: 'link', table: definition.linkTarget ?? '', key: target.key.toRealm(present) };
    },
    toSql: (value): readonly SqlText[] => {
      if (value.type === 'null') return columns.map(() => null);
      if (value.type === 'link') return target.key.toSql(value.key);
      throw new DataError(`${className}.${property} holds a ${value.type} instead of a link`);
    },
  };
}

/** In the order of the target's key. */
function linkColumns(place: CompoundLinkPlace): ColumnInfo[] {
  const { table, target, name, className, property } = place;
  const existing = table.columns.map((column) => column.name);
  const wanted = compoundLinkColumns(name, target.key.columns).map((column) => closest(column, existing));
  const names = wanted.every((column) => existing.includes(column)) ? wanted : columnsOfForeignKey(place);
  const columns = names?.flatMap((column) => table.columns.find((info) => info.name === column) ?? []);
  if (columns?.length === target.key.columns.length) return columns;
  const { schema, name: other } = target.table.table;
  const statement = place.mending.addForeignKey(
    table.table,
    name,
    wanted,
    target.table.table,
    target.key.columns,
  );
  throw new MappingError(
    `link ${className}.${property}: ${tableId(table.table)} has no columns ${wanted.join(', ')} and no foreign key to ${schema}.${other} (${target.key.columns.join(', ')})`,
    {
      remedy: `add the columns, then ${statement}, or name '${className}.${property}' in realmIgnoreProperties`,
    },
  );
}

/** By the name of the constraint, or because no other link and no other foreign key lead there. */
function columnsOfForeignKey({
  table,
  target,
  name,
  className,
  property,
  siblings,
  mending,
}: CompoundLinkPlace): string[] | undefined {
  const candidates = table.foreignKeys.filter((key) => refersTo(key, target.table, target.key));
  const names = [property, name, `${table.table.name}_${name}_fkey`].map((text) => text.toLowerCase());
  const named = candidates.filter((key) => names.includes(key.name.toLowerCase()));
  const found =
    named.length === 1
      ? named[0]
      : siblings.length === 0 && candidates.length === 1
        ? candidates[0]
        : undefined;
  if (found === undefined) {
    if (candidates.length === 0) return undefined;
    const list = candidates.map((key) => `${key.name} (${key.columns.join(', ')})`).join(', ');
    throw new MappingError(
      `link ${className}.${property}: it cannot be told which foreign key holds it: ${list}`,
      {
        remedy: `${mending.renameConstraint(table.table, candidates[0]?.name ?? '', name)} (the one that is meant)`,
      },
    );
  }
  return target.key.columns.map((column) => found.columns[found.referencedColumns.indexOf(column)] ?? '');
}

function refersTo(key: ForeignKey, table: TableInfo, { columns }: KeyMapping): boolean {
  return (
    tableId(key.referenced) === tableId(table.table) &&
    key.columns.length === columns.length &&
    columns.every((column) => key.referencedColumns.includes(column))
  );
}
