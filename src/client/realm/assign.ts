/**
 * Writes values into places as a real client does (changeset-format.md §8): which instructions follow from assigning
 * a JavaScript value to a property, a list element or a dictionary key.
 */
import type { Payload } from '../../changeset/instruction.ts';
import type { CollectionKind } from '../../schema/definition.ts';
import { sameValue } from '../../schema/equality.ts';
import type { ObjectSchema, PropertySchema } from '../../schema/object-schema.ts';
import type { ScalarValue } from '../../schema/value.ts';
import { fromJs } from '../../schema/value-conversion.ts';
import { ValueError } from '../../schema/value-error.ts';
import { readField } from '../../store/state/default-value.ts';
import { ANYTHING, type ElementType } from './element-type.ts';
import {
  type Address,
  below,
  EmbeddedHolder,
  entryPlace,
  fieldPlace,
  type Holder,
  itemPlace,
  itemsAt,
  type Place,
} from './place.ts';
import type { RealmCore } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';

/** What to do with properties of an object that exists already. */
export type UpdateMode = 'never' | 'all' | 'modified';

/** A value on its way into a mixed place: one payload, or a collection to be filled. */
type Prepared =
  | { readonly kind: 'scalar'; readonly value: ScalarValue }
  | { readonly kind: 'list'; readonly items: readonly unknown[] }
  | { readonly kind: 'dictionary'; readonly entries: readonly (readonly [string, unknown])[] };

/** How values that are accessors of this API are recognised; given by the realm to keep this file free of them. */
export interface Accessors {
  /** The link to a top-level object of this realm; creates the object when `value` is a plain one. */
  link(value: object, target: string | undefined, mode: UpdateMode): ScalarValue | undefined;
}

export class Assigner {
  readonly #core: RealmCore;
  readonly #accessors: Accessors;

  constructor(core: RealmCore, accessors: Accessors) {
    this.#core = core;
    this.#accessors = accessors;
  }

  /**
   * Sets the properties of a new or existing object from `values`, in order of declaration. With `created`, absent
   * ones take their default.
   */
  fill(holder: Holder, values: Readonly<Record<string, unknown>>, created: boolean, mode: UpdateMode): void {
    const { schema } = holder;
    checkNames(schema, values);
    for (const property of schema.properties.values()) {
      if (property.name === schema.primaryKey) continue;
      let value = values[property.name];
      if (value === undefined) {
        if (!created) continue;
        value = defaultOf(property);
        if (value === undefined) {
          if (mayBeAbsent(property)) continue;
          throw new RealmUsageError(`property ${schema.name}.${property.name} is required and has no value`, {
            remedy: 'give it a value, a default, or make it optional',
          });
        }
      }
      this.setProperty(holder, property, value, mode, !created && mode === 'modified');
    }
  }

