/** Parses the schema notation of Realm JS, with the connector's extra keys, and checks the classes against each other. */
import { nearestName } from './nearest-name.ts';
import type { LinkingObjectsSchema, ObjectSchema, PropertySchema } from './object-schema.ts';
import { isRecord, parseProperty, SCALAR_TYPES, unknownKey } from './property-notation.ts';
import { SchemaError } from './schema-error.ts';

/** Longest names that a client's storage takes, in bytes of UTF-8 (changeset-format.md §6). */
export const MAX_CLASS_NAME_BYTES = 57;
export const MAX_FIELD_NAME_BYTES = 63;

/** The property that holds the key which the database makes; both spellings mean the same with every database. */
const GENERATED_KEYS = ['sqlserverPrimaryKey', 'postgresPrimaryKey'] as const;
const CLASS_KEYS = ['name', 'primaryKey', 'properties', 'embedded', 'asymmetric', ...GENERATED_KEYS];
const KEY_TYPES: ReadonlySet<string> = new Set(['int', 'string', 'objectId', 'uuid']);

/**
 * Parses models: objects in the notation, or classes with a static `schema`. Throws `SchemaError` naming class,
 * property and remedy for the first mistake.
 */
export function parseSchema(models: readonly unknown[]): ObjectSchema[] {
  const schemas = models.map(parseModel);
  const byName = new Map<string, ObjectSchema>();
  for (const schema of schemas) {
    if (byName.has(schema.name)) {
      throw new SchemaError(
        { className: schema.name },
        'is declared twice',
        'rename or remove one of the two',
      );
    }
    byName.set(schema.name, schema);
  }
  for (const schema of schemas) checkReferences(schema, byName);
  return schemas;
}

function parseModel(model: unknown): ObjectSchema {
  const declared = typeof model === 'function' && 'schema' in model ? model.schema : model;
  if (!isRecord(declared))
    throw new SchemaError({}, 'a model is neither an object nor a class with a static schema');
  const { name } = declared;
  if (typeof name !== 'string' || name === '') throw new SchemaError({}, 'a model has no name');
  const place = { className: name };
  if (Buffer.byteLength(name) > MAX_CLASS_NAME_BYTES) {
    throw new SchemaError(
      place,
      `the name is longer than ${MAX_CLASS_NAME_BYTES} bytes`,
      'choose a shorter one',
    );
  }
  for (const key of Object.keys(declared)) {
    if (!CLASS_KEYS.includes(key)) throw unknownKey(place, key, CLASS_KEYS);
  }
  const { properties, linkingObjects } = parseProperties(name, declared.properties);
  const kind = kindOf(name, declared);
  const primaryKey = keyProperty(place, 'primaryKey', declared.primaryKey, properties);
  const generatedKey = generatedKeyProperty(place, declared, properties);
  checkKey(place, kind, primaryKey);
  return {
    name,
    kind,
    ...(primaryKey === undefined ? {} : { primaryKey: primaryKey.name }),
    properties,
    linkingObjects,
    ...(generatedKey === undefined ? {} : { sqlserverPrimaryKey: generatedKey.name }),
  };
}

function parseProperties(
  className: string,
  declared: unknown,
): { properties: Map<string, PropertySchema>; linkingObjects: Map<string, LinkingObjectsSchema> } {
  if (!isRecord(declared))
    throw new SchemaError({ className }, 'has no properties', 'add a properties object');
  const properties = new Map<string, PropertySchema>();
  const linkingObjects = new Map<string, LinkingObjectsSchema>();
  const storedNames = new Set<string>();
  for (const [name, notation] of Object.entries(declared)) {
    const place = { className, property: name };
    const parsed = parseProperty(place, notation);
    if (parsed.kind === 'linkingObjects') {
      linkingObjects.set(name, parsed.property);
      continue;
    }
    const { storedName } = parsed.property;
    if (Buffer.byteLength(storedName) > MAX_FIELD_NAME_BYTES) {
      throw new SchemaError(
        place,
        `the name is longer than ${MAX_FIELD_NAME_BYTES} bytes`,
        'shorten it with mapTo',
      );
    }
    if (storedNames.has(storedName)) {
      throw new SchemaError(place, `the name ${storedName} is taken by another property`, 'change mapTo');
    }
    storedNames.add(storedName);
    properties.set(name, parsed.property);
  }
  return { properties, linkingObjects };
}

