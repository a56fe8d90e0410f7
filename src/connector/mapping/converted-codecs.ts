/**
 * Values that pass through the configuration's hooks. A hook sees the JavaScript value of the column's own type (of a
 * document its contents) on the way to the realm and of the property's type on the way back, and may bridge any two types: a text column `a,b,c` and a
 * list of strings. A value that it returns as it came keeps its exact text.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ColumnInfo, StateCodec, TableInfo, ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { MappingContext } from './build-mapping.ts';
import { stateFromJs, stateToJs } from './js-values.ts';
import { isScalarProperty } from './property-places.ts';

/** The codec of a scalar property. Hooks are functions of the configuration; without them it is the dialect's own. */
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
  const codec = hookedCodec(className, property, definition, table, column, context);
  return {
    toRealm: (text) => requireScalar(codec.toRealm(text), className, property),
    toSql: codec.toSql,
  };
}

/** The codec of a property of which the column holds all. */
export function convertedStateCodec(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  column: ColumnInfo,
  context: MappingContext,
): StateCodec {
  const { valueToRealm, valueToSql } = context.options;
  if (valueToRealm === undefined && valueToSql === undefined) return plainCodec(column, definition, context);
  return hookedCodec(className, property, definition, table, column, context);
}

function hookedCodec(
  className: string,
  property: string,
  definition: ColumnDefinition,
  table: TableInfo,
  column: ColumnInfo,
  context: MappingContext,
): StateCodec {
  const { valueToRealm, valueToSql, optionNames } = context.options;
  const natural = context.dialect.shownDefinition?.(column) ?? context.dialect.naturalDefinition(column);
  const naturalCodec = plainCodec(column, natural, context);
  const plain = new Lazy(() => plainCodec(column, definition, context));
  const fromHook = (value: unknown, type: ColumnDefinition, hook: string): StateValue => {
    try {
      return stateFromJs(value, type, context.definitions);
    } catch (cause) {
      throw new DataError(`${hook} returned a value that is no ${typeName(type)}`, { cause });
    }
  };
  const toRealmHook = `${optionNames.valueToRealm}('${table.table.name}', '${column.name}')`;
  const toSqlHook = `${optionNames.valueToSql}('${className}', '${property}')`;
  return {
    toRealm: (text) => {
      if (valueToRealm === undefined) return plain.value.toRealm(text);
      const before = readable(naturalCodec, text);
      const shown = stateToJs(before);
      const after = called(toRealmHook, () => valueToRealm(table.table.name, column.name, shown));
      if (isUnchanged(after, before)) return plain.value.toRealm(text);
      return fromHook(after, definition, toRealmHook);
    },
    toSql: (value) => {
      if (valueToSql === undefined) return plain.value.toSql(value);
      const after = called(toSqlHook, () => valueToSql(className, property, stateToJs(value)));
      if (isUnchanged(after, value)) return plain.value.toSql(value);
      if (after === null || after === undefined) return null;
      const converted = fromHook(after, natural, toSqlHook);
      return naturalCodec.toSql(natural.type === 'mixed' ? withIntegers(converted) : converted);
    },
  };
}

/** What a hook throws concerns the one value that it was given. */
function called(hook: string, call: () => unknown): unknown {
  try {
    return call();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${hook} failed: ${reason}`, { cause });
  }
}

/** What no value of the column's own type holds (`infinity`, say) is shown to the hook as its text: it is the remedy. */
function readable(codec: StateCodec, text: string): StateValue {
  try {
    return codec.toRealm(text);
  } catch (error) {
    if (error instanceof DataError) return { type: 'string', value: text };
    throw error;
  }
}

/** Compared by contents: a hook may return a copy, or change the array that it was given. */
function isUnchanged(after: unknown, before: StateValue): boolean {
  const original = stateToJs(before);
  return Object.is(after, original) || isDeepStrictEqual(after, original);
}

/** A hook has no way to say that a number in a document is a whole one. */
function withIntegers(value: StateValue): StateValue {
  switch (value.type) {
    case 'double':
      return Number.isSafeInteger(value.value) ? { type: 'int', value: BigInt(value.value) } : value;
    case 'list':
      return { type: 'list', items: value.items.map(withIntegers) };
    case 'dictionary': {
      const entries = [...value.entries].map(([key, entry]): [string, StateValue] => [
        key,
        withIntegers(entry),
      ]);
      return { type: 'dictionary', entries: new Map(entries) };
    }
    default:
      return value;
  }
}

function plainCodec(column: ColumnInfo, definition: ColumnDefinition, context: MappingContext): StateCodec {
  if (!isScalarProperty(definition, context))
    return context.dialect.stateCodec(column, definition, context.definitions);
  const codec = context.dialect.codec(column, definition);
  return {
    toRealm: codec.toRealm,
    toSql: (value) => codec.toSql(requireScalar(value, column.name, typeName(definition))),
  };
}

function requireScalar(value: StateValue, owner: string, name: string): ScalarValue {
  switch (value.type) {
    case 'object':
    case 'list':
    case 'dictionary':
    case 'set':
      throw new DataError(`${owner}.${name} holds a ${value.type} instead of a single value`);
    default:
      return value;
  }
}

function typeName({ type, collection, linkTarget }: ColumnDefinition): string {
  const single = linkTarget ?? type;
  return collection === 'single' ? single : `${collection} of ${single}`;
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
