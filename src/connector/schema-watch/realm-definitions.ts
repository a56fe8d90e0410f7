/** Classes and properties beyond the models that the realms have and tables were mapped to: devices or tables brought them. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { RememberedClass } from './remembered-classes.ts';

/** Realms of one kind have the same classes; so many are asked until all are found. */
const MAX_REALMS = 100;

/** The definitions that the realms have of remembered classes, with the properties that had a place in a table. */
export function definitionsOfRealms(
  store: ReplicaStore,
  realmRegex: RegExp,
  remembered: ReadonlyMap<string, RememberedClass>,
): Map<string, ClassDefinition> {
  const found = new Map<string, ClassDefinition>();
  if (remembered.size === 0) return found;
  const paths = store.paths().filter((path) => realmRegex.test(path));
  for (const path of paths.slice(0, MAX_REALMS)) {
    for (const [name, definition] of store.replica(path).schema) {
      const before = remembered.get(name);
      if (definition.kind === 'embedded') found.set(name, definition);
      else if (before !== undefined) found.set(name, withColumnsOf(definition, before, found.get(name)));
    }
    if ([...remembered.keys()].every((name) => found.has(name))) break;
  }
  return found;
}

function withColumnsOf(
  definition: ClassDefinition,
  { columns, left }: RememberedClass,
  more: ClassDefinition | undefined,
): ClassDefinition {
  const known = [...definition.columns].filter(
    ([property]) => columns[property] !== undefined || left[property] !== undefined,
  );
  return { ...definition, columns: new Map([...(more?.columns ?? []), ...known]) };
}

/** `wanted` and what `known` has more; where both have a class or property, it stays as it is known. */
export function withKnown(
  wanted: ReadonlyMap<string, ClassDefinition>,
  known: ReadonlyMap<string, ClassDefinition>,
): Map<string, ClassDefinition> {
  const merged = new Map(wanted);
  for (const [name, definition] of known) {
    const columns = new Map<string, ColumnDefinition>(definition.columns);
    const key = definition.primaryKey?.field;
    for (const [property, column] of wanted.get(name)?.columns ?? [])
      if (!columns.has(property) && property !== key) columns.set(property, column);
    merged.set(name, { ...definition, columns });
  }
  return merged;
}
