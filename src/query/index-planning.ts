/** Finding in a predicate what every match must have in an indexed property, or in the key. */
import type { ClassDefinition, ColumnDefinition } from '../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';
import { keyFor } from './constants.ts';
import type { IndexCondition } from './contract.ts';
import { asInteger, identity } from './membership.ts';
import { approximate } from './numbers.ts';
import type { Operand } from './operand.ts';
import type { Predicate } from './predicate.ts';
import { equalValues, isNumeric } from './values.ts';

/** The narrowest condition; undefined when nothing that is indexed narrows the matches. */
export function planIndex(
  predicate: Predicate,
  definition: ClassDefinition,
  isIndexed: (field: string) => boolean,
): IndexCondition | undefined {
  switch (predicate.kind) {
    case 'constant':
      return predicate.value ? undefined : { kind: 'key', keys: [] };
    case 'and': {
      const conditions = predicate.children.flatMap((child) => planIndex(child, definition, isIndexed) ?? []);
      return conditions.reduce<IndexCondition | undefined>(narrower, undefined);
    }
    case 'or':
      return united(predicate.children.map((child) => planIndex(child, definition, isIndexed)));
    case 'not':
      return undefined;
    case 'membership':
      return predicate.caseless
        ? undefined
        : memberCondition(predicate.operand, predicate.values, definition, isIndexed);
    case 'test': {
      const { elements } = predicate;
      return elements && memberCondition(elements.operand, elements.values, definition, isIndexed);
    }
  }
}

function size(condition: IndexCondition): number {
  return condition.kind === 'key' ? condition.keys.length : condition.values.length;
}

/** Of conditions of the same size the key is the better one: it finds one object at most. */
function narrower(best: IndexCondition | undefined, next: IndexCondition): IndexCondition {
  if (best === undefined) return next;
  if (size(next) !== size(best)) return size(next) < size(best) ? next : best;
  return best.kind === 'key' ? best : next;
}

/** Branches that all ask for the same place ask together for all their values. */
function united(conditions: readonly (IndexCondition | undefined)[]): IndexCondition | undefined {
  const [first] = conditions;
  if (first === undefined) return undefined;
  if (first.kind === 'key') {
    const keys: PrimaryKey[] = [];
    for (const condition of conditions) {
      if (condition?.kind !== 'key') return undefined;
      keys.push(...condition.keys);
    }
    return { kind: 'key', keys: unique(keys) };
  }
  const values: ScalarValue[] = [];
  for (const condition of conditions) {
    if (condition?.kind !== 'field' || condition.field !== first.field) return undefined;
    values.push(...condition.values);
  }
  return { kind: 'field', field: first.field, values: unique(values) };
}

function unique<T extends PrimaryKey | ScalarValue>(values: readonly T[]): T[] {
  return [
    ...new Map(
      values.map((value): [string, T] => [
        value.type === 'globalKey' ? `${value.hi}-${value.lo}` : identity(value),
        value,
      ]),
    ).values(),
  ];
}

function memberCondition(
  { place }: Operand,
  values: readonly ScalarValue[],
  definition: ClassDefinition,
  isIndexed: (field: string) => boolean,
): IndexCondition | undefined {
  if (place?.kind === 'key') {
    const { type = 'globalKey' } = definition.primaryKey ?? {};
    return { kind: 'key', keys: unique(values.flatMap((value) => keyFor(value, type) ?? [])) };
  }
  if (place === undefined || !isIndexed(place.field)) return undefined;
  const column = definition.columns.get(place.field);
  const stored = column && storedValues(values, column);
  return stored && { kind: 'field', field: place.field, values: unique(stored) };
}

/**
 * The values as the property can hold them: an index tells types apart where queries do not. Undefined where equal
 * values can be stored in several ways.
 */
function storedValues(values: readonly ScalarValue[], { type }: ColumnDefinition): ScalarValue[] | undefined {
  switch (type) {
    case 'decimal128':
      return undefined;
    case 'mixed':
      return values.some((value) => isNumeric(value) || value.type === 'null') ? undefined : [...values];
    case 'link':
      // A link to an object that does not exist reads as null as well.
      return values.some((value) => value.type === 'null')
        ? undefined
        : values.filter((value) => value.type === type);
    default:
      return values.flatMap((value) => storedValue(value, type) ?? []);
  }
}

function storedValue(value: ScalarValue, type: ScalarValue['type']): ScalarValue | undefined {
  if (value.type === 'null' || value.type === type) return value;
  if (!isNumeric(value)) return undefined;
  if (type === 'int') {
    const integer = asInteger(value);
    return integer === undefined ? undefined : { type: 'int', value: integer };
  }
  if (type !== 'float' && type !== 'double') return undefined;
  const nearest = approximate(value);
  const held: ScalarValue = { type, value: type === 'float' ? Math.fround(nearest) : nearest };
  return equalValues(held, value) ? held : undefined;
}