  setProperty(
    holder: Holder,
    property: PropertySchema,
    value: unknown,
    mode: UpdateMode = 'never',
    onlyModified = false,
  ): void {
    const place = fieldPlace(holder, property.storedName);
    switch (property.collection) {
      case 'single':
        if (onlyModified && this.#isUnchanged(place, property, value, mode)) return;
        this.setPlace(place, property, value, mode);
        return;
      case 'list':
        this.#replaceList(place, property, value, mode);
        return;
      case 'dictionary':
        this.#replaceDictionary(place, property, value, mode);
        return;
      case 'set':
        this.#replaceSet(place, property, value, mode);
        return;
    }
  }

  /** Assigns to a single value, an existing list element, or a dictionary key. */
  setPlace(place: Place, element: ElementType, value: unknown, mode: UpdateMode = 'never'): void {
    if (this.#core.isEmbedded(element.linkTarget)) {
      this.#setEmbedded(place, element, value, mode);
      return;
    }
    const prepared = this.#prepare(place, element, value, mode);
    if (prepared.kind === 'scalar') {
      this.#update(place, prepared.value);
      return;
    }
    this.#update(place, { type: prepared.kind });
    this.#fillCollection(place, prepared, mode);
  }

  insert(list: Place, index: number, element: ElementType, value: unknown, mode: UpdateMode = 'never'): void {
    const transaction = this.#core.writing();
    const address = below(list.address(), index);
    if (this.#core.isEmbedded(element.linkTarget)) {
      const values = plainValues(address, value);
      const priorSize = itemsAt(list).length;
      transaction.emit({ op: 'ArrayInsert', ...address, value: { type: 'object' }, priorSize });
      this.#fillEmbedded(itemPlace(list, index), element, values, mode);
      return;
    }
    const prepared = this.#prepare(list, element, value, mode);
    const payload: Payload = prepared.kind === 'scalar' ? prepared.value : { type: prepared.kind };
    // Preparing a link can create its target and, through it, change this very list.
    const priorSize = itemsAt(list).length;
    transaction.emit({ op: 'ArrayInsert', ...address, value: payload, priorSize });
    if (prepared.kind !== 'scalar') this.#fillCollection(itemPlace(list, index), prepared, mode);
  }

  /** Adds to or removes from a set. */
  changeSet(op: 'SetInsert' | 'SetErase', set: Place, element: ElementType, value: unknown): void {
    this.#core.writing().emit({ op, ...set.address(), value: this.scalar(set, element, value) });
  }

  /** The value as a payload; collections are refused. */
  scalar(place: Place, element: ElementType, value: unknown, mode: UpdateMode = 'never'): ScalarValue {
    const prepared = this.#prepare(place, element, value, mode);
    if (prepared.kind === 'scalar') return prepared.value;
    throw new ValueError(`${nameOf(place.address())} cannot hold a ${prepared.kind}`);
  }

  #isUnchanged(place: Place, property: PropertySchema, value: unknown, mode: UpdateMode): boolean {
    if (this.#core.isEmbedded(property.linkTarget)) return false;
    const prepared = this.#prepare(place, property, value, mode);
    if (prepared.kind !== 'scalar') return false;
    const current = place.read() ?? readField({ fields: new Map() }, property.storedName, property);
    switch (current.type) {
      case 'object':
      case 'list':
      case 'dictionary':
      case 'set':
        return false;
      default:
        return sameValue(current, prepared.value);
    }
  }

  #update(place: Place, value: Payload): void {
    const address = place.address();
    this.#core
      .writing()
      .emit(
        place.kind === 'item'
          ? { op: 'Update', ...address, value, priorSize: place.size() }
          : { op: 'Update', ...address, value, isDefault: false },
      );
  }

