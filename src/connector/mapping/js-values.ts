/** Values of any kind as functions of the configuration see them, and back. */
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { NULL, type ScalarValue } from '../../schema/value.ts';
import { fromJs, keyFromJs, keyToJs, toJs } from '../../schema/value-conversion.ts';
import { ValueError } from '../../schema/value-error.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { valueToken } from '../../store/state/value-token.ts';

/**
 * Lists and sets are arrays, dictionaries and embedded objects are objects, links inside them the keys of their targets;
 * scalars are as {@link toJs} has them.
 */
export function stateToJs(value: StateValue): unknown {
  switch (value.type) {
    case 'list':
      return value.items.map(stateToJs);
    case 'set':
      return [...value.items.values()].map(stateToJs);
    case 'dictionary':
      return Object.fromEntries([...value.entries].map(([name, entry]) => [name, stateToJs(entry)]));
    case 'object':
      return Object.fromEntries([...value.fields].map(([name, field]) => [name, stateToJs(field)]));
    case 'link':
      return keyToJs(value.key);
    default:
      return toJs(value);
  }
}

/**
 * The inverse of {@link stateToJs} for a property of this type. Sets may come as arrays or sets, dictionaries and
 * embedded objects as objects or maps. Throws `ValueError` on what the property cannot hold.
 */
export function stateFromJs(value: unknown, column: ColumnDefinition, schema: RealmSchema): StateValue {
  if (column.collection === 'single') return singleFromJs(value, column, schema);
  if (value === null || value === undefined) return defaultValue(column);
  const element: ColumnDefinition = { ...column, collection: 'single' };
  const elementFrom = (item: unknown): StateValue => singleFromJs(item, element, schema);
  switch (column.collection) {
    case 'list':
      return { type: 'list', items: [...itemsOf(value)].map(elementFrom) };
    case 'set': {
      const members = [...itemsOf(value)].map(elementFrom).filter(isScalar);
      return { type: 'set', items: new Map(members.map((member) => [valueToken(member), member])) };
    }
    case 'dictionary': {
      const entries = entriesOf(value).map(([name, entry]): [string, StateValue] => [
        name,
        elementFrom(entry),
      ]);
      return { type: 'dictionary', entries: new Map(entries) };
    }
  }
}

const MIXED: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };

function singleFromJs(value: unknown, column: ColumnDefinition, schema: RealmSchema): StateValue {
  if (column.type === 'link') return linkFromJs(value, column, schema);
  if (column.type !== 'mixed') return fromJs(value, column);
  if (Array.isArray(value) || value instanceof Set)
    return stateFromJs(value, { ...MIXED, collection: 'list' }, schema);
  if (value instanceof Map || isPlainObject(value))
    return stateFromJs(value, { ...MIXED, collection: 'dictionary' }, schema);
  return fromJs(value, column);
}

function linkFromJs(value: unknown, column: ColumnDefinition, schema: RealmSchema): StateValue {
  if (value === null || value === undefined) return NULL;
  const target = schema.get(column.linkTarget ?? '');
  if (target?.primaryKey !== undefined)
    return { type: 'link', table: target.name, key: keyFromJs(value, target.primaryKey) };
  const fields = new Map<string, StateValue>();
  for (const [name, field] of entriesOf(value)) {
    const inner = target?.columns.get(name);
    if (inner === undefined) throw new ValueError(`${column.linkTarget} has no property ${name}`);
    fields.set(name, stateFromJs(field, inner, schema));
  }
  return { type: 'object', fields };
}

function itemsOf(value: unknown): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  throw new ValueError(`a ${typeof value} is no array and no set`);
}

function entriesOf(value: unknown): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([name, entry]) => [String(name), entry]);
  if (isPlainObject(value)) return Object.entries(value);
  throw new ValueError(`a ${typeof value} is no object with properties`);
}

/** Not a date, bytes, an id or a tagged link. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) && !('type' in value && value.type === 'link')
  );
}

function isScalar(value: StateValue): value is ScalarValue {
  return (
    value.type !== 'object' && value.type !== 'list' && value.type !== 'dictionary' && value.type !== 'set'
  );
}
