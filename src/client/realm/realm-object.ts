/** Live objects: one accessor class for each class of the schema, with a property for each declared one. */
import type { ObjectSchema, PropertySchema } from '../../schema/object-schema.ts';
import { keyToken } from '../../schema/value.ts';
import { keyToJs } from '../../schema/value-conversion.ts';
import { Counter } from './counter.ts';
import { RealmDictionary } from './dictionary.ts';
import { RealmList } from './list.ts';
import { fieldPlace, type Holder, TopLevelHolder } from './place.ts';
import type { RealmAccess } from './realm-access.ts';
import { RealmUsageError } from './realm-error.ts';
import type { RealmResults } from './results.ts';
import { RealmSet } from './set.ts';

export class RealmObject {
  readonly #access: RealmAccess;
  readonly #holder: Holder;

  constructor(access: RealmAccess, holder: Holder) {
    this.#access = access;
    this.#holder = holder;
  }

  /** Where the object is, when `value` is an accessor of the realm behind `access`. */
  static holderOf(value: object, access: RealmAccess): Holder | undefined {
    return #holder in value && value.#access === access ? value.#holder : undefined;
  }

  /** False once the object was deleted. */
  isValid(): boolean {
    return this.#holder.fields() !== undefined;
  }

  objectSchema(): ObjectSchema {
    return this.#holder.schema;
  }

  /** Names of the stored properties. */
  keys(): string[] {
    return [...this.#holder.schema.properties.keys()];
  }

  entries(): [string, unknown][] {
    return this.keys().map((name) => [name, Reflect.get(this, name)]);
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries(this.entries());
  }

  /** Tells whether two accessors stand for the same object. */
  equals(other: unknown): boolean {
    if (!(other instanceof RealmObject) || other.#access !== this.#access) return false;
    return identity(this.#holder) === identity(other.#holder);
  }
}

/** The accessor class of a schema's class. `linkingObjects` answers for inverse properties. */
export function accessorClass(
  access: RealmAccess,
  schema: ObjectSchema,
  linkingObjects: (holder: Holder, objectType: string, property: string) => RealmResults,
): new (
  holder: Holder,
) => RealmObject {
  const ofClass = {
    [schema.name]: class extends RealmObject {
      constructor(holder: Holder) {
        super(access, holder);
      }
    },
  }[schema.name]!;
  for (const property of schema.properties.values()) {
    Object.defineProperty(ofClass.prototype, property.name, {
      enumerable: true,
      configurable: true,
      get(this: RealmObject): unknown {
        return readProperty(access, holderOf(this, access), property);
      },
      set(this: RealmObject, value: unknown): void {
        writeProperty(access, holderOf(this, access), property, value);
      },
    });
  }
  for (const inverse of schema.linkingObjects.values()) {
    Object.defineProperty(ofClass.prototype, inverse.name, {
      enumerable: true,
      configurable: true,
      get(this: RealmObject): RealmResults {
        return linkingObjects(holderOf(this, access), inverse.objectType, inverse.property);
      },
    });
  }
  return ofClass;
}

function holderOf(object: RealmObject, access: RealmAccess): Holder {
  const holder = RealmObject.holderOf(object, access);
  if (holder === undefined) throw new RealmUsageError('this object belongs to another realm');
  return holder;
}

function readProperty(access: RealmAccess, holder: Holder, property: PropertySchema): unknown {
  if (property.name === holder.schema.primaryKey && holder instanceof TopLevelHolder) {
    return keyToJs(holder.key);
  }
  const place = fieldPlace(holder, property.storedName);
  switch (property.collection) {
    case 'list':
      return RealmList.create(access, place, property);
    case 'dictionary':
      return RealmDictionary.create(access, place, property);
    case 'set':
      return new RealmSet(access, place, property);
    case 'single':
      if (holder.fields() === undefined) throw deleted(holder);
      return property.counter ? new Counter(access.core, place) : access.read(place, property);
  }
}

function writeProperty(access: RealmAccess, holder: Holder, property: PropertySchema, value: unknown): void {
  access.core.writing();
  if (holder.fields() === undefined) throw deleted(holder);
  if (property.name === holder.schema.primaryKey) {
    throw new RealmUsageError(`primary key ${holder.schema.name}.${property.name} cannot be changed`, {
      remedy: 'create a new object and delete this one',
    });
  }
  access.assigner.setProperty(holder, property, value);
}

function deleted(holder: Holder): RealmUsageError {
  return new RealmUsageError(`this object of class ${holder.schema.name} was deleted`, {
    remedy: 'ask isValid() before using an object that others may delete',
  });
}

function identity(holder: Holder): string {
  const { table, key, field, path } = holder.address('');
  return JSON.stringify([table, keyToken(key), field, path]);
}
