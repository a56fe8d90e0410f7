/** What adapter and loader do alike before either starts: database ready, models resolved, mapping built. */
import type { ClassDefinition } from '../schema/definition.ts';
import { classDefinitions, generatedKeys, type ListTraits, listTraits } from '../schema/definitions.ts';
import { parseSchema } from '../schema/notation.ts';
import type { ReplicaStore } from '../store/replica/contract.ts';
import { type Catalog, type SourceDialect, type TableInfo, tableId, type WantedTable } from './dialect.ts';
import { MappingError } from './errors.ts';
import type { KeyDirectory } from './keys/key-directory.ts';
import { buildMapping } from './mapping/build-mapping.ts';
import type { Mapping } from './mapping/class-mapping.ts';
import { concealSecrets } from './mapping/concealed.ts';
import { watchedTables } from './mapping/followed-lists.ts';
import { definitionsFromCatalog } from './mapping/models-from-catalog.ts';
import { wantedListTables, wantedTables } from './mapping/wanted-tables.ts';
import { mendingOf } from './mending.ts';
import type { ConnectorOptions, MappingOptions } from './options.ts';
import { fitClasses, type Misfit } from './schema-watch/fitting.ts';
import { definitionsOfRealms, withKnown } from './schema-watch/realm-definitions.ts';
import { type RememberedClass, rememberedClasses } from './schema-watch/remembered-classes.ts';
import { stillWanted } from './schema-watch/still-wanted.ts';

