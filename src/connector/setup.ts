/** What adapter and loader do alike before either starts: database ready, models resolved, mapping built. */
import type { ClassDefinition } from '../schema/definition.ts';
import { classDefinitions, generatedKeys } from '../schema/definitions.ts';
import { parseSchema } from '../schema/notation.ts';
import type { Catalog, SourceDialect, TableInfo } from './dialect.ts';
import { MappingError } from './errors.ts';
import type { KeyDirectory } from './keys/key-directory.ts';
import { buildMapping } from './mapping/build-mapping.ts';
import type { Mapping } from './mapping/class-mapping.ts';
import { concealSecrets } from './mapping/concealed.ts';
import { definitionsFromCatalog } from './mapping/models-from-catalog.ts';
import { wantedTables } from './mapping/wanted-tables.ts';
import type { ConnectorOptions } from './options.ts';

export type ConnectorSetup = {
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
  readonly catalog: Catalog;
  readonly mapping: Mapping;
  /** The tables that the change feed watches: those of the classes, not those of lists. */
  readonly tables: readonly TableInfo[];
};

/** Throws before anything is changed when models, options and database do not fit together. */
export async function setUpConnector(
  options: ConnectorOptions,
  dialect: SourceDialect,
  schema: string,
  directory?: KeyDirectory,
): Promise<ConnectorSetup> {
  await dialect.prepare({ createDatabase: options.createDatabase });
  const found = await dialect.catalog();
  const definitions = definitionsOf(options, dialect, found, schema);
  const catalog = options.createTables
    ? await createMissing(options, dialect, found, definitions, schema)
    : found;
  return mapped(options, dialect, catalog, definitions, schema, directory);
}

/** The setup after the realm's classes grew: their new tables and columns are made and mapped. */
export async function extendSetup(
  options: ConnectorOptions,
  dialect: SourceDialect,
  schema: string,
  definitions: ReadonlyMap<string, ClassDefinition>,
  directory?: KeyDirectory,
): Promise<ConnectorSetup> {
  const catalog = await createMissing(options, dialect, await dialect.catalog(), definitions, schema);
  return mapped(options, dialect, catalog, definitions, schema, directory);
}

function mapped(
  options: ConnectorOptions,
  dialect: SourceDialect,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
  schema: string,
  directory: KeyDirectory | undefined,
): ConnectorSetup {
  const built = buildMapping({
    definitions,
    catalog,
    schema,
    options: options.mapping,
    dialect,
    generatedKeys: generatedKeysOf(options),
    ...(directory === undefined ? {} : { directory }),
  });
  const mapping = concealSecrets(built, options.secretProperties, dialect, {
    redirected: options.tableOfRealm !== undefined,
  });
  tellUnmapped(options, mapping);
  return { definitions, catalog, mapping, tables: mapping.order.map(({ table }) => table) };
}

function definitionsOf(
  options: ConnectorOptions,
  dialect: SourceDialect,
  catalog: Catalog,
  schema: string,
): ReadonlyMap<string, ClassDefinition> {
  if (options.models.length > 0) return classDefinitions(parseSchema(options.models));
  if (options.initializeRealm) {
    return definitionsFromCatalog({ catalog, schema, options: options.mapping, dialect });
  }
  throw new MappingError('no models are given', {
    remedy:
      'list the classes to be synced under schema, or set initializeRealmFromPostgres to make them from the tables',
  });
}

function generatedKeysOf({ models }: ConnectorOptions): ReadonlyMap<string, string> {
  return generatedKeys(parseSchema(models));
}

async function createMissing(
  options: ConnectorOptions,
  dialect: SourceDialect,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
  schema: string,
): Promise<Catalog> {
  const wanted = wantedTables({
    definitions,
    catalog,
    schema,
    options: options.mapping,
    dialect,
    generatedKeys: generatedKeysOf(options),
  });
  const statements = await dialect.createMissing(wanted);
  for (const statement of statements) options.logger.info('Extended the database', { statement });
  return statements.length === 0 ? catalog : await dialect.catalog();
}

/** Properties that stay in the realm because no column can hold them yet; said once, so that nobody waits for them. */
function tellUnmapped(options: ConnectorOptions, mapping: Mapping): void {
  for (const { className, definition, properties, states, lists, itemTables } of mapping.order) {
    const unmapped = [...definition.columns.keys()].filter(
      (name) =>
        ![properties, states, lists, itemTables].some((places) => places.has(name)) &&
        !options.mapping.ignores(className, name),
    );
    if (unmapped.length === 0) continue;
    options.logger.warn(
      'Properties without a column stay in the realm: collections, embedded objects and mixed',
      {
        class: className,
        properties: unmapped,
      },
    );
  }
}