function kindOf(className: string, { embedded, asymmetric }: Record<string, unknown>): ObjectSchema['kind'] {
  for (const [key, value] of Object.entries({ embedded, asymmetric })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new SchemaError({ className }, `${key} is neither true nor false`);
    }
  }
  if (embedded === true && asymmetric === true) {
    throw new SchemaError({ className }, 'is both embedded and asymmetric', 'remove one of the two');
  }
  return embedded === true ? 'embedded' : asymmetric === true ? 'asymmetric' : 'topLevel';
}

function keyProperty(
  place: { readonly className: string },
  key: string,
  declared: unknown,
  properties: ReadonlyMap<string, PropertySchema>,
): PropertySchema | undefined {
  if (declared === undefined) return undefined;
  const property = typeof declared === 'string' ? properties.get(declared) : undefined;
  if (property !== undefined) return property;
  const nearest = typeof declared === 'string' ? nearestName(declared, properties.keys()) : undefined;
  throw new SchemaError(
    place,
    `${key} names ${JSON.stringify(declared)}, which is no property`,
    nearest === undefined ? 'declare the property' : `did you mean '${nearest}'?`,
  );
}

function generatedKeyProperty(
  place: { readonly className: string },
  declared: Record<string, unknown>,
  properties: ReadonlyMap<string, PropertySchema>,
): PropertySchema | undefined {
  const found = GENERATED_KEYS.flatMap((key) => keyProperty(place, key, declared[key], properties) ?? []);
  const [first, second] = found;
  if (second === undefined || first === second) return first;
  throw new SchemaError(
    place,
    `${GENERATED_KEYS.join(' and ')} name different properties`,
    'keep one of the two; both mean the same',
  );
}

function checkKey(
  place: { readonly className: string },
  kind: ObjectSchema['kind'],
  key: PropertySchema | undefined,
): void {
  if (key === undefined) {
    if (kind === 'asymmetric') throw new SchemaError(place, 'is asymmetric and has no primaryKey', 'add one');
    return;
  }
  if (kind === 'embedded') {
    throw new SchemaError(place, 'is embedded and has a primary key', 'remove primaryKey or embedded');
  }
  if (key.collection !== 'single' || !KEY_TYPES.has(key.type)) {
    throw new SchemaError(
      { ...place, property: key.name },
      `a primary key cannot be of type ${key.type}${key.collection === 'single' ? '' : ` ${key.collection}`}`,
      'use int, string, objectId or uuid',
    );
  }
}

function checkReferences(schema: ObjectSchema, byName: ReadonlyMap<string, ObjectSchema>): void {
  for (const property of schema.properties.values()) {
    if (property.linkTarget === undefined) continue;
    const place = { className: schema.name, property: property.name };
    const target = classNamed(place, property.linkTarget, byName);
    if (target.kind === 'asymmetric') {
      throw new SchemaError(
        place,
        `links to ${target.name}, which is asymmetric`,
        'asymmetric objects cannot be linked to',
      );
    }
    if (target.kind === 'embedded' && property.collection === 'set') {
      throw new SchemaError(place, `is a set of embedded ${target.name}`, 'use a list or a dictionary');
    }
  }
  for (const inverse of schema.linkingObjects.values()) {
    const place = { className: schema.name, property: inverse.name };
    const origin = classNamed(place, inverse.objectType, byName);
    const link = origin.properties.get(inverse.property);
    if (link?.linkTarget === schema.name) continue;
    throw new SchemaError(
      place,
      `${inverse.objectType}.${inverse.property} is no link to ${schema.name}`,
      'name a property of that class that links here',
    );
  }
}

function classNamed(
  place: { readonly className: string; readonly property: string },
  name: string,
  byName: ReadonlyMap<string, ObjectSchema>,
): ObjectSchema {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, [...byName.keys(), ...SCALAR_TYPES]);
  throw new SchemaError(
    place,
    `'${name}' is neither a type nor a class of this schema`,
    nearest === undefined ? 'add the class to the schema or correct the name' : `did you mean '${nearest}'?`,
  );
}
