/** Reading what stands at the end of a path. */
import type { ColumnDefinition } from '../schema/definition.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../schema/value.ts';
import { defaultScalar } from '../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../store/state/object-state.ts';
import type { QueryWorld } from './contract.ts';
import { follow, type Hop, linkedRow, type Row, selectedValues, sortedKeys, walk } from './hops.ts';
import { nestedGroups } from './nested-values.ts';
import { EMPTY_LIST, type Group, type GroupReader, listOf, type Reader } from './operand.ts';
import type { Part, ResolvedPath } from './path-plan.ts';
import { sortOrder } from './values.ts';

/** For paths whose end is a single value: a key or a property, or a link, reached by single links. */
export function singleReader(path: ResolvedPath): Reader | undefined {
  const { hops, terminal, isSingle } = path;
  if (!isSingle) return undefined;
  switch (terminal.kind) {
    case 'key':
      return hops.length === 0 ? (_, key) => keyValue(key) : throughLinks(hops, (row) => keyValue(row.key));
    case 'property': {
      const { field } = terminal;
      const absent = defaultScalar(terminal.column);
      if (hops.length === 0) return (state) => state.fields.get(field) ?? absent;
      return throughLinks(hops, (row) => row.state.fields.get(field) ?? absent);
    }
    case 'object': {
      const last = hops.at(-1);
      if (last === undefined) return undefined;
      const link: Reader = (state, _, world) => existing(state.fields.get(last.field), world);
      if (hops.length === 1) return link;
      return throughLinks(hops.slice(0, -1), (row, world) => link(row.state, row.key, world));
    }
    default:
      return undefined;
  }
}

function throughLinks(hops: readonly Hop[], read: (row: Row, world: QueryWorld) => StateValue): Reader {
  return (state, key, world) => {
    const row = follow(hops, state, key, world);
    return row === undefined ? NULL : read(row, world);
  };
}

/** A link whose target does not exist reads as null. */
function existing(value: StateValue | undefined, world: QueryWorld): StateValue {
  return value !== undefined && linkedRow(value, world) !== undefined ? value : NULL;
}

function keyValue(key: PrimaryKey): ScalarValue {
  return key.type === 'globalKey' ? NULL : key;
}

/** For every other path: lists of values. */
export function groupReader(path: ResolvedPath): GroupReader {
  const { hops, terminal } = path;
  switch (terminal.kind) {
    case 'object':
      return objectGroups(hops);
    case 'key':
      return (state, key, world) => listOf(walk(hops, state, key, world).map((row) => keyValue(row.key)));
    case 'property': {
      const absent = defaultScalar(terminal.column);
      const { field } = terminal;
      return (state, key, world) =>
        listOf(walk(hops, state, key, world).map((row) => row.state.fields.get(field) ?? absent));
    }
    case 'collection': {
      const { field, column, part } = terminal;
      const isList = part.kind !== 'key' || !path.isSingle;
      return perRow(hops, isList, (row) => {
        const values = partValues(row.state.fields.get(field), column, part);
        return [{ list: isList, values }];
      });
    }
    case 'nested': {
      const { field, steps } = terminal;
      const isList = steps.some(({ kind }) => kind === 'every' || kind === 'keys');
      return perRow(hops, isList, (row, world) =>
        nestedGroups(row.state.fields.get(field), steps, world).map((values) => ({ list: isList, values })),
      );
    }
    case 'backlinks':
      return () => EMPTY_LIST;
  }
}

function perRow(
  hops: readonly Hop[],
  isList: boolean,
  groups: (row: Row, world: QueryWorld) => Group[],
): GroupReader {
  const nothing: readonly Group[] = isList ? EMPTY_LIST : [{ list: false, values: [] }];
  return (state, key, world) => {
    const rows = hops.length === 0 ? [{ state, key }] : walk(hops, state, key, world);
    const found = rows.flatMap((row) => groups(row, world));
    return found.length === 0 ? nothing : found;
  };
}

function objectGroups(hops: readonly Hop[]): GroupReader {
  const last = hops.at(-1)!;
  const before = hops.slice(0, -1);
  return (state, key, world) => {
    const values: StateValue[] = [];
    for (const row of walk(before, state, key, world)) appendLinks(last, row, world, values);
    return listOf(values);
  };
}

function appendLinks(hop: Hop, row: Row, world: QueryWorld, into: StateValue[]): void {
  if (hop.kind === 'backward') {
    for (const source of walk([hop], row.state, row.key, world))
      into.push({ type: 'link', table: hop.source, key: source.key });
    return;
  }
  const value = row.state.fields.get(hop.field);
  if (hop.kind === 'link') {
    if (existing(value, world) !== NULL) into.push(value!);
    return;
  }
  for (const selected of selectedValues(value, hop.selector)) {
    const link = existing(selected, world);
    // A place in a list that is asked for holds null; among all elements there is only what exists.
    if (link.type !== 'null' || hop.selector.kind !== 'every') into.push(link);
  }
}

/** The selected elements of a collection; dictionaries and sets in a fixed order, since lists compare in order. */
export function partValues(
  value: StateValue | undefined,
  column: ColumnDefinition,
  part: Part,
): StateValue[] {
  switch (part.kind) {
    case 'keys':
      if (value?.type !== 'dictionary') return [];
      return sortedKeys(value.entries).map((key): StateValue => ({ type: 'string', value: key }));
    case 'lengths':
      return [...selectedValues(value, { kind: 'every' })].flatMap((element) => lengthOf(element, column));
    case 'every':
      if (value?.type === 'dictionary')
        return sortedKeys(value.entries).map((key) => value.entries.get(key)!);
      if (value?.type === 'set') return [...value.items.values()].sort(sortOrder);
      return [...selectedValues(value, part)];
    default:
      return [...selectedValues(value, part)];
  }
}

/** A null among strings counts as empty; in a list of mixed values only strings and data have a length. */
function lengthOf(value: StateValue, column: ColumnDefinition): StateValue[] {
  const size = sizeOf(value);
  if (size.type !== 'null') return [size];
  return column.type === 'mixed' ? [] : [{ type: 'int', value: 0n }];
}

/** Bytes of a string or data, elements of a collection; null of anything else. */
export function sizeOf(value: StateValue): ScalarValue {
  switch (value.type) {
    case 'string':
      return { type: 'int', value: BigInt(Buffer.byteLength(value.value, 'utf8')) };
    case 'data':
      return { type: 'int', value: BigInt(value.value.byteLength) };
    case 'list':
      return { type: 'int', value: BigInt(value.items.length) };
    case 'dictionary':
      return { type: 'int', value: BigInt(value.entries.size) };
    case 'set':
      return { type: 'int', value: BigInt(value.items.size) };
    default:
      return NULL;
  }
}

/** The rows at the end of hops, whether these are single or not. */
export function rowsOf(
  path: ResolvedPath,
): (state: ObjectState, key: PrimaryKey, world: QueryWorld) => readonly Row[] {
  const { hops } = path;
  return (state, key, world) => walk(hops, state, key, world);
}
