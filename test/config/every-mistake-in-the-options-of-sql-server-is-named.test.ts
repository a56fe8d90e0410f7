import { describe, expect, test } from 'vitest';
import { driverConfig } from '../../connectors/sqlserver/driver-config.ts';
import { parseSqlServerOptions } from '../../connectors/sqlserver/options.ts';
import { ConfigError } from '../../src/config/config-error.ts';

const model = { name: 'Song', primaryKey: 'id', properties: { id: 'int' } };
const valid = {
  realmConfig: { server: 'realm://10.0.0.7:9080/', user: { username: 'realm-admin', password: 'hush' } },
  dbName: 'music',
  realmRegex: '/music',
  schema: [model],
};

function mistakesIn(options: unknown): Record<string, string> {
  try {
    parseSqlServerOptions(options, ['connector']);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
  return {};
}

const connectionOf = (more: Readonly<Record<string, unknown>>) =>
  parseSqlServerOptions({ ...valid, ...more }).connection;

describe('options of the SQL Server connector', () => {
  test('take the defaults of the reference', () => {
    const { engine, connection, schema, feed } = parseSqlServerOptions(valid);
    expect(engine).toMatchObject({
      serverUrl: 'http://10.0.0.7:9080',
      fixedRealmPath: '/music',
      createDatabase: false,
      createTables: true,
      initializeRealm: false,
      applyRealmSchemaChanges: false,
      ignoreSqlErrors: true,
      printCommands: false,
      load: { batchRows: 1000, online: true, uploadMaxWaitMilliseconds: 60_000 },
    });
    expect(connection).toMatchObject({
      server: 'localhost',
      port: 1433,
      database: 'music',
      retry: { times: 3, delayMilliseconds: 500 },
    });
    expect(schema).toBe('dbo');
    expect(feed).toEqual({ pollMilliseconds: 1000 });
  });

  test('all have an effect under the names of the reference', () => {
    const { engine, schema, feed, switchToReferenceRealm } = parseSqlServerOptions({
      ...valid,
      dbSchema: 'sales',
      createSQLServerDB: true,
      createSQLServerSchema: false,
      initializeRealmFromSQLServer: true,
      applyRealmSchemaChangesToSQLServer: true,
      mapSQLServerChangeToRealmPath: () => '/here',
      mapRealmChangeToSQLServerTable: () => ({ tableName: 'T', extraProperties: { a: 1 } }),
      mapSQLServerTableName: (name: string) => `${name}Class`,
      mapRealmClassName: (name: string) => `${name}Table`,
      mapSQLServerColumnName: (_table: string, name: string) => `${name}Property`,
      mapRealmPropertyName: (_class: string, name: string) => `${name}Column`,
      convertSQLServerValueToRealm: (_table: string, _column: string, value: unknown) => [value],
      convertRealmValueToSQLServer: (_class: string, _property: string, value: unknown) => [value, value],
      ignoreSQLerrors: { Song: false },
      realmIgnoreProperties: { Song: ['draft'] },
      compoundPrimaryKeys: { Song: [{ property: 'id', dbColumn: 'Id', type: 'int' }] },
      collectionTables: ['Song.tags'],
      secretProperties: ['Song.lyrics'],
      switchToReferenceRealm: true,
      schemaCheckInterval: 5,
      changePollInterval: 250,
      loaderSQLBatchSize: 10,
      loadOnline: false,
      loaderUploadMaxWaitTime: 7,
      adapterName: 'mine',
      localPath: '/tmp/mine',
      printCommandsToConsole: true,
    });
    expect(schema).toBe('sales');
    expect(feed.pollMilliseconds).toBe(250);
    expect(switchToReferenceRealm).toBe(true);
    expect(engine).toMatchObject({
      adapterName: 'mine',
      localPath: '/tmp/mine',
      createDatabase: true,
      createTables: false,
      initializeRealm: true,
      applyRealmSchemaChanges: true,
      schemaCheckMilliseconds: 5000,
      printCommands: true,
      load: { batchRows: 10, online: false, uploadMaxWaitMilliseconds: 7000 },
    });
    const { mapping } = engine;
    expect(engine.realmPathOfRow('Song', {})).toBe('/here');
    expect(engine.tableOfRealm?.('/x')).toEqual({ tableName: 'T', extraProperties: { a: 1 } });
    expect(mapping.classOfTable?.('a')).toBe('aClass');
    expect(mapping.tableOfClass?.('a')).toBe('aTable');
    expect(mapping.propertyOfColumn?.('t', 'a')).toBe('aProperty');
    expect(mapping.columnOfProperty?.('C', 'a')).toBe('aColumn');
    expect(mapping.valueToRealm?.('t', 'c', 1)).toEqual([1]);
    expect(mapping.valueToSql?.('C', 'p', 1)).toEqual([1, 1]);
    expect(mapping.ignores('Song', 'draft')).toBe(true);
    expect(mapping.hasItemTable('Song', 'tags')).toBe(true);
    expect([...mapping.compoundPrimaryKeys.keys()]).toEqual(['Song']);
    expect(engine.secretProperties.has('Song.lyrics')).toBe(true);
  });

  test('are taken in the other spellings that the reference has', () => {
    const { engine, connection, switchToReferenceRealm } = parseSqlServerOptions({
      ...valid,
      sqlserver_config: { server: 'db1' },
      mapSqlServerColumnName: (_table: string, name: string) => name.toLowerCase(),
      switchToRefernceRealm: true,
    });
    expect(connection.server).toBe('db1');
    expect(engine.mapping.propertyOfColumn?.('T', 'NAME')).toBe('name');
    expect(switchToReferenceRealm).toBe(true);
  });

  test('are reported all at once, each with its path and what was expected', () => {
    const mistakes = mistakesIn({
      ...valid,
      dbName: 7,
      realmConfig: { ...valid.realmConfig, server: 'ftp://host' },
      sqlserverConfig: { port: 70_000, options: { encrypt: 'maybe', connectionRetryInterval: 0 } },
      loadOnline: 'yes',
      changePollInterval: 1,
      mapSQLServerTableName: 'Song',
      compoundPrimaryKeys: { Sung: [{ property: 'id', dbColumn: 'id', type: 'int' }] },
    });
    expect(Object.keys(mistakes).sort()).toEqual([
      'connector.changePollInterval',
      'connector.compoundPrimaryKeys',
      'connector.dbName',
      'connector.loadOnline',
      'connector.mapSQLServerTableName',
      'connector.realmConfig.server',
      'connector.sqlserverConfig.options.connectionRetryInterval',
      'connector.sqlserverConfig.options.encrypt',
      'connector.sqlserverConfig.port',
    ]);
    expect(mistakes['connector.sqlserverConfig.options.encrypt']).toBe(
      'expected true, false or \'strict\', found "maybe"',
    );
  });

  test.each([
    ['dbNme', 'dbName'],
    ['dbschema', 'dbSchema'],
    ['sqlServerConfig', 'sqlserverConfig'],
    ['mapSQLServerColumnNames', 'mapSQLServerColumnName'],
    ['loaderSqlBatchSize', 'loaderSQLBatchSize'],
    ['switchToReferenceRealms', 'switchToReferenceRealm'],
    ['applyRealmSchemaChangesToSqlServer', 'applyRealmSchemaChangesToSQLServer'],
    ['createSQLServerDb', 'createSQLServerDB'],
  ])('misspelt %s gets the nearest name', (written, meant) => {
    expect(mistakesIn({ ...valid, [written]: true })[`connector.${written}`]).toBe(
      `unknown option, did you mean ${meant}?`,
    );
  });

  test('of the driver that are misspelt get the nearest name, too', () => {
    const mistakes = mistakesIn({
      ...valid,
      sqlserverConfig: { sever: 'db', options: { trustServerCertficate: true } },
    });
    expect(mistakes).toEqual({
      'connector.sqlserverConfig.sever': 'unknown option, did you mean server?',
      'connector.sqlserverConfig.options.trustServerCertficate':
        'unknown option, did you mean trustServerCertificate?',
    });
  });

  test('name the mistake as it was written', () => {
    const mistakes = mistakesIn({ ...valid, switchToRefernceRealm: 'no', sqlserver_config: { port: 0 } });
    expect(Object.keys(mistakes).sort()).toEqual([
      'connector.sqlserver_config.port',
      'connector.switchToRefernceRealm',
    ]);
  });

  test('never show a password in a message', () => {
    const text = JSON.stringify(
      mistakesIn({ ...valid, sqlserverConfig: { password: ['hush'], pasword: 'hush' } }),
    );
    expect(text).not.toContain('hush');
  });

  test('need a database, a realm path for many realms, and models', () => {
    const { dbName: _, schema: _models, ...rest } = valid;
    expect(mistakesIn({ ...rest, realmRegex: '^/user-.*$' })).toEqual({
      'connector.dbName': 'expected the name of the database, found nothing',
      'connector.mapSQLServerChangeToRealmPath':
        'expected a realm path or a function, because realmRegex can match more than one realm, found nothing',
      'connector.schema':
        'expected a list of models (or initializeRealmFromSQLServer: true, which makes them from the tables), found nothing',
    });
  });
});

describe('sqlserverConfig', () => {
  test('is taken as the reference writes it', () => {
    const connection = connectionOf({
      sqlserverConfig: {
        user: 'realm',
        password: 'my-sql-password',
        server: 'db.example.com',
        port: 1444,
        connectionTimeout: 300_000,
        requestTimeout: 300_000,
        pool: { idleTimeoutMillis: 300_000 },
        options: { encrypt: true, connectionRetryInterval: 50, maxRetriesOnTransientErrors: 9 },
      },
    });
    expect(connection).toMatchObject({
      server: 'db.example.com',
      port: 1444,
      user: 'realm',
      authentication: { type: 'default', options: { userName: 'realm', password: 'my-sql-password' } },
      options: { encrypt: true, port: 1444 },
      connectTimeoutMilliseconds: 300_000,
      requestTimeoutMilliseconds: 300_000,
      retry: { times: 9, delayMilliseconds: 50 },
    });
  });

  test('is taken as the driver writes it', () => {
    const connection = connectionOf({
      dbName: undefined,
      sqlserverConfig: {
        server: 'db',
        authentication: { type: 'ntlm', options: { userName: 'u', password: 'p', domain: 'CORP' } },
        options: {
          port: 1444,
          database: 'music',
          connectTimeout: 99,
          cryptoCredentialsDetails: { ca: 'PEM' },
        },
      },
    });
    expect(connection).toMatchObject({
      port: 1444,
      user: 'u',
      database: 'music',
      authentication: { type: 'ntlm', options: { userName: 'u', password: 'p', domain: 'CORP' } },
      options: { cryptoCredentialsDetails: { ca: 'PEM' } },
      connectTimeoutMilliseconds: 99,
    });
  });

  test('may be a URL, which names the database too', () => {
    const connectionString =
      'sqlserver://sa:p%40ss@db:1500/my%20music?encrypt=false&trustServerCertificate=true';
    expect(connectionOf({ dbName: undefined, sqlserverConfig: { connectionString } })).toMatchObject({
      server: 'db',
      port: 1500,
      user: 'sa',
      database: 'my music',
      authentication: { options: { userName: 'sa', password: 'p@ss' } },
      options: { encrypt: false, trustServerCertificate: true },
    });
    expect(mistakesIn({ ...valid, sqlserverConfig: { connectionString: 'postgres://db/x' } })).toEqual({
      'connector.sqlserverConfig':
        'expected as connectionString a URL, such as sqlserver://user:password@host:1433/database, found an object',
    });
  });

  test('may name an instance, whose port is asked for unless it is given', () => {
    expect(connectionOf({ sqlserverConfig: { server: 'db\\SALES' } })).toMatchObject({
      server: 'db',
      instanceName: 'SALES',
      port: undefined,
      options: { instanceName: 'SALES' },
    });
    expect(connectionOf({ sqlserverConfig: { server: 'db\\SALES', port: 1501 } })).toMatchObject({
      server: 'db',
      instanceName: undefined,
      port: 1501,
    });
  });

  test('leaves to the connector what its statements and values depend on', () => {
    const connection = connectionOf({
      sqlserverConfig: {
        requestTimeout: 7,
        options: { useUTC: false, enableAnsiNull: false, language: 'français', packetSize: 8192 },
      },
    });
    expect(driverConfig(connection, 'music', 'isthmus').options).toMatchObject({
      packetSize: 8192,
      requestTimeout: 7,
      database: 'music',
      useUTC: true,
      enableAnsiNull: true,
      language: 'us_english',
      abortTransactionOnError: true,
    });
  });
});
