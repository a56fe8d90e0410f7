/**
 * What the engine needs to know to keep one database and the realms of one server in sync, free of any database's
 * names. The public option names of each connector are validated and turned into this by `connectors/<database>/
 * options.ts`.
 */
import type { Logger } from '../log.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { NameLimit } from './mapping/name-limit.ts';
import type { OptionNames } from './option-names.ts';

/** A user who is logged in already, as the Realm SDKs and our own client show one. */
export type LoggedInUser = {
  readonly id: string;
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
};

/** Who opens the realms; must be allowed to read and write all of them, as administrators are. */
export type SyncUser =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'loggedIn'; readonly user: LoggedInUser };

/** A model in the Realm JS notation, still to be parsed by `src/schema/notation.ts`. */
export type ModelNotation = {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
};

/** One part of a key that spans several columns; its texts, joined by `-`, make the object's string key. */
export type CompoundKeyPart = {
  /** The property of the class that holds this part, a link or a value. */
  readonly property: string;
  readonly dbColumn: string;
  readonly type: 'int' | 'string' | 'uuid' | 'objectId';
};

/** A row as functions in the configuration see it: column name to value. */
export type RowProperties = Readonly<Record<string, unknown>>;

/**
 * The realm that a row belongs to; `undefined` or `null` keeps the row out of every realm. `props` holds the row's
 * columns under their database names.
 */
export type RealmPathOfRow = (tableName: string, props: RowProperties) => string | null | undefined;

/** Where changes of one realm go instead of the table of their class; further columns with fixed values. */
export type TableOfRealm = (realmPath: string) => {
  readonly tableName?: string | undefined;
  readonly extraProperties?: RowProperties | undefined;
};

/** Names and values on their way between the two sides. Functions that are absent leave things as they are. */
export type MappingOptions = {
  /** What messages call these and the connector's other options. */
  readonly optionNames: OptionNames;
  /** How long names may be; unlimited when absent. */
  readonly nameLimit?: NameLimit;
  readonly classOfTable: ((tableName: string) => string) | undefined;
  readonly tableOfClass: ((className: string) => string) | undefined;
  readonly propertyOfColumn: ((tableName: string, columnName: string) => string) | undefined;
  readonly columnOfProperty: ((className: string, propertyName: string) => string) | undefined;
  readonly valueToRealm: ((tableName: string, columnName: string, value: unknown) => unknown) | undefined;
  readonly valueToSql: ((className: string, propertyName: string, value: unknown) => unknown) | undefined;
  /**
   * The table of a collection, from the names of its class's table and of the column that it would have; ends in the
   * latter. `<table>_<column>` unless given.
   */
  readonly itemTableName?: (tableName: string, columnName: string) => string;
  /** Properties that are never written to the database. */
  readonly ignores: (className: string, propertyName: string) => boolean;
  /** Collections that get a table of their own instead of a column when the database is made from the models. */
  readonly hasItemTable: (className: string, propertyName: string) => boolean;
  /** Key parts by class name. */
  readonly compoundPrimaryKeys: ReadonlyMap<string, readonly CompoundKeyPart[]>;
};

export type ConnectorOptions = {
  /** Names the change feed and the checkpoint rows; two adapters on a database need two names. */
  readonly adapterName: string;
  /** Directory of the replicas; holds everything that the connector must not lose. */
  readonly localPath: string;
  /** Base URL of the object server, `http` or `https`, without a slash at the end. */
  readonly serverUrl: string;
  /** App id that the server answers to. */
  readonly appId: string;
  readonly user: SyncUser;
  readonly models: readonly ModelNotation[];
  readonly mapping: MappingOptions;

  /** Realms to watch, tested against the path (`/name`, `/<user id>/name`). */
  readonly realmRegex: RegExp;
  readonly realmPathOfRow: RealmPathOfRow;
  /** Set when every row belongs to this one realm, so that nothing must be asked per row. */
  readonly fixedRealmPath: string | undefined;
  readonly tableOfRealm: TableOfRealm | undefined;

  readonly createDatabase: boolean;
  /** Makes the tables and columns of the models at the start. */
  readonly createTables: boolean;
  /** Makes the models from the tables when no models are given. */
  readonly initializeRealm: boolean;
  readonly applyRealmSchemaChanges: boolean;
  readonly resetFeed: boolean;
  /** Data errors go to the dead-letter table and the connector goes on; otherwise it stops there. */
  readonly ignoreSqlErrors: ErrorPolicy;
  /** `Class.property`: values that are shown neither in logs nor in errors nor in dead letters. */
  readonly secretProperties: ReadonlySet<string>;

  readonly load: {
    readonly batchRows: number;
    /** Upload to the server while loading; otherwise the adapter uploads when it starts. */
    readonly online: boolean;
    readonly uploadMaxWaitMilliseconds: number;
  };

  /** How often the tables are looked at for changes. */
  readonly schemaCheckMilliseconds?: number;

  readonly logger: Logger;
  /** Log SQL statements at level verbose. */
  readonly printCommands: boolean;
  /** How often the feed's lag is looked at; 0 never, absent for the default. */
  readonly feedCheckMilliseconds?: number;
};
