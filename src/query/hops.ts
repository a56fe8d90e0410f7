/** Steps from an object to others, and walking them. */
import { NULL, type PrimaryKey, sameKey } from '../schema/value.ts';
import type { ObjectState, StateValue } from '../store/state/object-state.ts';
import type { QueryWorld } from './contract.ts';
import { compareText } from './values.ts';

/** An object on the way. Embedded objects have no key of their own. */
export type Row = { readonly state: ObjectState; readonly key: PrimaryKey };

export type Selector =
  | { readonly kind: 'every' }
  /** −1 is the last one. */
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'key'; readonly key: string };

export type Hop =
  | { readonly kind: 'link'; readonly field: string; readonly target: string }
  | { readonly kind: 'links'; readonly field: string; readonly target: string; readonly selector: Selector }
  /** Back from the objects of class `source` that link here. */
  | { readonly kind: 'backward'; readonly table: string; readonly field: string; readonly source: string };

/** The class that a hop leads to. */
export function destination(hop: Hop): string {
  return hop.kind === 'backward' ? hop.source : hop.target;
}

export const EVERY: Selector = { kind: 'every' };

/** All objects that the hops lead to, an object as often as ways lead to it. */
export function walk(
  hops: readonly Hop[],
  state: ObjectState,
  key: PrimaryKey,
  world: QueryWorld,
): readonly Row[] {
  let rows: Row[] = [{ state, key }];
  for (const hop of hops) {
    const next: Row[] = [];
    for (const row of rows) expand(hop, row, world, next);
    rows = next;
    if (rows.length === 0) break;
  }
  return rows;
}

/** The object at the end of single links, if there is one. */
export function follow(
  hops: readonly Hop[],
  state: ObjectState,
  key: PrimaryKey,
  world: QueryWorld,
): Row | undefined {
  let row: Row | undefined = { state, key };
  for (const hop of hops) {
    row = linkedRow(row.state.fields.get(hop.field), world);
    if (row === undefined) return undefined;
  }
  return row;
}

/** Where a value leads: to the target of a link if it exists, into an embedded object. */
export function linkedRow(value: StateValue | undefined, world: QueryWorld): Row | undefined {
  if (value === undefined) return undefined;
  if (value.type === 'object') return { state: value, key: NULL };
  if (value.type !== 'link') return undefined;
  const state = world.object(value.table, value.key);
  return state === undefined ? undefined : { state, key: value.key };
}

function expand(hop: Hop, row: Row, world: QueryWorld, into: Row[]): void {
  if (hop.kind === 'backward') {
    const target = { table: hop.table, key: row.key };
    for (const source of world.linking(hop.source, hop.field, target)) {
      const times = linksTo(source.state.fields.get(hop.field), hop.table, row.key);
      for (let i = 0; i < times; i++) into.push(source);
    }
    return;
  }
  const value = row.state.fields.get(hop.field);
  if (hop.kind === 'link') add(value, world, into);
  else for (const selected of selectedValues(value, hop.selector)) add(selected, world, into);
}

function add(value: StateValue | undefined, world: QueryWorld, into: Row[]): void {
  const row = linkedRow(value, world);
  if (row !== undefined) into.push(row);
}

function isLinkTo(value: StateValue, table: string, key: PrimaryKey): boolean {
  return value.type === 'link' && value.table === table && sameKey(value.key, key);
}

/** How often a value, or the elements of a collection, link to the object. */
export function linksTo(value: StateValue | undefined, table: string, key: PrimaryKey): number {
  if (value === undefined) return 0;
  let times = isLinkTo(value, table, key) ? 1 : 0;
  for (const element of elementsOf(value)) if (isLinkTo(element, table, key)) times += 1;
  return times;
}

/** The elements of a collection in its own order; nothing of any other value. */
export function elementsOf(value: StateValue | undefined): Iterable<StateValue> {
  switch (value?.type) {
    case 'list':
      return value.items;
    case 'set':
      return value.items.values();
    case 'dictionary':
      return value.entries.values();
    default:
      return [];
  }
}

/** Keys have no order of their own in a dictionary; where order counts they stand in the order of their bytes. */
export function sortedKeys(entries: ReadonlyMap<string, StateValue>): string[] {
  return [...entries.keys()].sort(compareText);
}

/** The elements that are meant. Beyond the end of a list that is not empty, and for a key not there, stands null. */
export function selectedValues(value: StateValue | undefined, selector: Selector): Iterable<StateValue> {
  switch (selector.kind) {
    case 'every':
      return elementsOf(value);
    case 'index': {
      if (value?.type !== 'list' || value.items.length === 0) return [];
      return [value.items.at(selector.index) ?? NULL];
    }
    case 'key':
      if (value?.type !== 'dictionary' || value.entries.size === 0) return [];
      return [value.entries.get(selector.key) ?? NULL];
  }
}
