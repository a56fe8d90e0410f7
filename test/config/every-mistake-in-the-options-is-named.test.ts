import { describe, expect, test } from 'vitest';
import { parsePostgresOptions } from '../../connectors/postgres/options.ts';
import { ConfigError } from '../../src/config/config-error.ts';

const model = { name: 'Song', primaryKey: 'id', properties: { id: 'int' } };
const valid = {
  realmConfig: { server: 'realm://10.0.0.7:9080/', user: { username: 'realm-admin', password: 'hush' } },
  dbName: 'music',
  realmRegex: '^/music$',
  schema: [model],
};

function mistakesIn(options: unknown): Record<string, string> {
  try {
    parsePostgresOptions(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
  return {};
}

describe('options of the PostgreSQL connector', () => {
  test('take the defaults of the reference', () => {
    const { engine, connection, schema } = parsePostgresOptions(valid);
    expect(engine).toMatchObject({
      serverUrl: 'http://10.0.0.7:9080',
      user: { kind: 'password', username: 'realm-admin' },
      fixedRealmPath: '/music',
      createDatabase: false,
      createTables: true,
      initializeRealm: false,
      applyRealmSchemaChanges: false,
      resetFeed: false,
      ignoreSqlErrors: true,
      printCommands: false,
      load: { batchRows: 1000, online: true, uploadMaxWaitMilliseconds: 60_000 },
    });
    expect(connection).toMatchObject({
      host: 'localhost',
      port: 5432,
      database: 'music',
      retryQuery: { numberOfRetries: 3, delayInMilliseconds: 10 },
    });
    expect(schema).toBe('public');
  });

  test('are reported all at once, each with its path and what was expected', () => {
    const mistakes = mistakesIn({
      ...valid,
      dbName: 7,
      realmConfig: { ...valid.realmConfig, server: 'ftp://host' },
      postgresConfig: { port: 70_000, retryQuery: { numberOfRetries: -1 } },
      loadOnline: 'yes',
      mapPostgresTableName: 'Song',
      compoundPrimaryKeys: { Sung: [{ property: 'id', dbColumn: 'id', type: 'float' }] },
    });
    expect(Object.keys(mistakes).sort()).toEqual([
      'compoundPrimaryKeys',
      'compoundPrimaryKeys.Sung[0].type',
      'dbName',
      'loadOnline',
      'mapPostgresTableName',
      'postgresConfig.port',
      'postgresConfig.retryQuery.numberOfRetries',
      'realmConfig.server',
    ]);
    expect(mistakes['postgresConfig.port']).toBe('expected a whole number from 1 to 65535, found 70000');
    expect(mistakes.mapPostgresTableName).toBe('expected a function (tableName) => className, found "Song"');
    expect(mistakes.compoundPrimaryKeys).toContain('none called Sung');
  });

  test.each([
    ['dbNmae', 'dbName'],
    ['ignoreSqlErrors', 'ignoreSQLerrors'],
    ['createPostgresDatabase', 'createPostgresDB'],
    ['mapPostgresTablename', 'mapPostgresTableName'],
    ['postgresConfg', 'postgresConfig'],
  ])('that are unknown, such as %s, come with the nearest known name', (written, meant) => {
    expect(mistakesIn({ ...valid, [written]: true })[written]).toContain(`did you mean ${meant}?`);
  });

  test('that are unknown further down come with their path', () => {
    const options = { ...valid, postgresConfig: { pasword: 'x', retryQuery: { numberOfRetry: 3 } } };
    expect(mistakesIn(options)).toEqual({
      'postgresConfig.pasword': 'unknown option, did you mean password?',
      'postgresConfig.retryQuery.numberOfRetry': 'unknown option, did you mean numberOfRetries?',
    });
  });

  test('never show a secret', () => {
    const options = {
      ...valid,
      realmConfig: { server: 'http://user:geheim1@host', user: { username: 'a', password: ['geheim2'] } },
      postgresConfig: { password: { geheim3: 1 }, connectionString: 'postgres://u:geheim4@host/db', host: 5 },
    };
    const error: unknown = (() => {
      try {
        return parsePostgresOptions(options);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).not.toMatch(/geheim/);
  });

  test('take a user who is logged in already', () => {
    class User {
      get id(): string {
        return 'u1';
      }
      get accessToken(): string {
        return 'a';
      }
      get refreshToken(): string {
        return 'r';
      }
    }
    const user = new User();
    const { engine } = parsePostgresOptions({ ...valid, realmConfig: { ...valid.realmConfig, user } });
    expect(engine.user).toEqual({ kind: 'loggedIn', user });
    expect(engine.user.kind === 'loggedIn' && engine.user.user).toBe(user);
  });

  test('take the database from the connection string', () => {
    const { dbName: _, ...rest } = valid;
    const connectionString = 'postgres://u:p@db.example.com:6432/my%20music';
    expect(parsePostgresOptions({ ...rest, postgresConfig: { connectionString } }).connection.database).toBe(
      'my music',
    );
    expect(mistakesIn(rest)).toEqual({ dbName: 'expected the name of the database, found nothing' });
  });
});

describe('realm paths and expressions', () => {
  test.each([
    ['/music', '/music', '/music2'],
    ['music', '/music', '/u1/music'],
    ['^/(.*?)/music$', '/u1/music', '/music'],
    ['/^\\/([0-9a-f]+)\\/private$/', '/12ab/private', '/xyz/private'],
    ['^/v1\\.2$', '/v1.2', '/v1x2'],
  ])('%s watches %s and not %s', (realmRegex, watched, not) => {
    const options = { ...valid, realmRegex, mapPostgresChangeToRealmPath: '/music' };
    const { engine } = parsePostgresOptions(options);
    expect(engine.realmRegex.test(watched)).toBe(true);
    expect(engine.realmRegex.test(not)).toBe(false);
  });

  test('an expression given as the path of all rows means the one realm that it matches', () => {
    const options = { ...valid, mapPostgresChangeToRealmPath: '^/myRealm$' };
    expect(parsePostgresOptions(options).engine.fixedRealmPath).toBe('/myRealm');
  });

  test('rows of several realms need a function that says which', () => {
    const perUser = { ...valid, realmRegex: '^/(.*?)/music$' };
    expect(mistakesIn(perUser).mapPostgresChangeToRealmPath).toContain('a function');
    const mapped = {
      ...perUser,
      mapPostgresChangeToRealmPath: (_: string, row: object) => `/${Object.values(row)[0]}/music`,
    };
    const { engine } = parsePostgresOptions(mapped);
    expect(engine.fixedRealmPath).toBeUndefined();
    expect(engine.realmPathOfRow('song', { owner: 'u7' })).toBe('/u7/music');
  });

  test.each(['/../x', '/a//b', '/a\u0000b', '/(a|b)', ''])('%j is no path of a realm', (path) => {
    expect(mistakesIn({ ...valid, mapPostgresChangeToRealmPath: path })).toHaveProperty([
      'mapPostgresChangeToRealmPath',
    ]);
  });

  test('the default name of an adapter stays the same and tells two adapters apart', () => {
    const name = (realmRegex: string): string =>
      parsePostgresOptions({ ...valid, realmRegex }).engine.adapterName;
    expect(name('/a')).toBe(name('/a'));
    expect(name('/a')).not.toBe(name('/b'));
    expect(name('/a')).toMatch(/^[a-z0-9_]{1,48}$/);
  });
});
