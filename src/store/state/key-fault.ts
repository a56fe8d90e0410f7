import type { ClassDefinition } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';

/** Why a class cannot have an object with that key (spec/merge-rules.md §9.2), or `undefined` when it can. */
export function keyFault(definition: ClassDefinition, key: PrimaryKey): string | undefined {
  const { primaryKey } = definition;
  if (primaryKey === undefined) return `objects of the embedded class ${definition.name} have no key`;
  if (key.type === primaryKey.type || (key.type === 'null' && primaryKey.nullable)) return undefined;
  return `class ${definition.name} has keys of type ${primaryKey.type}, not ${key.type}`;
}
