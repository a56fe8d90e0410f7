/** From declared classes to the definitions that a realm stores and sends. */
import type { ClassDefinition, ColumnDefinition, PrimaryKeyDefinition, RealmSchema } from './definition.ts';
import type { ObjectSchema, PropertySchema } from './object-schema.ts';
import type { PrimaryKeyType } from './value.ts';

/** Classes in the order in which clients create them: by name, as bytes. Columns stay in order of declaration. */
export function classDefinitions(schemas: readonly ObjectSchema[]): RealmSchema {
  const sorted = schemas.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return new Map(sorted.map((schema) => [schema.name, classDefinition(schema)]));
}

/** By class, the stored name of the property that holds the key which the database generates for rows. */
export function generatedKeys(schemas: readonly ObjectSchema[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const { name, primaryKey, sqlserverPrimaryKey, properties } of schemas) {
    const property = sqlserverPrimaryKey === undefined ? undefined : properties.get(sqlserverPrimaryKey);
    if (property !== undefined && property.name !== primaryKey) keys.set(name, property.storedName);
  }
  return keys;
}

/** What a program says of a list beyond its type. */
export type ListTraits = {
  /** The connector follows the table of the list from the database's side, too (`watch_table`). */
  readonly watched: boolean;
  /** The property of the target by which it shows the lists that it is in (`linkingObjects`). */
  readonly inverse: string | undefined;
};

/** Of the lists of links that are watched or have an inverse, by `Class.property` in stored names. */
export function listTraits(schemas: readonly ObjectSchema[]): ReadonlyMap<string, ListTraits> {
  const traits = new Map<string, ListTraits>();
  for (const { name: className, properties } of schemas) {
    for (const { name, storedName, collection, linkTarget, watchTable: watched } of properties.values()) {
      if (collection !== 'list' || linkTarget === undefined) continue;
      const target = schemas.find((schema) => schema.name === linkTarget);
      const inverse = [...(target?.linkingObjects.values() ?? [])].find(
        ({ objectType, property }) => objectType === className && property === name,
      )?.name;
      if (watched || inverse !== undefined) traits.set(`${className}.${storedName}`, { watched, inverse });
    }
  }
  return traits;
}

function classDefinition(schema: ObjectSchema): ClassDefinition {
  const columns = new Map<string, ColumnDefinition>();
  for (const property of schema.properties.values()) {
    if (property.name !== schema.primaryKey) columns.set(property.storedName, columnDefinition(property));
  }
  const { name, kind } = schema;
  return kind === 'embedded'
    ? { name, kind, columns }
    : { name, kind, primaryKey: primaryKeyDefinition(schema), columns };
}

export function columnDefinition(property: PropertySchema): ColumnDefinition {
  const { type, nullable, collection, linkTarget } = property;
  return linkTarget === undefined
    ? { type, nullable, collection }
    : { type, nullable, collection, linkTarget };
}

function primaryKeyDefinition(schema: ObjectSchema): PrimaryKeyDefinition {
  const property = schema.primaryKey === undefined ? undefined : schema.properties.get(schema.primaryKey);
  if (property === undefined) return { field: '', type: 'globalKey', nullable: false };
  return { field: property.storedName, type: property.type as PrimaryKeyType, nullable: property.nullable };
}
