/** Finds the places of an object that hold links to another one. */
import type { Path } from '../../changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { type PrimaryKey, sameKey } from '../../schema/value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';

export type LinkTarget = { readonly table: string; readonly key: PrimaryKey };

export type LinkPlace = {
  readonly field: string;
  /** Below the field; for a set, the set itself. */
  readonly path: Path;
  readonly kind: 'value' | 'element' | 'member';
  /** Sorts places as the reference visits them: typed columns in order of definition, mixed ones after them. */
  readonly rank: number;
  /** Size of the list, for elements. */
  readonly size?: number;
};

/** Places in mixed columns come after all others. */
const MIXED_RANK = 1_000_000;

/** For each class of a schema, what the search for links needs to know. Made once per schema. */
export class LinkFinder {
  readonly #schema: RealmSchema;
  readonly #ranks = new Map<string, number>();

  constructor(schema: RealmSchema) {
    this.#schema = schema;
    let rank = 0;
    for (const { name, columns } of schema.values()) {
      for (const field of columns.keys()) this.#ranks.set(columnToken(name, field), rank++);
    }
  }

  /** Top-level classes whose objects can hold a link to objects of `target`. */
  classesLinkingTo(target: string): string[] {
    return [...this.#schema.values()]
      .filter((definition) => definition.kind === 'topLevel' && this.#canLink(definition, target, new Set()))
      .map(({ name }) => name);
  }

  /** The places in one object that hold a link to `target`, list elements ascending. */
  places(table: string, state: ObjectState, target: LinkTarget): LinkPlace[] {
    const places: LinkPlace[] = [];
    this.#search(table, state.fields, undefined, [], target, places);
    return places;
  }

  /** Every link that an object holds. */
  targets(state: ObjectState): LinkTarget[] {
    const targets: LinkTarget[] = [];
    for (const value of state.fields.values()) collectTargets(value, targets);
    return targets;
  }

  #canLink(definition: ClassDefinition, target: string, visited: Set<string>): boolean {
    if (visited.has(definition.name)) return false;
    visited.add(definition.name);
    for (const column of definition.columns.values()) {
      if (column.type === 'mixed' || column.linkTarget === target || column.linkTarget === '') return true;
      const inner = this.#embedded(column);
      if (inner !== undefined && this.#canLink(inner, target, visited)) return true;
    }
    return false;
  }

  #embedded(column: ColumnDefinition): ClassDefinition | undefined {
    const target = column.linkTarget === undefined ? undefined : this.#schema.get(column.linkTarget);
    return target?.kind === 'embedded' ? target : undefined;
  }

  #search(
    table: string,
    fields: ReadonlyMap<string, StateValue>,
    root: string | undefined,
    path: Path,
    target: LinkTarget,
    places: LinkPlace[],
  ): void {
    for (const [name, column] of this.#schema.get(table)?.columns ?? []) {
      const value = fields.get(name);
      if (value === undefined) continue;
      const field = root ?? name;
      const here = root === undefined ? path : [...path, name];
      const inner = this.#embedded(column);
      if (inner !== undefined) {
        for (const [step, object] of embeddedObjects(value)) {
          const below = step === undefined ? here : [...here, step];
          this.#search(inner.name, object, field, below, target, places);
        }
      } else if (column.type === 'mixed' || column.linkTarget === target.table || column.linkTarget === '') {
        const order = this.#ranks.get(columnToken(table, name)) ?? 0;
        collect(value, field, here, column.type === 'mixed' ? MIXED_RANK + order : order, target, places);
      }
    }
  }
}

function collect(
  value: StateValue,
  field: string,
  path: Path,
  rank: number,
  target: LinkTarget,
  places: LinkPlace[],
): void {
  switch (value.type) {
    case 'link':
      if (leadsTo(value, target)) places.push({ field, path, kind: 'value', rank });
      return;
    case 'list': {
      const size = value.items.length;
      value.items.forEach((item, index) => {
        const place = [...path, index];
        if (leadsTo(item, target)) places.push({ field, path: place, kind: 'element', rank, size });
        else collect(item, field, place, rank, target, places);
      });
      return;
    }
    case 'dictionary':
      for (const [key, item] of value.entries) collect(item, field, [...path, key], rank, target, places);
      return;
    case 'set':
      for (const item of value.items.values()) {
        if (leadsTo(item, target)) places.push({ field, path, kind: 'member', rank });
      }
      return;
    default:
      return;
  }
}

function collectTargets(value: StateValue, targets: LinkTarget[]): void {
  switch (value.type) {
    case 'link':
      targets.push(value);
      return;
    case 'object':
      for (const inner of value.fields.values()) collectTargets(inner, targets);
      return;
    case 'list':
      for (const inner of value.items) collectTargets(inner, targets);
      return;
    case 'dictionary':
      for (const inner of value.entries.values()) collectTargets(inner, targets);
      return;
    case 'set':
      for (const inner of value.items.values()) collectTargets(inner, targets);
      return;
    default:
      return;
  }
}

function leadsTo(value: StateValue, target: LinkTarget): boolean {
  return value.type === 'link' && value.table === target.table && sameKey(value.key, target.key);
}

function* embeddedObjects(
  value: StateValue,
): IterableIterator<[number | string | undefined, ReadonlyMap<string, StateValue>]> {
  if (value.type === 'object') yield [undefined, value.fields];
  const elements =
    value.type === 'list' ? value.items.entries() : value.type === 'dictionary' ? value.entries : [];
  for (const [step, element] of elements) if (element.type === 'object') yield [step, element.fields];
}

function columnToken(table: string, field: string): string {
  return `${table}\0${field}`;
}
