/**
 * Values of a declared type as JSON documents: lists and sets as arrays, dictionaries and embedded objects as objects
 * (fields by property name), links by the key of their target. A database may reorder members and normalise numbers, so
 * documents are compared as values only, never by their text.
 */

import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { SetState, StateValue } from '../../store/state/object-state.ts';
import { valueToken } from '../../store/state/value-token.ts';
import { DataError } from '../errors.ts';
import { scalarFromJson, scalarToJson } from './json-scalars.ts';
import { isArray, isObject, type Json, jsonKind, MAX_JSON_DEPTH } from './json-text.ts';
import { mixedFromJson, mixedToJson } from './mixed-json.ts';

export type Definitions = ReadonlyMap<string, ClassDefinition>;

/** Throws `DataError` on what the definition does not allow, so that nothing of the document is lost unseen. */
export function stateFromJson(
  json: Json,
  definition: ColumnDefinition,
  definitions: Definitions,
): StateValue {
  switch (definition.collection) {
    case 'single':
      return elementFromJson(json, definition, definitions);
    case 'list':
      return { type: 'list', items: itemsOf(json, definition, definitions) };
    case 'set':
      return setOf(itemsOf(json, definition, definitions));
    case 'dictionary': {
      if (!isObject(json)) throw new DataError(`${jsonKind(json)} stands where an object is expected`);
      const entries = new Map<string, StateValue>();
      for (const [name, member] of json)
        entries.set(
          name,
          within(name, () => elementFromJson(member, definition, definitions)),
        );
      return { type: 'dictionary', entries };
    }
  }
}

export function stateToJson(
  value: StateValue,
  definition: ColumnDefinition,
  definitions: Definitions,
  depth = 0,
): Json {
  if (depth > MAX_JSON_DEPTH) throw new DataError(`the value is nested deeper than ${MAX_JSON_DEPTH} levels`);
  if (definition.collection === 'single') return elementToJson(value, definition, definitions, depth);
  switch (value.type) {
    case 'list':
      return value.items.map((item) => elementToJson(item, definition, definitions, depth + 1));
    case 'set':
      return [...value.items.values()].map((item) => elementToJson(item, definition, definitions, depth + 1));
    case 'dictionary': {
      const members = new Map<string, Json>();
      for (const [name, entry] of value.entries)
        members.set(name, elementToJson(entry, definition, definitions, depth + 1));
      return members;
    }
    default:
      throw new DataError(`a ${value.type} is no ${definition.collection}`);
  }
}

/** Members of a set by their token; of equal ones the first. */
export function setOf(items: readonly StateValue[]): SetState {
  const members = new Map<string, ScalarValue>();
  for (const item of items) {
    if (isContainer(item)) throw new DataError(`a set holds no ${item.type}`);
    const token = valueToken(item);
    if (!members.has(token)) members.set(token, item);
  }
  return { type: 'set', items: members };
}

function itemsOf(json: Json, definition: ColumnDefinition, definitions: Definitions): StateValue[] {
  if (!isArray(json)) throw new DataError(`${jsonKind(json)} stands where an array is expected`);
  return json.map((item, index) => within(index, () => elementFromJson(item, definition, definitions)));
}

function elementFromJson(json: Json, definition: ColumnDefinition, definitions: Definitions): StateValue {
  if (definition.type === 'mixed') return mixedFromJson(json);
  if (json === null) return nullElement(definition);
  if (definition.type !== 'link') return scalarFromJson(json, definition.type);
  const target = targetOf(definition, definitions);
  if (target.kind === 'embedded') return objectFromJson(json, target, definitions);
  const key = scalarFromJson(json, target.primaryKey?.type === 'globalKey' ? 'string' : keyTypeOf(target));
  return { type: 'link', table: target.name, key: asKey(key) };
}

/** Throws `DataError` when the definition does not allow null. */
export function nullElement(definition: ColumnDefinition): ScalarValue {
  if (definition.nullable || definition.type === 'mixed') return NULL;
  throw new DataError('NULL stands where the model requires a value', {
    remedy: 'declare the property (or its elements) optional in the models',
  });
}

function objectFromJson(json: Json, target: ClassDefinition, definitions: Definitions): StateValue {
  if (!isObject(json)) throw new DataError(`${jsonKind(json)} stands where an object is expected`);
  for (const name of json.keys()) {
    if (target.columns.has(name)) continue;
    throw new DataError(`the document has a field ${name}, which class ${target.name} has not`, {
      remedy: `declare it in ${target.name}, or the property as 'mixed' or as a dictionary`,
    });
  }
  const fields = new Map<string, StateValue>();
  for (const [name, column] of target.columns) {
    const member = json.get(name);
    // A collection is never null; one that is not there is empty.
    if (column.collection !== 'single' && (member === undefined || member === null)) continue;
    fields.set(
      name,
      within(name, () => stateFromJson(member ?? null, column, definitions)),
    );
  }
  return { type: 'object', fields };
}

function elementToJson(
  value: StateValue,
  definition: ColumnDefinition,
  definitions: Definitions,
  depth: number,
): Json {
  if (definition.type === 'mixed') return mixedToJson(value, depth);
  switch (value.type) {
    case 'null':
      return null;
    case 'link':
      if (value.key.type === 'null' || value.key.type === 'globalKey')
        throw new DataError(`a link to ${value.table} without primary key has no form in JSON`);
      if (definition.type === 'link') return scalarToJson(value.key);
      break;
    case 'object':
      if (definition.type === 'link')
        return objectToJson(value.fields, targetOf(definition, definitions), definitions, depth);
      break;
    case 'list':
    case 'set':
    case 'dictionary':
      break;
    default:
      if (value.type === definition.type) return scalarToJson(value);
  }
  throw new DataError(`a ${value.type} is no ${definition.linkTarget ?? definition.type}`);
}

function objectToJson(
  fields: ReadonlyMap<string, StateValue>,
  target: ClassDefinition,
  definitions: Definitions,
  depth: number,
): Json {
  const members = new Map<string, Json>();
  for (const [name, column] of target.columns) {
    const field = fields.get(name);
    if (field !== undefined) members.set(name, stateToJson(field, column, definitions, depth + 1));
  }
  return members;
}

export function targetOf(definition: ColumnDefinition, definitions: Definitions): ClassDefinition {
  const target = definitions.get(definition.linkTarget ?? '');
  if (target !== undefined) return target;
  throw new DataError(`class ${definition.linkTarget} is not in the models`);
}

export function keyTypeOf(target: ClassDefinition): 'int' | 'string' | 'objectId' | 'uuid' {
  const type = target.primaryKey?.type;
  if (type !== undefined && type !== 'globalKey') return type;
  throw new DataError(`class ${target.name} has no primary key by which a link could be told`);
}

export function asKey(value: ScalarValue): PrimaryKey {
  switch (value.type) {
    case 'int':
    case 'string':
    case 'objectId':
    case 'uuid':
      return value;
    default:
      throw new DataError(`a ${value.type} is no key`);
  }
}

export function isContainer(value: StateValue): value is Exclude<StateValue, ScalarValue> {
  return (
    value.type === 'object' || value.type === 'list' || value.type === 'dictionary' || value.type === 'set'
  );
}

/** Says where in the document something does not fit. */
export function within<T>(place: string | number, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(`at ${place}: ${cause.message}`, { cause });
  }
}
