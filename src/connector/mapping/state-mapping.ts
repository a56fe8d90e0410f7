/** Properties that are more than one scalar: in one column as a whole, or a column for each field of an embedded object. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import { NULL } from '../../schema/value.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ColumnInfo, SqlText, TableInfo } from '../dialect.ts';
import { tableId } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import type { MappingContext } from './build-mapping.ts';
import type { KeyMapping, MappedState } from './class-mapping.ts';
import { convertedCodec, convertedStateCodec } from './converted-codecs.ts';
import { embeddedClass, fieldColumnName, isScalarProperty, type Place } from './property-places.ts';
import { type LinkCodec, linkCodec } from './value-codecs.ts';

/** What stands in some columns of a table. */
type Part = Pick<MappedState, 'columns' | 'toRealm' | 'toSql' | 'lookups'>;

export type StateContext = MappingContext & { readonly keys: ReadonlyMap<string, KeyMapping> };

/** Throws `MappingError` when columns are missing or cannot hold the property. */
export function stateMapping(
  owner: ClassDefinition,
  property: string,
  table: TableInfo,
  place: Extract<Place, { kind: 'column' | 'flattened' }>,
  context: StateContext,
): MappedState {
  const definition = owner.columns.get(property)!;
  const part =
    place.kind === 'flattened'
      ? flattened(place.name, embeddedClass(definition, context)!, table, context)
      : wholeColumn(owner.name, property, definition, table, place.name, context);
  return { property, definition, ...part, schema: context.definitions };
}

function wholeColumn(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  name: string,
  context: StateContext,
): Part {
  const column = columnNamed(name, table, className, property, context);
  const codec = convertedStateCodec(className, property, definition, table, column, context);
  return {
    columns: [column],
    // A collection is never null in the realm; a column that was never written is an empty one.
    toRealm: ([text]) => (text === null || text === undefined ? emptyOf(definition) : codec.toRealm(text)),
    toSql: (value) => [codec.toSql(value)],
  };
}

function emptyOf(definition: ColumnDefinition): StateValue {
  return definition.collection === 'single' ? NULL : defaultValue(definition);
}

/** All columns NULL is no object; so an object of nulls alone cannot be told from that. */
function flattened(prefix: string, embedded: ClassDefinition, table: TableInfo, context: StateContext): Part {
  const fields: { readonly name: string; readonly definition: ColumnDefinition; readonly part: Part }[] = [];
  for (const [name, definition] of embedded.columns)
    fields.push({ name, definition, part: fieldPart(prefix, embedded, name, definition, table, context) });
  const columns = fields.flatMap(({ part }) => part.columns);
  return {
    columns,
    lookups: new Map(fields.flatMap(({ part }) => [...(part.lookups ?? [])])),
    toRealm: (texts) => {
      if (texts.every((text) => text === null)) return NULL;
      const values = new Map<string, StateValue>();
      let from = 0;
      for (const { name, part } of fields) {
        const to = from + part.columns.length;
        values.set(name, part.toRealm(texts.slice(from, to)));
        from = to;
      }
      return { type: 'object', fields: values };
    },
    toSql: (value) => {
      if (value.type !== 'object') return columns.map(() => null);
      return fields.flatMap(({ name, definition, part }) =>
        part.toSql(value.fields.get(name) ?? defaultValue(definition)),
      );
    },
  };
}

function fieldPart(
  prefix: string,
  embedded: ClassDefinition,
  field: string,
  definition: ColumnDefinition,
  table: TableInfo,
  context: StateContext,
): Part {
  const existing = table.columns.map((column) => column.name);
  const name = fieldColumnName(prefix, embedded.name, field, existing, context);
  if (isScalarProperty(definition, context))
    return scalarPart(embedded.name, field, definition, table, name, context);
  const inner = definition.collection === 'single' ? embeddedClass(definition, context) : undefined;
  return inner === undefined || existing.includes(name) || inner === embedded
    ? wholeColumn(embedded.name, field, definition, table, name, context)
    : flattened(name, inner, table, context);
}

function scalarPart(
  className: string,
  field: string,
  definition: ColumnDefinition,
  table: TableInfo,
  name: string,
  context: StateContext,
): Part {
  const column = columnNamed(name, table, className, field, context);
  const target = definition.linkTarget;
  const codec: LinkCodec =
    target === undefined
      ? convertedCodec(className, field, definition, table, column, context)
      : linkCodec(target, context.keys.get(target), className, field, column, table);
  return {
    columns: [column],
    ...(codec.lookup === undefined ? {} : { lookups: new Map([[name, codec.lookup]]) }),
    toRealm: ([text]) => {
      if (text !== null && text !== undefined) return codec.toRealm(text);
      if (definition.nullable) return NULL;
      throw new DataError(
        `column ${table.table.name}.${name} is NULL, but property ${className}.${field} is required`,
        { remedy: `declare ${className}.${field} optional in the models` },
      );
    },
    toSql: (value): readonly SqlText[] => {
      switch (value.type) {
        case 'object':
        case 'list':
        case 'dictionary':
        case 'set':
          throw new DataError(
            `${className}.${field} holds a ${value.type}, which column ${name} cannot hold`,
          );
        default:
          return [codec.toSql(value)];
      }
    },
  };
}

function columnNamed(
  name: string,
  table: TableInfo,
  className: string,
  property: string,
  { options }: StateContext,
): ColumnInfo {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new MappingError(
    `property ${className}.${property} has no column: ${tableId(table.table)} has no column ${name}`,
    {
      remedy: `add the column, let ${options.optionNames.createTables} add it, or name '${className}.${property}' in realmIgnoreProperties`,
    },
  );
}
