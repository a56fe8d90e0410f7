/** What the options of a connector are called where it stands in messages; each database has names of its own. */
export type OptionNames = {
  /** From a row to the path of its realm: `mapPostgresChangeToRealmPath`. */
  readonly realmPathOfRow: string;
  /** From a realm to another table: `mapRealmChangeToPostgresTable`. */
  readonly tableOfRealm: string;
  readonly classOfTable: string;
  readonly tableOfClass: string;
  readonly propertyOfColumn: string;
  readonly columnOfProperty: string;
  readonly valueToRealm: string;
  readonly valueToSql: string;
  readonly createDatabase: string;
  readonly createTables: string;
  readonly initializeRealm: string;
  readonly applyRealmSchemaChanges: string;
};
