/**
 * `secretProperties`: values that must not be shown. Their codecs raise errors that do not repeat the value, and the
 * dialect is told the columns that hold them.
 */
import { nearestName } from '../../schema/nearest-name.ts';
import { type SourceDialect, type TableName, tableId } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import { type ClassMapping, type MappedColumn, type MappedState, Mapping } from './class-mapping.ts';

/** Throws `MappingError` when a name is that of no property, or of a key, which errors have to name. */
export function concealSecrets(
  mapping: Mapping,
  secrets: ReadonlySet<string>,
  dialect: Pick<SourceDialect, 'conceal'>,
  options: { readonly redirected: boolean },
): Mapping {
  if (secrets.size === 0) return mapping;
  for (const name of secrets) requireProperty(name, mapping);
  const columns = new Map<string, Set<string>>();
  const classes = mapping.order.map((mapped) => concealed(mapped, secrets, columns));
  const anywhere = new Set([...columns.values()].flatMap((names) => [...names]));
  dialect.conceal((table: TableName, column: string) => {
    const names = columns.get(tableId(table));
    // A function may send the changes of a class to another table, with the same columns.
    return names?.has(column) ?? (options.redirected && anywhere.has(column));
  });
  return new Mapping(classes);
}

function requireProperty(name: string, mapping: Mapping): void {
  const [className = '', property = ''] = name.split('.');
  const mapped = mapping.forClass(className);
  if (mapped === undefined) {
    const known = mapping.order.map((candidate) => candidate.className);
    throw new MappingError(
      `secretProperties names ${name}, but there is no class ${className}`,
      hint(className, known),
    );
  }
  const { definition } = mapped;
  if (definition.primaryKey?.field === property) {
    throw new MappingError(`secretProperties names ${name}, which is the primary key`, {
      remedy: 'leave keys out: messages have to name the objects that they are about',
    });
  }
  if (definition.columns.has(property)) return;
  throw new MappingError(
    `secretProperties names ${name}, but class ${className} has no property ${property}`,
    hint(property, [...definition.columns.keys()]),
  );
}

function hint(name: string, known: readonly string[]): { remedy?: string } {
  const nearest = nearestName(name, known);
  return nearest === undefined ? {} : { remedy: `did you mean ${nearest}?` };
}

function concealed(
  mapped: ClassMapping,
  secrets: ReadonlySet<string>,
  columns: Map<string, Set<string>>,
): ClassMapping {
  const isSecret = (property: string): boolean => secrets.has(`${mapped.className}.${property}`);
  const hide = (table: TableName, names: readonly string[]): void => {
    const id = tableId(table);
    const hidden = columns.get(id) ?? new Set();
    for (const name of names) hidden.add(name);
    columns.set(id, hidden);
  };
  const properties = new Map<string, MappedColumn>();
  for (const [name, column] of mapped.properties) {
    if (isSecret(name)) hide(mapped.table.table, [column.column.name]);
    properties.set(name, isSecret(name) ? withoutValues(column, `${mapped.className}.${name}`) : column);
  }
  const states = new Map<string, MappedState>();
  for (const [name, state] of mapped.states) {
    if (isSecret(name))
      hide(
        mapped.table.table,
        state.columns.map((column) => column.name),
      );
    states.set(name, isSecret(name) ? stateWithoutValues(state, `${mapped.className}.${name}`) : state);
  }
  for (const [name, list] of mapped.lists) if (isSecret(name)) hide(list.table.table, ['target']);
  for (const [name, items] of mapped.itemTables) if (isSecret(name)) hide(items.table.table, items.columns);
  return { ...mapped, properties, states };
}

function withoutValues(column: MappedColumn, name: string): MappedColumn {
  const { codec } = column;
  return {
    ...column,
    codec: {
      toRealm: (text) => silently(name, () => codec.toRealm(text)),
      toSql: (value) => silently(name, () => codec.toSql(value)),
    },
  };
}

function stateWithoutValues(state: MappedState, name: string): MappedState {
  return {
    ...state,
    toRealm: (texts) => silently(name, () => state.toRealm(texts)),
    toSql: (value) => silently(name, () => state.toSql(value)),
  };
}

function silently<T>(name: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`the value of ${name}, which is secret, does not fit the other side`);
  }
}
