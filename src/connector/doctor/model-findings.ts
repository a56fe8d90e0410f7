/**
 * Resolves models, naming functions and tables as a start does, but goes on after a mistake: every class and property
 * that has no place in the database is named, not the first one alone.
 */
import type { ClassDefinition } from '../../schema/definition.ts';
import { classDefinitions, generatedKeys } from '../../schema/definitions.ts';
import { parseSchema } from '../../schema/notation.ts';
import type { Catalog, SourceDialect } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import { type Finding, failed, fine, problem } from '../finding.ts';
import { buildMapping, type MappingContext, tableNames } from '../mapping/build-mapping.ts';
import { Mapping } from '../mapping/class-mapping.ts';
import { concealSecrets } from '../mapping/concealed.ts';
import { definitionsFromCatalog } from '../mapping/models-from-catalog.ts';
import { columnNameFor, tableNameFor } from '../mapping/names.ts';
import type { ConnectorOptions } from '../options.ts';

export type ModelsExamined = {
  readonly findings: readonly Finding[];
  /** The classes and properties that fit; undefined when not even the models can be read. */
  readonly mapping: Mapping | undefined;
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
};

/** Throws `SchemaError` when the models themselves are wrong. */
export function examineModels(
  options: ConnectorOptions,
  dialect: SourceDialect,
  catalog: Catalog,
  schema: string,
): ModelsExamined {
  const context: MappingContext = {
    definitions: definitionsOf(options, dialect, catalog, schema),
    catalog,
    schema,
    options: options.mapping,
    dialect,
    generatedKeys: generatedKeys(parseSchema(options.models)),
  };
  const names = nameFindings(context);
  const fitting = new FittingParts(context, options.createTables);
  const mapping = fitting.map();
  const findings = [
    ...names,
    ...fitting.findings.filter((found) => !names.some((name) => name.message === found.message)),
  ];
  const classes = mapping?.order.length ?? 0;
  const all = [...context.definitions.values()].filter(({ kind }) => kind !== 'embedded').length;
  return {
    findings:
      findings.length > 0
        ? findings
        : [fine('models/mapping', `all ${all} classes and their properties have a place in the tables`)],
    // What is said of a value must not show one that is to be kept secret.
    mapping:
      mapping === undefined || classes === 0
        ? undefined
        : concealSecrets(mapping, options.secretProperties, dialect, {
            redirected: options.tableOfRealm !== undefined,
          }),
    definitions: context.definitions,
  };
}

function definitionsOf(
  options: ConnectorOptions,
  dialect: SourceDialect,
  catalog: Catalog,
  schema: string,
): ReadonlyMap<string, ClassDefinition> {
  if (options.models.length > 0) return classDefinitions(parseSchema(options.models));
  return definitionsFromCatalog({ catalog, schema, options: options.mapping, dialect });
}

/** Every pair of naming functions that are not inverse to each other, and every one that throws. */
function nameFindings(context: MappingContext): Finding[] {
  const findings: Finding[] = [];
  const tables = tableNames(context);
  const look = (what: string, name: () => string): string | undefined => {
    try {
      return name();
    } catch (error) {
      findings.push(
        error instanceof MappingError
          ? failed('models/names', error)
          : problem(
              'models/names',
              `a naming function throws for ${what}: ${String(error)}`,
              'let it return a name for every class, property, table and column',
            ),
      );
      return undefined;
    }
  };
  for (const { name, kind, columns } of context.definitions.values()) {
    if (kind === 'embedded') continue;
    const table = look(`class ${name}`, () => tableNameFor(name, tables, context.options));
    if (table === undefined) continue;
    const info = context.catalog.get(`${context.schema}.${table}`);
    const existing = info?.columns.map((column) => column.name) ?? [];
    for (const property of columns.keys()) {
      if (context.options.ignores(name, property)) continue;
      look(`${name}.${property}`, () => columnNameFor(name, property, table, existing, context.options));
    }
  }
  return findings;
}

/** Finds the classes and properties that can be mapped by trying them one by one, only where all at once fails. */
class FittingParts {
  readonly findings: Finding[] = [];
  readonly #context: MappingContext;
  readonly #createsTables: boolean;
  readonly #badClasses = new Set<string>();
  readonly #badProperties = new Set<string>();

  constructor(context: MappingContext, createsTables: boolean) {
    this.#context = context;
    this.#createsTables = createsTables;
  }

  map(): Mapping | undefined {
    const whole = this.#attempt(() => true);
    if (whole instanceof Mapping) return whole;
    for (const name of this.#classes()) this.#tryClass(name);
    for (const name of this.#classes()) this.#tryProperties(name);
    const rest = this.#attempt(() => true);
    if (rest instanceof Mapping) return rest;
    this.#tell(rest); // what concerns several classes together
    return undefined;
  }

  #classes(): string[] {
    return [...this.#context.definitions.values()]
      .filter(({ name, kind }) => kind !== 'embedded' && !this.#badClasses.has(name))
      .map(({ name }) => name);
  }

  /** Table and key of a class, without its properties. */
  #tryClass(className: string): void {
    const result = this.#attempt(() => false, [className]);
    if (result instanceof Mapping) return;
    this.#badClasses.add(className);
    this.#tell(result);
  }

  #tryProperties(className: string): void {
    if (this.#attempt((owner) => owner === className) instanceof Mapping) return;
    for (const property of this.#context.definitions.get(className)?.columns.keys() ?? []) {
      if (this.#context.options.ignores(className, property)) continue;
      const result = this.#attempt((owner, name) => owner === className && name === property);
      if (result instanceof Mapping) continue;
      this.#badProperties.add(`${className}.${property}`);
      this.#tell(result);
    }
  }

  /** Maps the wanted properties of the classes that are not known to be bad. */
  #attempt(
    wants: (className: string, property: string) => boolean,
    classes: readonly string[] = this.#classes(),
  ): Mapping | Error {
    const { definitions, options } = this.#context;
    const chosen = new Set(classes);
    const kept = new Map(
      [...definitions].filter(([name, { kind }]) => kind === 'embedded' || chosen.has(name)),
    );
    const isBad = (className: string, property: string): boolean => {
      if (this.#badProperties.has(`${className}.${property}`)) return true;
      const target = definitions.get(className)?.columns.get(property)?.linkTarget;
      return target !== undefined && !kept.has(target);
    };
    const ignores = (className: string, property: string): boolean => {
      if (options.ignores(className, property)) return true;
      if (definitions.get(className)?.kind === 'embedded') return false;
      return !wants(className, property) || isBad(className, property);
    };
    try {
      return buildMapping({ ...this.#context, definitions: kept, options: { ...options, ignores } });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #tell(error: Error): void {
    // What the start is going to make is listed with its statements, and no mistake.
    if (
      this.#createsTables &&
      error instanceof MappingError &&
      error.remedy?.includes(this.#context.options.optionNames.createTables)
    )
      return;
    this.findings.push(
      error instanceof MappingError
        ? failed('models/mapping', error)
        : problem('models/mapping', error.message),
    );
  }
}
