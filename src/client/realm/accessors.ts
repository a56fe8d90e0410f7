/** Makes the live accessors of one realm and recognises them when they come back as values. */
import type { QueryArgument } from '../../query/contract.ts';
import type { ObjectSchema } from '../../schema/object-schema.ts';
import { NULL, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import { keyFromJs, scalarFromJs, toJs } from '../../schema/value-conversion.ts';
import { ValueError } from '../../schema/value-error.ts';
import { defaultScalar } from '../../store/state/default-value.ts';
import { Assigner, isPlain, type Accessors as LinkResolver, type UpdateMode } from './assign.ts';
import { RealmCollection } from './collection.ts';
import { RealmDictionary } from './dictionary.ts';
import { ANYTHING, type ElementType } from './element-type.ts';
import { LinkFinder } from './link-places.ts';
import { RealmList } from './list.ts';
import { EmbeddedHolder, type Holder, type Place, TopLevelHolder } from './place.ts';
import type { RealmAccess } from './realm-access.ts';
import type { RealmCore } from './realm-core.ts';
import { RealmUsageError } from './realm-error.ts';
import { accessorClass, RealmObject } from './realm-object.ts';
import { RealmResults, type ResultsAccess } from './results.ts';

export class Accessors implements RealmAccess, LinkResolver, ResultsAccess {
  readonly core: RealmCore;
  readonly assigner: Assigner;
  readonly #classes = new Map<string, new (holder: Holder) => RealmObject>();

  constructor(core: RealmCore) {
    this.core = core;
    this.assigner = new Assigner(core, this);
  }

  object(schema: ObjectSchema, key: PrimaryKey): RealmObject {
    return this.#accessor(new TopLevelHolder(this.core, schema, key));
  }

  objects(className: string): RealmResults {
    const schema = this.core.schema(className);
    return RealmResults.create({
      access: this,
      className,
      accessor: (key) => this.object(schema, key),
    });
  }

  /** Where an object of this realm is; `undefined` for any other value. */
  holderOf(value: unknown): Holder | undefined {
    return typeof value === 'object' && value !== null ? RealmObject.holderOf(value, this) : undefined;
  }

  /** A value of JavaScript in a query; numbers without a fraction are integers there. */
  queryArgument(value: unknown): QueryArgument {
    if (Array.isArray(value) || value instanceof Set || value instanceof RealmCollection)
      return [...value].map((element) => this.#scalarArgument(element));
    return this.#scalarArgument(value);
  }

  #scalarArgument(value: unknown): ScalarValue {
    if (value === null || value === undefined) return NULL;
    if (Number.isSafeInteger(value)) return scalarFromJs(value, 'int');
    const holder = this.holderOf(value);
    if (holder instanceof TopLevelHolder) return { type: 'link', table: holder.schema.name, key: holder.key };
    return scalarFromJs(value, 'mixed');
  }

  read(place: Place, element: ElementType): unknown {
    const value = place.read() ?? defaultScalar({ ...element, collection: 'single' });
    switch (value.type) {
      case 'object':
        return this.#accessor(new EmbeddedHolder(this.core.schema(element.linkTarget ?? ''), place));
      case 'list':
        return RealmList.create(this, place, ANYTHING);
      case 'dictionary':
        return RealmDictionary.create(this, place, ANYTHING);
      case 'set':
        return undefined;
      default:
        return this.convert(value);
    }
  }

  convert(value: ScalarValue): unknown {
    switch (value.type) {
      case 'link': {
        const schema = this.core.schemas.get(value.table);
        if (schema === undefined || this.core.state(value.table, value.key) === undefined) return null;
        return this.object(schema, value.key);
      }
      case 'data':
        // As in the Realm SDK; a copy, so that changing it does not change the realm behind its back.
        return Uint8Array.from(value.value).buffer;
      default:
        return toJs(value);
    }
  }

  link(value: object, target: string | undefined, mode: UpdateMode): ScalarValue | undefined {
    const holder = RealmObject.holderOf(value, this);
    if (holder instanceof TopLevelHolder) {
      if (!(holder.fields() !== undefined)) throw new ValueError('a deleted object cannot be linked to');
      if (target !== undefined && target !== holder.schema.name) {
        throw new ValueError(`an object of class ${holder.schema.name} is no ${target}`);
      }
      return { type: 'link', table: holder.schema.name, key: holder.key };
    }
    if (holder !== undefined) throw new ValueError(`an embedded ${holder.schema.name} cannot be linked to`);
    if (value instanceof RealmObject) throw new ValueError('an object of another realm cannot be linked to');
    // A plain object in the place of a link is an object to be created; in a mixed place it is a dictionary.
    if (target === undefined || !isPlain(value) || '_bsontype' in value) return undefined;
    const key = this.create(this.core.schema(target), value, mode);
    return { type: 'link', table: target, key };
  }

  /** Creates or updates a top-level object and returns its key. */
  create(schema: ObjectSchema, values: Readonly<Record<string, unknown>>, mode: UpdateMode): PrimaryKey {
    const transaction = this.core.writing();
    const { name: table } = schema;
    if (schema.kind === 'embedded') {
      throw new RealmUsageError(`class ${table} is embedded and has no objects of its own`, {
        remedy: 'assign a plain object to a property of that class',
      });
    }
    const key = this.#keyOf(schema, values);
    const exists = transaction.object(table, key) !== undefined;
    if (exists && mode === 'never') {
      throw new RealmUsageError(
        `class ${table} has an object with primary key '${String(toJs(keyValue(key)))}' already`,
        {
          remedy: "pass 'modified' or 'all' to update it",
        },
      );
    }
    if (!exists) transaction.create(table, key);
    this.assigner.fill(new TopLevelHolder(this.core, schema, key), values, !exists, mode);
    return key;
  }

  #keyOf(schema: ObjectSchema, values: Readonly<Record<string, unknown>>): PrimaryKey {
    const definition = this.core.reader.schema.get(schema.name)?.primaryKey;
    const property = schema.properties.get(schema.primaryKey ?? '');
    if (definition === undefined || property === undefined) {
      throw new RealmUsageError(`class ${schema.name} has no primary key`, {
        remedy: 'synced classes need one; add it to the schema',
      });
    }
    let value = values[property.name];
    if (value === undefined)
      value = typeof property.default === 'function' ? property.default() : property.default;
    try {
      return keyFromJs(value, definition);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ValueError(`primary key ${schema.name}.${property.name}: ${error.message}`);
    }
  }

  #accessor(holder: Holder): RealmObject {
    const { schema } = holder;
    let ofClass = this.#classes.get(schema.name);
    if (ofClass === undefined) {
      ofClass = accessorClass(this, schema, (to, objectType, property) =>
        this.#linkingObjects(to, objectType, property),
      );
      this.#classes.set(schema.name, ofClass);
    }
    return new ofClass(holder);
  }

  #linkingObjects(to: Holder, objectType: string, property: string): RealmResults {
    const origin = this.core.schema(objectType);
    const field = origin.properties.get(property)?.storedName;
    const finder = new LinkFinder(this.core.reader.schema);
    return RealmResults.create({
      access: this,
      className: objectType,
      accessor: (key) => this.object(origin, key),
      condition: (state) => {
        if (!(to instanceof TopLevelHolder)) return false;
        const target = { table: to.schema.name, key: to.key };
        return finder.places(objectType, state, target).some((place) => place.field === field);
      },
    });
  }
}

function keyValue(key: PrimaryKey): ScalarValue {
  return key.type === 'globalKey' ? { type: 'string', value: `${key.hi}-${key.lo}` } : key;
}
