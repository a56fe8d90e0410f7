/** What the options of the PostgreSQL connector are called (the reference's names). */
import type { OptionNames } from '../../src/connector/option-names.ts';

export const OPTION_NAMES: OptionNames = {
  realmPathOfRow: 'mapPostgresChangeToRealmPath',
  tableOfRealm: 'mapRealmChangeToPostgresTable',
  classOfTable: 'mapPostgresTableName',
  tableOfClass: 'mapRealmClassName',
  propertyOfColumn: 'mapPostgresColumnName',
  columnOfProperty: 'mapRealmPropertyName',
  valueToRealm: 'convertPostgresValueToRealm',
  valueToSql: 'convertRealmValueToPostgres',
  createDatabase: 'createPostgresDB',
  createTables: 'createPostgresSchema',
  initializeRealm: 'initializeRealmFromPostgres',
  applyRealmSchemaChanges: 'applyRealmSchemaChangesToPostgres',
};
