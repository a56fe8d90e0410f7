/** What a connector engine is given when the tests stand in for configuration and sync client. */

import { offlineSync } from '../../src/connector/offline-sync.ts';
import type { ConnectorOptions, MappingOptions } from '../../src/connector/options.ts';
import { silentLogger } from '../../src/log.ts';

/** Classes and tables, properties and columns have the same names, and values pass as they are. */
export const sameNames: MappingOptions = {
  optionNames: {
    realmPathOfRow: 'mapChangeToRealmPath',
    tableOfRealm: 'mapRealmChangeToTable',
    classOfTable: 'mapTableName',
    tableOfClass: 'mapRealmClassName',
    propertyOfColumn: 'mapColumnName',
    columnOfProperty: 'mapRealmPropertyName',
    valueToRealm: 'convertValueToRealm',
    valueToSql: 'convertRealmValue',
    createDatabase: 'createDatabase',
    createTables: 'createTables',
    initializeRealm: 'initializeRealm',
    applyRealmSchemaChanges: 'applyRealmSchemaChanges',
  },
  classOfTable: undefined,
  tableOfClass: undefined,
  propertyOfColumn: undefined,
  columnOfProperty: undefined,
  valueToRealm: undefined,
  valueToSql: undefined,
  ignores: () => false,
  hasItemTable: () => false,
  compoundPrimaryKeys: new Map(),
};

/** One realm for every row; a data error stops the engine. */
export function engineOptions(
  path: string,
  given: Pick<ConnectorOptions, 'adapterName' | 'models' | 'createTables'>,
): ConnectorOptions {
  return {
    localPath: '',
    serverUrl: '',
    appId: '',
    user: { kind: 'password', username: '', password: '' },
    mapping: sameNames,
    realmRegex: new RegExp(`^${path}$`),
    realmPathOfRow: () => path,
    fixedRealmPath: path,
    tableOfRealm: undefined,
    createDatabase: false,
    initializeRealm: false,
    applyRealmSchemaChanges: false,
    resetFeed: false,
    ignoreSqlErrors: false,
    secretProperties: new Set(),
    load: { batchRows: 1000, online: false, uploadMaxWaitMilliseconds: 0 },
    logger: silentLogger,
    printCommands: false,
    ...given,
  };
}

/** The test carries changes between replicas and server by hand. */
export const noSync = offlineSync();
