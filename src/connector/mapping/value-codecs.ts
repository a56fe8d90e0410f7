/** Codecs that stand on the dialect's own: links, and values that pass through the configuration's hooks. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../../schema/value.ts';
import { fromJs, toJs } from '../../schema/value-conversion.ts';
import type { ColumnInfo, TableInfo, ValueCodec } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import type { MappingContext } from './build-mapping.ts';
import type { KeyMapping } from './class-mapping.ts';

/**
 * A foreign key column as a link: its text is the target's key. A target with a compound key has no single column to
 * stand in and is refused.
 */
export function linkCodec(
  target: string,
  key: KeyMapping | undefined,
  className: string,
  property: string,
  column: ColumnInfo | undefined,
): ValueCodec {
  if (key === undefined)
    throw new MappingError(`link ${className}.${property}: class ${target} is not in the models`);
  if (key.columns.length > 1 && column !== undefined) {
    throw new MappingError(
      `link ${className}.${property} points to ${target}, which is keyed by (${key.columns.join(', ')}); column ${column.name} cannot hold that`,
      { remedy: 'name the property in realmIgnoreProperties' },
    );
  }
  return {
    toRealm: (text) => ({ type: 'link', table: target, key: key.toRealm([text]) }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'link')
        throw new DataError(`${className}.${property} holds a ${value.type} instead of a link`);
      return keyText(key, value.key);
    },
  };
}

function keyText(key: KeyMapping, value: PrimaryKey): string {
  return key.toSql(value).join('-');
}

/**
 * The dialect's codec with the hooks of the configuration around it. Hooks see the JavaScript value of the column's
 * (or property's) own type; a value that they return as it came keeps its exact text.
 */
export function convertedCodec(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  column: ColumnInfo,
  context: MappingContext,
): ValueCodec {
  const { valueToRealm, valueToSql } = context.options;
  if (valueToRealm === undefined && valueToSql === undefined)
    return context.dialect.codec(column, definition);
  const natural = context.dialect.naturalDefinition(column);
  const naturalCodec = context.dialect.codec(column, natural);
  const plain = new Lazy(() => context.dialect.codec(column, definition));
  return {
    toRealm: (text) => {
      if (valueToRealm === undefined) return plain.value.toRealm(text);
      const before = toJs(naturalCodec.toRealm(text));
      const after = valueToRealm(table.table.name, column.name, before);
      if (after === before) return plain.value.toRealm(text);
      return fromHook(
        after,
        definition,
        `convertPostgresValueToRealm('${table.table.name}', '${column.name}')`,
      );
    },
    toSql: (value) => {
      if (valueToSql === undefined) return plain.value.toSql(value);
      const before = toJs(value);
      const after = valueToSql(className, property, before);
      if (after === before) return plain.value.toSql(value);
      if (after === null || after === undefined) return null;
      return naturalCodec.toSql(
        fromHook(after, natural, `convertRealmValueToPostgres('${className}', '${property}')`),
      );
    },
  };
}

/** A conversion may bridge types for which the dialect alone has no codec; it is asked only when needed. */
class Lazy<T> {
  readonly #make: () => T;
  #made: { value: T } | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get value(): T {
    this.#made ??= { value: this.#make() };
    return this.#made.value;
  }
}

function fromHook(value: unknown, definition: ColumnDefinition, hook: string): ScalarValue {
  try {
    return fromJs(value, definition);
  } catch (cause) {
    throw new DataError(`${hook} returned a value that is no ${definition.type}`, { cause });
  }
}
