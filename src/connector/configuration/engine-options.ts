/** What the options that all connectors have mean for the engine. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { createLogger, type LoggerLike, type LogLevel, toLogger } from '../../logging/logger.ts';
import type {
  CompoundKeyPart,
  ConnectorOptions,
  MappingOptions,
  ModelNotation,
  RealmPathOfRow,
  RowProperties,
  SyncUser,
} from '../options.ts';
import { realmPathFromText } from '../realm-path.ts';
import { isTextList } from './option-parts.ts';
import { pathOfRegex } from './option-rules.ts';

/** As validated, with their defaults. Options that connectors call by names of their own are {@link OwnOptions}. */
export type CommonOptions = {
  readonly realmConfig: { readonly server: string; readonly appId: string; readonly user: SyncUser };
  readonly schema?: readonly ModelNotation[] | undefined;
  readonly compoundPrimaryKeys: Readonly<Record<string, readonly CompoundKeyPart[]>>;
  readonly collectionTables: readonly string[];
  readonly realmRegex: RegExp;
  readonly realmIgnoreProperties: readonly string[] | Readonly<Record<string, readonly string[]>>;
  readonly ignoreSQLerrors: boolean | Readonly<Record<string, boolean>>;
  readonly secretProperties: readonly string[];
  readonly adapterName?: string | undefined;
  readonly localPath?: string | undefined;
  readonly schemaCheckInterval: number;
  readonly loaderSQLBatchSize: number;
  readonly loadOnline: boolean;
  readonly loaderUploadMaxWaitTime: number;
  readonly logLevel: LogLevel;
  readonly logger?: LoggerLike | undefined;
  readonly printCommandsToConsole: boolean;
};

export type OwnOptions = Pick<
  ConnectorOptions,
  | 'tableOfRealm'
  | 'createDatabase'
  | 'createTables'
  | 'initializeRealm'
  | 'applyRealmSchemaChanges'
  | 'resetFeed'
> &
  Pick<ConnectorOptions, 'feedCheckMilliseconds'> & {
    readonly database: string;
    readonly realmPath: string | RealmPathOfRow | undefined;
    readonly mapping: Omit<MappingOptions, 'ignores' | 'hasItemTable' | 'compoundPrimaryKeys'>;
  };

/** Relative directories are taken from `directory`. */
export function engineOptions(common: CommonOptions, own: OwnOptions, directory: string): ConnectorOptions {
  const { database, realmPath, mapping, ...rest } = own;
  const adapterName = common.adapterName ?? defaultAdapterName(database, common.realmRegex);
  const { logger, logLevel } = common;
  return {
    ...rest,
    adapterName,
    localPath: resolve(directory, common.localPath ?? join('isthmus-data', adapterName)),
    serverUrl: common.realmConfig.server,
    appId: common.realmConfig.appId,
    user: common.realmConfig.user,
    models: common.schema ?? [],
    mapping: {
      ...mapping,
      ignores: ignoredBy(common.realmIgnoreProperties),
      hasItemTable: (className, property) => common.collectionTables.includes(`${className}.${property}`),
      compoundPrimaryKeys: new Map(Object.entries(common.compoundPrimaryKeys)),
    },
    realmRegex: common.realmRegex,
    ...realmPathOptions(realmPath, common.realmRegex),
    ignoreSqlErrors:
      typeof common.ignoreSQLerrors === 'boolean'
        ? common.ignoreSQLerrors
        : new Map(Object.entries(common.ignoreSQLerrors)),
    secretProperties: new Set(common.secretProperties),
    load: {
      batchRows: common.loaderSQLBatchSize,
      online: common.loadOnline,
      uploadMaxWaitMilliseconds: common.loaderUploadMaxWaitTime * 1000,
    },
    logger: logger === undefined ? createLogger({ level: logLevel }) : toLogger(logger),
    printCommands: common.printCommandsToConsole,
    schemaCheckMilliseconds: common.schemaCheckInterval * 1000,
  };
}

function realmPathOptions(
  mapped: string | RealmPathOfRow | undefined,
  realmRegex: RegExp,
): Pick<ConnectorOptions, 'realmPathOfRow' | 'fixedRealmPath'> {
  if (typeof mapped === 'function') return { realmPathOfRow: mapped, fixedRealmPath: undefined };
  const path = mapped === undefined ? pathOfRegex(realmRegex) : realmPathFromText(mapped);
  if (path === undefined) throw new Error('validation let a realm path through that is none');
  return { realmPathOfRow: (_table: string, _row: RowProperties) => path, fixedRealmPath: path };
}

/**
 * Stable from one start to the next, because the change feed carries it, and different for two adapters that watch
 * different realms through one database.
 */
function defaultAdapterName(database: string, realmRegex: RegExp): string {
  const name = database
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 24);
  const realms = createHash('sha256').update(realmRegex.source).digest('hex').slice(0, 6);
  return `isthmus_${name}_${realms}`;
}

function ignoredBy(
  ignored: readonly string[] | Readonly<Record<string, readonly string[]>>,
): (className: string, propertyName: string) => boolean {
  const names = new Set(
    isTextList(ignored)
      ? ignored
      : Object.entries(ignored).flatMap(([className, properties]) =>
          properties.map((property) => `${className}.${property}`),
        ),
  );
  return (className, propertyName) => names.has(propertyName) || names.has(`${className}.${propertyName}`);
}