  #setEmbedded(place: Place, element: ElementType, value: unknown, mode: UpdateMode): void {
    const address = place.address();
    if (value === null || value === undefined) {
      if (!element.nullable) throw new ValueError(`${nameOf(address)} cannot be null`);
      this.#update(place, { type: 'null' });
      return;
    }
    const values = plainValues(address, value);
    if (place.kind === 'item') {
      const priorSize = place.size();
      const transaction = this.#core.writing();
      transaction.emit({ op: 'ArrayErase', ...address, priorSize });
      transaction.emit({
        op: 'ArrayInsert',
        ...address,
        value: { type: 'object' },
        priorSize: priorSize - 1,
      });
    } else {
      if (place.kind === 'field' && place.read()?.type === 'object') this.#update(place, { type: 'null' });
      this.#update(place, { type: 'object' });
    }
    this.#fillEmbedded(place, element, values, mode);
  }

  #fillEmbedded(
    place: Place,
    element: ElementType,
    values: Readonly<Record<string, unknown>>,
    mode: UpdateMode,
  ): void {
    this.fill(new EmbeddedHolder(this.#core.schema(element.linkTarget ?? ''), place), values, true, mode);
  }

  #replaceList(place: Place, element: ElementType, value: unknown, mode: UpdateMode): void {
    const items = itemsOf(place.address(), value, 'list');
    if (itemsAt(place).length > 0) this.clear(place, 'list');
    for (const item of items) this.insert(place, itemsAt(place).length, element, item, mode);
  }

  #replaceDictionary(place: Place, element: ElementType, value: unknown, mode: UpdateMode): void {
    const entries = Object.entries(plainValues(place.address(), value));
    const current = place.read();
    if (current?.type === 'dictionary' && current.entries.size > 0) this.clear(place, 'dictionary');
    for (const [key, item] of entries) this.setPlace(entryPlace(place, key), element, item, mode);
  }

  #replaceSet(place: Place, element: ElementType, value: unknown, mode: UpdateMode): void {
    const items = itemsOf(place.address(), value, 'set');
    const current = place.read();
    if (current?.type === 'set' && current.items.size > 0) this.clear(place, 'set');
    for (const item of items) {
      const payload = this.scalar(place, element, item, mode);
      this.#core.writing().emit({ op: 'SetInsert', ...place.address(), value: payload });
    }
  }

  clear(place: Place, collection: CollectionKind): void {
    this.#core.writing().emit({ op: 'Clear', ...place.address(), collection });
  }

  /** Clients empty a collection inside a mixed value before they fill it, also a new one. */
  #fillCollection(place: Place, prepared: Exclude<Prepared, { kind: 'scalar' }>, mode: UpdateMode): void {
    this.clear(place, prepared.kind);
    if (prepared.kind === 'list') {
      for (const [index, item] of prepared.items.entries()) this.insert(place, index, ANYTHING, item, mode);
    } else {
      for (const [key, item] of prepared.entries) {
        this.setPlace(entryPlace(place, key), ANYTHING, item, mode);
      }
    }
  }

  #prepare(place: Pick<Place, 'address'>, element: ElementType, value: unknown, mode: UpdateMode): Prepared {
    if (
      typeof value === 'object' &&
      value !== null &&
      (element.type === 'link' || element.type === 'mixed')
    ) {
      const link = this.#accessors.link(value, element.linkTarget, mode);
      if (link !== undefined) return { kind: 'scalar', value: link };
      if (element.type === 'mixed') {
        if (value instanceof Set)
          throw new ValueError(`${nameOf(place.address())}: a mixed value cannot hold a set`);
        if (isIterable(value) && !ArrayBuffer.isView(value)) return { kind: 'list', items: [...value] };
        if (isPlain(value)) return { kind: 'dictionary', entries: Object.entries(value) };
      }
    }
    try {
      return { kind: 'scalar', value: fromJs(value, element) };
    } catch (error) {
      if (error instanceof ValueError) throw new ValueError(`${nameOf(place.address())}: ${error.message}`);
      throw error;
    }
  }
}

/** A plain object, or a dictionary of this API, which shows its entries the same way. */
export function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || DICTIONARY_MARK in value;
}

/** Marks the accessors of dictionaries. */
export const DICTIONARY_MARK: unique symbol = Symbol('dictionary');

function defaultOf({ default: value }: PropertySchema): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value;
}

function mayBeAbsent({ collection, nullable, type }: PropertySchema): boolean {
  return collection !== 'single' || nullable || type === 'mixed' || type === 'link';
}

function checkNames(schema: ObjectSchema, values: Readonly<Record<string, unknown>>): void {
  if (!isPlain(values)) return;
  for (const name of Object.keys(values)) {
    if (schema.properties.has(name) || schema.linkingObjects.has(name)) continue;
    throw new RealmUsageError(`class ${schema.name} has no property '${name}'`, {
      remedy: `its properties are ${[...schema.properties.keys()].join(', ')}`,
    });
  }
}

function plainValues(address: Address, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !isIterable(value)) {
    // The caller's accessor may change while it is copied from.
    return isPlain(value) ? { ...value } : (value as Readonly<Record<string, unknown>>);
  }
  throw new ValueError(`${nameOf(address)} takes an object`);
}

function itemsOf(address: Address, value: unknown, kind: string): readonly unknown[] {
  if (typeof value === 'object' && value !== null && isIterable(value)) return [...value];
  throw new ValueError(`${nameOf(address)} is a ${kind} and takes an array`);
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

function nameOf({ table, field, path }: Address): string {
  return `${table}.${[field, ...path].join('.')}`;
}
