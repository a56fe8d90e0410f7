/** One property of the Realm JS schema notation, short (`'int?[]'`) or long (`{ type: 'list', objectType: 'int' }`). */
import type { CollectionKind } from './definition.ts';
import { nearestName } from './nearest-name.ts';
import type { LinkingObjectsSchema, PropertySchema } from './object-schema.ts';
import { SchemaError } from './schema-error.ts';
import { VALUE_TYPES, type ValueType } from './value.ts';

/** Types that are written by their own name. */
export const SCALAR_TYPES: ReadonlySet<string> = new Set(VALUE_TYPES.filter((type) => type !== 'link'));
const COLLECTION_TYPES: ReadonlySet<string> = new Set(['list', 'set', 'dictionary']);
const COLLECTION_OF_SUFFIX: Readonly<Record<string, CollectionKind>> = {
  '[]': 'list',
  '<>': 'set',
  '{}': 'dictionary',
};
const SHORT_FORM = /^([^?[\]<>{}]+)(\?)?(?:(\[\]|<>|\{\})(\?)?)?$/;
const PROPERTY_KEYS = [
  'type',
  'objectType',
  'property',
  'optional',
  'default',
  'indexed',
  'mapTo',
  'presentation',
  'watch_table',
  'name',
];

type Place = { readonly className: string; readonly property: string };
type Shape = Pick<PropertySchema, 'type' | 'nullable' | 'collection' | 'linkTarget'>;

export type ParsedProperty =
  | { readonly kind: 'stored'; readonly property: PropertySchema }
  | { readonly kind: 'linkingObjects'; readonly property: LinkingObjectsSchema };

/** Throws `SchemaError` for what is no declaration; whether named classes exist is checked later. */
export function parseProperty(place: Place, declared: unknown): ParsedProperty {
  if (typeof declared === 'string') return stored(place, shapeOf(place, declared, {}), {});
  if (!isRecord(declared)) {
    throw new SchemaError(place, 'is neither a type nor an object', "write for example 'string?'");
  }
  checkKeys(place, declared);
  const { type } = declared;
  if (typeof type !== 'string') throw new SchemaError(place, 'has no type', "add for example type: 'string'");
  if (type === 'linkingObjects') return linkingObjects(place, declared);
  return stored(place, shapeOf(place, type, declared), declared);
}

function stored(place: Place, shape: Shape, declared: Record<string, unknown>): ParsedProperty {
  const { indexed, mapTo, presentation } = declared;
  if (indexed !== undefined && typeof indexed !== 'boolean' && indexed !== 'full-text') {
    throw new SchemaError(place, 'indexed is neither true nor false');
  }
  if (presentation !== undefined && (presentation !== 'counter' || !canCount(shape))) {
    throw new SchemaError(place, "the only presentation is 'counter', for a required int");
  }
  const property: PropertySchema = {
    name: place.property,
    storedName: optionalString(place, 'mapTo', mapTo) ?? place.property,
    ...shape,
    ...(declared.default === undefined ? {} : { default: declared.default }),
    indexed: indexed ?? false,
    counter: presentation === 'counter',
    watchTable: optionalBoolean(place, 'watch_table', declared.watch_table) ?? false,
  };
  return { kind: 'stored', property };
}

function linkingObjects(place: Place, declared: Record<string, unknown>): ParsedProperty {
  const { objectType, property } = declared;
  if (typeof objectType !== 'string' || typeof property !== 'string') {
    throw new SchemaError(
      place,
      'linkingObjects needs a class and its property',
      "write { type: 'linkingObjects', objectType: 'Class', property: 'link' }",
    );
  }
  return { kind: 'linkingObjects', property: { name: place.property, objectType, property } };
}

function shapeOf(place: Place, text: string, declared: Record<string, unknown>): Shape {
  const match = SHORT_FORM.exec(text);
  if (match === null) throw unknownType(place, text);
  const [, name = '', elementMark, suffix, collectionMark] = match;
  const isCollectionName = COLLECTION_TYPES.has(name);
  if (collectionMark !== undefined && suffix !== undefined) {
    throw new SchemaError(
      place,
      `'${text}': a collection is never null`,
      "put the ? before the brackets, as in 'int?[]'",
    );
  }
  const optional = optionalBoolean(place, 'optional', declared.optional) ?? elementMark !== undefined;
  const objectType = optionalString(place, 'objectType', declared.objectType);
  if (isCollectionName) {
    if (suffix !== undefined || elementMark !== undefined) {
      throw new SchemaError(
        place,
        `'${text}' nests or nulls a collection`,
        "use 'mixed' for nested collections",
      );
    }
    return collectionShape(place, name as CollectionKind, objectType, optional);
  }
  const elementName = name === 'object' ? (objectType ?? missingObjectType(place, text)) : name;
  if (objectType !== undefined && name !== 'object') {
    throw new SchemaError(place, `objectType has no meaning for type '${text}'`);
  }
  const collection = suffix === undefined ? 'single' : COLLECTION_OF_SUFFIX[suffix]!;
  return elementShape(place, elementName, collection, optional);
}

function collectionShape(
  place: Place,
  collection: CollectionKind,
  objectType: string | undefined,
  optional: boolean,
): Shape {
  const match = SHORT_FORM.exec(objectType ?? missingObjectType(place, collection));
  if (match === null || match[3] !== undefined) throw unknownType(place, objectType ?? '');
  return elementShape(place, match[1]!, collection, optional || match[2] !== undefined);
}

function elementShape(place: Place, name: string, collection: CollectionKind, optional: boolean): Shape {
  if (name === 'mixed') return { type: 'mixed', nullable: true, collection };
  if (SCALAR_TYPES.has(name)) return { type: name as ValueType, nullable: optional, collection };
  if (name === 'linkingObjects' || COLLECTION_TYPES.has(name)) throw unknownType(place, name);
  if (optional && (collection === 'list' || collection === 'set')) {
    throw new SchemaError(place, `a ${collection} of objects holds no nulls`, "leave out the '?'");
  }
  // Links and dictionary values that are links are always nullable, those in lists and sets never.
  const nullable = collection === 'single' || collection === 'dictionary';
  return { type: 'link', nullable, collection, linkTarget: name };
}

function canCount(shape: Shape): boolean {
  return shape.type === 'int' && shape.collection === 'single' && !shape.nullable;
}

function missingObjectType(place: Place, type: string): never {
  throw new SchemaError(place, `type '${type}' needs an objectType`, "add for example objectType: 'Person'");
}

function unknownType(place: Place, text: string): SchemaError {
  return new SchemaError(
    place,
    `'${text}' is no type`,
    "use int, bool, string, data, date, float, double, decimal128, objectId, uuid, mixed or a class, with '?', '[]', '<>' or '{}' after it",
  );
}

function checkKeys(place: Place, declared: Record<string, unknown>): void {
  for (const key of Object.keys(declared)) {
    if (PROPERTY_KEYS.includes(key)) continue;
    throw unknownKey(place, key, PROPERTY_KEYS);
  }
}

export function unknownKey(
  place: { readonly className: string; readonly property?: string },
  key: string,
  known: readonly string[],
): SchemaError {
  const nearest = nearestName(key, known);
  const remedy = nearest === undefined ? `known keys are ${known.join(', ')}` : `did you mean '${nearest}'?`;
  return new SchemaError(place, `unknown key '${key}'`, remedy);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalString(place: Place, key: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new SchemaError(place, `${key} is not a name`);
}

function optionalBoolean(place: Place, key: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new SchemaError(place, `${key} is neither true nor false`);
}
