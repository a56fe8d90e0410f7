/**
 * The naming functions of the options, made total: each direction may be given alone, both, or not at all, and what
 * is given in both directions must be inverse (a pair that is not would lose changes silently).
 */
import { forClass, MappingError } from '../errors.ts';
import type { MappingOptions } from '../options.ts';
import { storedName } from './name-limit.ts';

export type NameFunctions = Pick<
  MappingOptions,
  'classOfTable' | 'tableOfClass' | 'propertyOfColumn' | 'columnOfProperty' | 'nameLimit' | 'optionNames'
>;

/** The table of a class: by `tableOfClass`, else by inverting `classOfTable` over the existing tables, else the same name. */
export function tableNameFor(className: string, existing: readonly string[], names: NameFunctions): string {
  const wanted =
    names.tableOfClass?.(className) ?? inverted(className, existing, names.classOfTable) ?? className;
  const table = closest(storedName(wanted, names.nameLimit), existing);
  const back = names.classOfTable?.(table);
  if (back !== undefined && names.tableOfClass !== undefined && back !== className) {
    const { tableOfClass, classOfTable } = names.optionNames;
    throw new MappingError(
      `${tableOfClass}('${className}') is '${table}', but ${classOfTable}('${table}') is '${back}'`,
      { remedy: 'make the two functions inverse to each other for every class of the schema' },
    );
  }
  return table;
}

/** The column of a property; same rules as {@link tableNameFor}. */
export function columnNameFor(
  className: string,
  property: string,
  table: string,
  existing: readonly string[],
  names: NameFunctions,
): string {
  const toProperty = names.propertyOfColumn;
  const invert = toProperty === undefined ? undefined : (column: string) => toProperty(table, column);
  const wanted =
    names.columnOfProperty?.(className, property) ?? inverted(property, existing, invert) ?? property;
  const column = closest(storedName(wanted, names.nameLimit), existing);
  const back = invert?.(column);
  if (back !== undefined && names.columnOfProperty !== undefined && back !== property) {
    const { columnOfProperty, propertyOfColumn } = names.optionNames;
    throw new MappingError(
      `${columnOfProperty}('${className}', '${property}') is '${column}', but ${propertyOfColumn}('${table}', '${column}') is '${back}'`,
      { remedy: 'make the two functions inverse to each other for every property of the schema' },
    );
  }
  return column;
}

function inverted(
  name: string,
  existing: readonly string[],
  forward: ((name: string) => string) | undefined,
): string | undefined {
  return forward === undefined ? undefined : existing.find((candidate) => forward(candidate) === name);
}

/** The existing name equal to `wanted`, or the only one that differs in case alone; else `wanted` itself. */
export function closest(wanted: string, existing: readonly string[]): string {
  if (existing.includes(wanted)) return wanted;
  const folded = existing.filter((candidate) => candidate.toLowerCase() === wanted.toLowerCase());
  return folded.length === 1 && folded[0] !== undefined ? folded[0] : wanted;
}

/** Throws `MappingError` when a class of `owners` (by table) has the table already; enters it otherwise. */
export function requireOwnTable(table: string, className: string, owners: Map<string, string>): void {
  const other = owners.get(table);
  owners.set(table, className);
  if (other === undefined) return;
  forClass(className, () => {
    throw new MappingError(`the classes ${other} and ${className} have the same table ${table}`, {
      remedy: 'give each class a table of its own, or leave one of them out of the models',
    });
  });
}
