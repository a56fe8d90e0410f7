/** What the options of the SQL Server connector are called (the reference's names). */
import type { OptionNames } from '../../src/connector/option-names.ts';

export const OPTION_NAMES: OptionNames = {
  realmPathOfRow: 'mapSQLServerChangeToRealmPath',
  tableOfRealm: 'mapRealmChangeToSQLServerTable',
  classOfTable: 'mapSQLServerTableName',
  tableOfClass: 'mapRealmClassName',
  propertyOfColumn: 'mapSQLServerColumnName',
  columnOfProperty: 'mapRealmPropertyName',
  valueToRealm: 'convertSQLServerValueToRealm',
  valueToSql: 'convertRealmValueToSQLServer',
  createDatabase: 'createSQLServerDB',
  createTables: 'createSQLServerSchema',
  initializeRealm: 'initializeRealmFromSQLServer',
  applyRealmSchemaChanges: 'applyRealmSchemaChangesToSQLServer',
};
