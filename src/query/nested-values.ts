/** Ways into the lists and dictionaries that a mixed value can hold, and along the links in them. */
import type { PrimaryKey } from '../schema/value.ts';
import { readField } from '../store/state/default-value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import type { QueryWorld } from './contract.ts';
import { elementsOf, linkedRow, sortedKeys } from './hops.ts';

export type NestedStep =
  | { readonly kind: 'index'; readonly index: number }
  /** A key of a dictionary, or a property of an object that is linked to. */
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'every' }
  | { readonly kind: 'keys' };

/**
 * The values at the end of the steps: one group for each container that the last step selects from. A step that does
 * not fit what it meets leads nowhere.
 */
export function nestedGroups(
  value: StateValue | undefined,
  steps: readonly NestedStep[],
  world: QueryWorld,
): StateValue[][] {
  const groups: StateValue[][] = [];
  collect(value, steps, 0, world, groups);
  return groups;
}

function collect(
  value: StateValue | undefined,
  steps: readonly NestedStep[],
  at: number,
  world: QueryWorld,
  groups: StateValue[][],
): void {
  const isLast = at === steps.length - 1;
  const selected = value === undefined ? [] : select(value, steps[at]!, isLast, world);
  if (isLast) groups.push([...selected]);
  else for (const inner of selected) collect(inner, steps, at + 1, world, groups);
}

function select(
  value: StateValue,
  step: NestedStep,
  isLast: boolean,
  world: QueryWorld,
): Iterable<StateValue> {
  switch (step.kind) {
    case 'every':
      return value.type === 'dictionary'
        ? sortedKeys(value.entries).map((key) => value.entries.get(key)!)
        : elementsOf(value);
    case 'index': {
      const element = value.type === 'list' ? value.items.at(step.index) : undefined;
      return element === undefined ? [] : [element];
    }
    case 'keys':
      if (value.type !== 'dictionary') return [];
      return sortedKeys(value.entries).map((key): StateValue => ({ type: 'string', value: key }));
    case 'key':
      if (value.type === 'dictionary') return keyed(value.entries, step.key, isLast);
      return linkedProperty(value, step.key, world);
  }
}

function keyed(entries: ReadonlyMap<string, StateValue>, key: string, isLast: boolean): StateValue[] {
  const value = entries.get(key);
  if (value !== undefined) return [value];
  return isLast && entries.size > 0 ? [{ type: 'null' }] : [];
}

function linkedProperty(value: StateValue, property: string, world: QueryWorld): StateValue[] {
  if (value.type !== 'link') return [];
  const row = linkedRow(value, world);
  if (row === undefined) return [];
  const definition = world.schema.get(value.table);
  if (definition?.primaryKey?.field === property) return keyValue(row.key);
  const column = definition?.columns.get(property);
  return column === undefined ? [] : [readField(row.state, property, column)];
}

function keyValue(key: PrimaryKey): StateValue[] {
  return key.type === 'globalKey' ? [] : [key];
}
