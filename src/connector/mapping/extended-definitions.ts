/** Classes and properties that realm transactions add to the models. */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';

/** The definitions with what ADD_TYPE and ADD_PROPERTIES bring; `undefined` when that is nothing new. */
export function extendedDefinitions(
  definitions: ReadonlyMap<string, ClassDefinition>,
  instructions: readonly MergedInstruction[],
): ReadonlyMap<string, ClassDefinition> | undefined {
  const extended = new Map(definitions);
  let changed = false;
  const add = (
    name: string,
    columns: ReadonlyMap<string, ColumnDefinition>,
    otherwise?: ClassDefinition,
  ): void => {
    const known = extended.get(name);
    if (known === undefined) {
      if (otherwise === undefined) return;
      extended.set(name, otherwise);
      changed = true;
      return;
    }
    const fresh = [...columns].filter(([property]) => !known.columns.has(property));
    if (fresh.length === 0) return;
    extended.set(name, { ...known, columns: new Map([...known.columns, ...fresh]) });
    changed = true;
  };
  for (const instruction of instructions) {
    if (instruction.type === 'ADD_TYPE')
      add(instruction.definition.name, instruction.definition.columns, instruction.definition);
    if (instruction.type === 'ADD_PROPERTIES') add(instruction.table, instruction.columns);
  }
  return changed ? extended : undefined;
}
