/** The schema that a realm has, in the notation in which programs declare one. */
import type { ClassDefinition, ColumnDefinition, RealmSchema } from './definition.ts';

export type ClassNotation = {
  readonly name: string;
  readonly primaryKey?: string;
  readonly embedded?: true;
  readonly asymmetric?: true;
  readonly properties: Readonly<Record<string, PropertyNotation>>;
};
export type PropertyNotation = {
  readonly type: string;
  readonly objectType?: string;
  readonly optional: boolean;
};

/** `parseSchema` reads it back to the same definitions. Links without a class, which no program declares, stay out. */
export function toNotation(schema: RealmSchema): ClassNotation[] {
  return [...schema.values()].map(classNotation);
}

function classNotation({ name, kind, primaryKey, columns }: ClassDefinition): ClassNotation {
  const properties: [string, PropertyNotation][] = [];
  const key = primaryKey === undefined || primaryKey.type === 'globalKey' ? undefined : primaryKey;
  if (key !== undefined) properties.push([key.field, { type: key.type, optional: key.nullable }]);
  for (const [field, column] of columns) {
    if (column.linkTarget !== '') properties.push([field, propertyNotation(column)]);
  }
  return {
    name,
    ...(key === undefined ? {} : { primaryKey: key.field }),
    ...(kind === 'embedded' ? { embedded: true } : {}),
    ...(kind === 'asymmetric' ? { asymmetric: true } : {}),
    properties: Object.fromEntries(properties),
  };
}

function propertyNotation({ type, nullable, collection, linkTarget }: ColumnDefinition): PropertyNotation {
  // Lists and sets of objects hold no nulls, whatever the column says.
  const optional = type === 'link' && (collection === 'list' || collection === 'set') ? false : nullable;
  if (collection !== 'single') return { type: collection, objectType: linkTarget ?? type, optional };
  return linkTarget === undefined ? { type, optional } : { type: 'object', objectType: linkTarget, optional };
}