export type ConnectorSetup = {
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
  readonly catalog: Catalog;
  /** Of the classes that run. */
  readonly mapping: Mapping;
  /** The tables that the change feed watches: those of the classes, and of lists only those that are watched. */
  readonly tables: readonly TableInfo[];
  /** Classes whose table was changed so that it does not fit any more. */
  readonly stopped: ReadonlyMap<string, Misfit>;
  /** Properties that stay in the realm because their column was dropped, with its name, by class. */
  readonly left: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

/** Throws before anything is changed when models, options and database do not fit together. */
export async function setUpConnector(
  options: ConnectorOptions,
  dialect: SourceDialect,
  schema: string,
  directory?: KeyDirectory,
  /** Knows what the tables were like before: without it every class must fit. */
  store?: ReplicaStore,
): Promise<ConnectorSetup> {
  await dialect.prepare({ createDatabase: options.createDatabase });
  const found = await dialect.catalog();
  const place: Place = { options, dialect, schema, directory, remembered: memory(store) };
  const definitions = definitionsOf(place, found, store);
  const catalog = options.createTables
    ? await createMissing(place, found, definitions)
    : await createListTables(place, found, definitions);
  const setup = await mapped(place, catalog, definitions);
  tellUnmapped(options, setup);
  tellUnguarded(options, setup, dialect);
  return setup;
}

/** The setup after the realm's classes grew: their new tables and columns are made and mapped. */
export async function extendSetup(
  options: ConnectorOptions,
  dialect: SourceDialect,
  schema: string,
  definitions: ReadonlyMap<string, ClassDefinition>,
  directory?: KeyDirectory,
  store?: ReplicaStore,
): Promise<ConnectorSetup> {
  const place: Place = { options, dialect, schema, directory, remembered: memory(store) };
  const setup = await mapped(
    place,
    await createMissing(place, await dialect.catalog(), definitions),
    definitions,
  );
  tellUnmapped(options, setup, definitions);
  return setup;
}

/** The setup after the tables were changed. Makes nothing: what somebody has dropped is not to be there again. */
export async function refreshSetup(
  before: ConnectorSetup,
  options: ConnectorOptions,
  dialect: SourceDialect,
  schema: string,
  directory: KeyDirectory | undefined,
  store: ReplicaStore,
): Promise<ConnectorSetup> {
  const place: Place = { options, dialect, schema, directory, remembered: memory(store) };
  const catalog = await dialect.catalog();
  const made = isMadeFromTables(options);
  const definitions = made
    ? withKnown(naturalDefinitions(place, catalog), before.definitions)
    : before.definitions;
  return mapped(place, catalog, definitions);
}

type Place = {
  readonly options: ConnectorOptions;
  readonly dialect: SourceDialect;
  readonly schema: string;
  readonly directory: KeyDirectory | undefined;
  readonly remembered: ReadonlyMap<string, RememberedClass>;
};

function memory(store: ReplicaStore | undefined): ReadonlyMap<string, RememberedClass> {
  return store === undefined ? new Map() : rememberedClasses(store);
}

async function mapped(
  { options, dialect, schema, directory, remembered }: Place,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
): Promise<ConnectorSetup> {
  const build = (from: Catalog, names: MappingOptions): Mapping =>
    concealSecrets(
      buildMapping({
        definitions,
        catalog: from,
        schema,
        options: names,
        dialect,
        generatedKeys: generatedKeysOf(options),
        listTraits: listTraitsOf(options),
        ...(directory === undefined ? {} : { directory }),
      }),
      options.secretProperties,
      dialect,
      { redirected: options.tableOfRealm !== undefined },
    );
  const fitting = await fitClasses({ options, dialect, definitions, catalog, remembered, build });
  const { order, followedLists } = fitting.mapping;
  const tables = [...order.map(({ table }) => table), ...watchedTables(followedLists)];
  return { definitions, catalog, ...fitting, tables };
}

function isMadeFromTables({ models, initializeRealm }: ConnectorOptions): boolean {
  return models.length === 0 && initializeRealm;
}

function definitionsOf(
  place: Place,
  catalog: Catalog,
  store: ReplicaStore | undefined,
): ReadonlyMap<string, ClassDefinition> {
  const { options, remembered } = place;
  const known =
    store === undefined
      ? new Map<string, ClassDefinition>()
      : definitionsOfRealms(store, options.realmRegex, remembered);
  if (isMadeFromTables(options)) return withKnown(naturalDefinitions(place, catalog), known);
  if (options.models.length > 0) {
    const models = classDefinitions(parseSchema(options.models));
    return options.applyRealmSchemaChanges ? withKnown(known, models) : models;
  }
  throw new MappingError('no models are given', {
    remedy: `list the classes to be synced under schema, or set ${options.mapping.optionNames.initializeRealm} to make them from the tables`,
  });
}

function naturalDefinitions(
  { options, dialect, schema }: Place,
  catalog: Catalog,
): Map<string, ClassDefinition> {
  return definitionsFromCatalog({ catalog, schema, options: options.mapping, dialect });
}

function generatedKeysOf({ models }: ConnectorOptions): ReadonlyMap<string, string> {
  return generatedKeys(parseSchema(models));
}

function listTraitsOf({ models }: ConnectorOptions): ReadonlyMap<string, ListTraits> {
  return listTraits(parseSchema(models));
}

async function createMissing(
  place: Place,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
): Promise<Catalog> {
  const wanted = wantedTables(wishes(place, catalog, definitions));
  const made = await create(place, stillWanted(wanted, catalog, place.remembered), catalog);
  return createListTables(place, made, definitions);
}

/** The tables of watched lists are the connector's own, as its checkpoints are. */
async function createListTables(
  place: Place,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
): Promise<Catalog> {
  return create(place, wantedListTables(wishes(place, catalog, definitions)), catalog);
}

function wishes(
  { options, dialect, schema }: Place,
  catalog: Catalog,
  definitions: ReadonlyMap<string, ClassDefinition>,
) {
  return {
    definitions,
    catalog,
    schema,
    options: options.mapping,
    dialect,
    generatedKeys: generatedKeysOf(options),
    listTraits: listTraitsOf(options),
  };
}

async function create(
  { options, dialect }: Place,
  wanted: readonly WantedTable[],
  catalog: Catalog,
): Promise<Catalog> {
  if (wanted.length === 0) return catalog;
  const statements = await dialect.createMissing(wanted);
  for (const statement of statements) options.logger.info('Extended the database', { statement });
  return statements.length === 0 ? catalog : await dialect.catalog();
}

/** Properties that stay in the realm because neither column nor table is there for them; said once, so that nobody waits for them. */
function tellUnmapped(
  options: ConnectorOptions,
  { mapping, left }: ConnectorSetup,
  only?: ReadonlyMap<string, ClassDefinition>,
): void {
  for (const { className, definition, properties, states, lists, itemTables, followed } of mapping.order) {
    if (only !== undefined && !only.has(className)) continue;
    const unmapped = [...definition.columns.keys()].filter(
      (name) =>
        ![properties, states, lists, itemTables, followed].some((places) => places?.has(name)) &&
        !options.mapping.ignores(className, name) &&
        left.get(className)?.has(name) !== true,
    );
    if (unmapped.length === 0) continue;
    options.logger.warn('Properties without a place in the database stay in the realm', {
      class: className,
      properties: unmapped,
    });
  }
}

/** Tables in which somebody could give two rows the same object. */
function tellUnguarded(
  { logger }: ConnectorOptions,
  { mapping }: ConnectorSetup,
  dialect: SourceDialect,
): void {
  for (const { className, table, key } of mapping.order) {
    const [column] = key.columns;
    if (key.row?.unguarded !== true || column === undefined) continue;
    logger.warn(
      'Nothing keeps two rows from having the same key, and finding a row by it reads the whole table',
      {
        class: className,
        table: tableId(table.table),
        column,
        remedy: mendingOf(dialect).addUniqueIndex(table.table, column),
      },
    );
  }
}
