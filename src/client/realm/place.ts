/**
 * Where a value lives: a field of an object, an element of a list, a value of a dictionary. A place knows the address
 * that instructions name and reads what is there now, so that accessors stay live.
 */
import type { Path } from '../../changeset/instruction.ts';
import type { ObjectSchema } from '../../schema/object-schema.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { RealmCore } from './realm-core.ts';

export type Address = {
  readonly table: string;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly path: Path;
};

/** An object, top-level or embedded. */
export interface Holder {
  readonly schema: ObjectSchema;
  /** `undefined` when the object is gone. */
  fields(): ReadonlyMap<string, StateValue> | undefined;
  address(field: string): Address;
}

export type FieldPlace = BasePlace & { readonly kind: 'field' };
export type ItemPlace = BasePlace & { readonly kind: 'item'; size(): number };
export type EntryPlace = BasePlace & { readonly kind: 'entry' };
export type Place = FieldPlace | ItemPlace | EntryPlace;

type BasePlace = {
  address(): Address;
  read(): StateValue | undefined;
};

export class TopLevelHolder implements Holder {
  readonly schema: ObjectSchema;
  readonly key: PrimaryKey;
  readonly #core: RealmCore;

  constructor(core: RealmCore, schema: ObjectSchema, key: PrimaryKey) {
    this.#core = core;
    this.schema = schema;
    this.key = key;
  }

  fields(): ReadonlyMap<string, StateValue> | undefined {
    return this.#core.state(this.schema.name, this.key)?.fields;
  }

  address(field: string): Address {
    return { table: this.schema.name, key: this.key, field, path: [] };
  }
}

export class EmbeddedHolder implements Holder {
  readonly schema: ObjectSchema;
  readonly place: Place;

  constructor(schema: ObjectSchema, place: Place) {
    this.schema = schema;
    this.place = place;
  }

  fields(): ReadonlyMap<string, StateValue> | undefined {
    const value = this.place.read();
    return value?.type === 'object' ? value.fields : undefined;
  }

  address(field: string): Address {
    return below(this.place.address(), field);
  }
}

export function fieldPlace(holder: Holder, storedName: string): FieldPlace {
  return {
    kind: 'field',
    address: () => holder.address(storedName),
    read: () => holder.fields()?.get(storedName),
  };
}

/** A list as places see it, by raw index: unresolved links count (merge-rules.md §9.1). */
export function itemsAt(place: Place): readonly StateValue[] {
  const value = place.read();
  return value?.type === 'list' ? value.items : [];
}

/**
 * An element of a list. Inside a write transaction it follows its element when others are inserted or erased before
 * it, as long as the element is a container and therefore has an identity.
 */
export function itemPlace(list: Place, index: number): ItemPlace {
  const seen = itemsAt(list)[index];
  let at = index;
  const locate = (): number => {
    const items = itemsAt(list);
    if (items[at] !== seen && seen !== undefined) {
      const moved = items.indexOf(seen);
      if (moved >= 0 && isContainer(seen)) at = moved;
    }
    return at;
  };
  return {
    kind: 'item',
    address: () => below(list.address(), locate()),
    read: () => itemsAt(list)[locate()],
    size: () => itemsAt(list).length,
  };
}

export function entryPlace(dictionary: Place, key: string): EntryPlace {
  return {
    kind: 'entry',
    address: () => below(dictionary.address(), key),
    read: () => {
      const value = dictionary.read();
      return value?.type === 'dictionary' ? value.entries.get(key) : undefined;
    },
  };
}

export function below(address: Address, step: number | string): Address {
  return { ...address, path: [...address.path, step] };
}

function isContainer(value: StateValue): boolean {
  return value.type === 'object' || value.type === 'list' || value.type === 'dictionary';
}
