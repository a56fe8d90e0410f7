/**
 * A complete configuration of Isthmus. Copy it to `config.ts`, change what is yours, and run
 *
 *     npx isthmus load      # once: bring the tables into the realm
 *     npx isthmus start     # object server and adapter in one process (or `server` and `adapter` apart)
 *
 * Everything that is commented out shows its default. A wrong or unknown option stops the start and is reported with
 * its place. Secrets can stay out of the file: see the environment variables in docs/configuration.md.
 */
import { chinookModels } from './models/chinook.ts';
import {
  compoundPrimaryKeys,
  mapPostgresColumnName,
  mapPostgresTableName,
  mapRealmClassName,
  mapRealmPropertyName,
} from './models/chinook-mapping.ts';

export default {
  // ---- The object server: used by `isthmus server` and `isthmus start` --------------------------------------------
  server: {
    // Where realms, users and signing keys are kept.
    dataDirectory: './isthmus-data/server',

    // host: '127.0.0.1',           // '0.0.0.0' to be reached from other machines
    port: 9090,
    // appId: 'isthmus',            // the app id that SDK clients give
    // clientMaxOfflineDays: 30,    // devices away for longer are reset when they come back
    // publicUrl: 'https://sync.example.com',   // when clients come through a proxy that speaks TLS

    // The administrator, made at the first start. Without a password one is made up and shown once.
    adminUser: 'realm-admin',
    adminPassword: process.env.ISTHMUS_ADMIN_PASSWORD ?? 'change-me',

    // Who may do what (docs/permissions.md). By default users have the realms below their own id, what was granted to
    // them, and nothing of the flexible realm; administrators have everything.
    // rules: {
    //   classes: {
    //     Customer: { roles: [{ name: 'agent', read: true, write: 'SupportRepId == %%user.custom_data.employee' }] },
    //     '*': { roles: [{ name: 'everybody', read: true }] },
    //   },
    //   paths: [{ path: '/chinook', users: "%%user.custom_data.role == 'clerk'", access: 'write' }],
    // },
    // A function that decides about paths alone, in place of rules.paths and of granted rights; not about the flexible realm.
    // permissions: (user, path) => (path.startsWith(`/${user.id}/`) ? 'write' : 'none'),
    // Every logged-in user may read, write and extend the schema of every realm. For development only.
    // development: false,

    // Who may log in, and how (docs/authentication.md). By default anonymous users, and whoever registers.
    // authentication: {
    //   anonymous: false,
    //   emailPassword: { reset: { mail: transport, resetUrl: 'https://app.example.com/reset' } },
    //   apiKey: true,
    //   customToken: { algorithm: 'RS256', jwksUrl: 'https://id.example.com/keys', audience: 'app' },
    // },
    // trustProxy: true,            // one proxy in front says where clients come from

    // Flexible sync: clients see one realm, by default `/`, through their subscriptions and rules.classes. Or false.
    // flexibleSync: { realm: '/chinook', indexes: { Track: ['AlbumId'] } },
    // Partition-based sync can be switched off.
    // partitionSync: false,

    // limits: { connections: 10_000 },
    // logLevel: 'info',            // error, warn, info, verbose, debug
  },

  // ---- The connector: used by `isthmus load`, `isthmus adapter` and `isthmus start` -------------------------------
  connector: {
    // The object server, and a user who may open every realm: credentials, or a user who is logged in already.
    realmConfig: {
      server: 'http://127.0.0.1:9090',
      // appId: 'isthmus',
      user: { username: 'realm-admin', password: process.env.ISTHMUS_ADMIN_PASSWORD ?? 'change-me' },
    },

    // The database. wal_level must be logical; the user needs REPLICATION and ownership of the tables.
    dbName: 'chinook',
    postgresConfig: {
      host: 'localhost',
      port: 5432,
      user: 'postgres',
      password: process.env.ISTHMUS_POSTGRES_PASSWORD ?? 'change-me',
      // connectionString: 'postgres://user:password@host:5432/chinook',   // instead of the above
      // ssl: { rejectUnauthorized: true },
      // connect_timeout: 15,                                              // seconds
      // retryQuery: { numberOfRetries: 3, delayInMilliseconds: 10 },
    },
    // postgresSchema: 'public',

    // Which realms are watched, and which realm a row belongs to.
    realmRegex: '/chinook',
    mapPostgresChangeToRealmPath: '/chinook',
    // One realm per user, by a column of the row:
    // realmRegex: '^/(.*?)/orders$',
    // mapPostgresChangeToRealmPath: (tableName, props) => `/${props.user_id}/orders`,
    // Which table the changes of a realm go to, and columns to fill in besides:
    // mapRealmChangeToPostgresTable: (realmPath) => ({ tableName: 'orders', extraProperties: { source: realmPath } }),

    // What is synced. Tables and columns that no model names stay out.
    schema: chinookModels,
    compoundPrimaryKeys,
    // customPostgresTypes: { mpaa_rating: 'text' },
    // realmIgnoreProperties: ['draft', 'Customer.localNote'],
    // Collections that get a table of their own instead of a column when the tables are made from the models:
    // collectionTables: ['Customer.tags'],

    // Names on the two sides. Each pair must be inverse.
    mapPostgresTableName,
    mapRealmClassName,
    mapPostgresColumnName,
    mapRealmPropertyName,

    // Values on the two sides.
    // convertPostgresValueToRealm: (tableName, columnName, value) => value,
    // convertRealmValueToPostgres: (className, propertyName, value) => value,

    // What may be made or changed.
    // createPostgresDB: false,                     // create the database when it is missing
    // createPostgresSchema: true,                  // create missing tables and columns of the models at the start
    // initializeRealmFromPostgres: false,          // make the models from the tables when `schema` is left out
    // applyRealmSchemaChangesToPostgres: false,    // follow new classes and properties of the realm with DDL
    // resetPostgresReplicationSlot: false,         // forget changes since the last run; for tests
    // The replication slot (docs/operations.md).
    // schemaCheckInterval: 60,                     // seconds between two looks for changed tables (docs/schema-changes.md)
    // slotCheckInterval: 60,                       // seconds between two looks at its lag
    // slotLagWarning: 1024,                        // megabytes, where the server sets no max_slot_wal_keep_size
    // slotWaitTime: 75,                            // seconds to wait while another connection reads it
    // failoverSlot: false,                         // PostgreSQL 17 and newer: standbys keep a copy
    // switchToReferenceRealm: false,               // accepted for compatibility; every realm is a full one

    // A change that the database refuses goes to the dead-letter table and the adapter goes on; false stops there.
    // ignoreSQLerrors: true,                      // or by class: { Invoice: false } stops at mistakes in invoices
    // secretProperties: ['Customer.iban'],         // shown in no log, error or dead letter

    // The loader.
    // loaderSQLBatchSize: 1000,
    // loadOnline: true,                            // false: load into the local replica, upload with the adapter
    // loaderUploadMaxWaitTime: 60,                 // seconds

    // Where the replica is kept, and the name of slot and publication. Keep both from one start to the next.
    localPath: './isthmus-data/adapter',
    adapterName: 'isthmus_chinook',

    // logLevel: 'info',                            // error, warn, info, verbose, debug
    // logger: createFileLogger('verbose'),         // import { createFileLogger } from 'isthmus'
    // printCommandsToConsole: false,               // SQL statements, at logLevel 'verbose'
  },

  // ---- The same for SQL Server, in place of the options above that name PostgreSQL (docs/sqlserver.md) ------------
  // connector: {
  //   realmConfig: { … },
  //
  //   // The database: run `isthmus prepare-database --login sync` once, with a login that may.
  //   dbName: 'chinook',
  //   dbSchema: 'dbo',
  //   sqlserverConfig: {
  //     server: 'localhost',                       // or 'host\\instance'
  //     port: 1433,
  //     user: 'sync',
  //     password: process.env.ISTHMUS_SQLSERVER_PASSWORD ?? 'change-me',
  //     connectionTimeout: 15_000,                 // milliseconds
  //     requestTimeout: 120_000,
  //     options: {
  //       encrypt: true,                           // false for a server without TLS
  //       trustServerCertificate: false,
  //       connectionRetryInterval: 500,
  //       maxRetriesOnTransientErrors: 3,
  //     },
  //     // connectionString: 'sqlserver://sync:password@localhost:1433/chinook?encrypt=true',   // instead of the above
  //   },
  //   // changePollInterval: 1000,                 // milliseconds between two looks while nothing happens
  //
  //   realmRegex: '/chinook',
  //   mapSQLServerChangeToRealmPath: '/chinook',
  //   // mapRealmChangeToSQLServerTable: (realmPath) => ({ tableName: 'orders', extraProperties: { source: realmPath } }),
  //   schema: chinookModels,
  //   compoundPrimaryKeys,                         // from './models/chinook-sqlserver-mapping.ts'
  //   mapSQLServerColumnName,
  //   mapRealmPropertyName,
  //   // mapSQLServerTableName: (tableName) => className,
  //   // mapRealmClassName: (className) => tableName,
  //   // convertSQLServerValueToRealm: (tableName, columnName, value) => value,
  //   // convertRealmValueToSQLServer: (className, propertyName, value) => value,
  //
  //   // createSQLServerDB: false,
  //   // createSQLServerSchema: true,
  //   // initializeRealmFromSQLServer: false,
  //   // applyRealmSchemaChangesToSQLServer: false,
  // },
};
