import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/cli/config.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-config-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const models = "[{ name: 'Song', primaryKey: 'id', properties: { id: 'int' } }]";
const connector = `{
  realmConfig: { server: 'http://sync.example.com', user: { username: 'admin', password: 'hush' } },
  dbName: 'music', realmRegex: '/music', schema: ${models},
}`;

async function put(name: string, content: string): Promise<void> {
  await writeFile(join(directory, name), content);
}

test('config.ts in the current directory is taken when no file is named', async () => {
  await put(
    'config.ts',
    `const port: number = 9191;\nexport default { server: { port }, connector: ${connector} };`,
  );
  const config = await loadConfig(undefined, {}, directory);
  expect(config.server).toMatchObject({ port: 9191, dataDirectory: join(directory, 'isthmus-data/server') });
  const { engine } = config.connector();
  expect(engine.serverUrl).toBe('http://sync.example.com');
  expect(engine.localPath.startsWith(join(directory, 'isthmus-data'))).toBe(true);
});

test('the config.js and realmmodels.js that users of the reference have are taken as they are', async () => {
  await put('package.json', '{}');
  await put(
    'config.js',
    `module.exports = {
      database_name: 'music',
      realm_object_server_url: 'realm://10.0.0.7:9080/',
      auth_server_url: 'http://10.0.0.7:9080',
      admin_username: 'realm-admin',
      admin_password: 'hush',
      target_realm_path: '/music',
      postgres_config: { host: 'db', port: 5433, user: 'pg', password: 'hush' },
    };`,
  );
  await put('realmmodels.js', `module.exports = ${models};`);
  const { engine, connection } = (await loadConfig('config.js', {}, directory)).connector();
  expect(engine).toMatchObject({
    serverUrl: 'http://10.0.0.7:9080',
    user: { kind: 'password', username: 'realm-admin', password: 'hush' },
    fixedRealmPath: '/music',
    models: [{ name: 'Song' }],
  });
  expect(connection).toMatchObject({ host: 'db', port: 5433, database: 'music', user: 'pg' });
});

test('the config.js of the reference for SQL Server is taken as it is', async () => {
  await put('package.json', '{}');
  await put(
    'config.js',
    `module.exports = {
      database_name: 'SQLSyncDemo',
      database_schema: 'sales',
      realm_object_server_url: 'realm://10.0.0.7:9080',
      auth_server_url: 'http://10.0.0.7:9080',
      admin_username: 'realm-admin',
      admin_password: '',
      target_realm_path: '/SQLDemoNew',
      sqlserver_config: {
        user: 'realm', password: 'hush', server: 'db.example.com', port: 1433, connectionTimeout: 300000,
        requestTimeout: 300000, pool: { idleTimeoutMillis: 300000 }, options: { encrypt: true },
      },
    };`,
  );
  await put('realmmodels.js', `module.exports = ${models};`);
  const configured = (await loadConfig('config.js', {}, directory)).connector();
  expect(configured).toMatchObject({ product: 'SQL Server', database: 'SQLSyncDemo', schema: 'sales' });
  expect(configured.engine).toMatchObject({
    serverUrl: 'http://10.0.0.7:9080',
    fixedRealmPath: '/SQLDemoNew',
  });
  expect(configured.connection).toMatchObject({ server: 'db.example.com', user: 'realm' });
});

test.each([
  ['an option of it', "sqlserverConfig: { server: 'db' }", {}],
  ['a function of it', 'mapSQLServerTableName: (name) => name', {}],
  ['its schema', "dbSchema: 'dbo'", {}],
  ['the environment', '', { ISTHMUS_SQLSERVER_URL: 'sqlserver://sa:p@db2:1500' }],
])('a configuration is for SQL Server when it is named by %s', async (_what, option, environment) => {
  await put('config.ts', `export default { connector: { ...${connector}, ${option} } };`);
  const configured = (await loadConfig(undefined, environment, directory)).connector();
  expect(configured).toMatchObject({ product: 'SQL Server', database: 'music', schema: 'dbo' });
});

test('environment variables go before what the file says of SQL Server', async () => {
  await put(
    'config.ts',
    `export default { connector: { ...${connector}, sqlserverConfig: { server: 'db', user: 'app', password: 'file' } } };`,
  );
  const environment = { ISTHMUS_SQLSERVER_PASSWORD: 'environment' };
  const { connection } = (await loadConfig(undefined, environment, directory)).connector();
  expect(connection).toMatchObject({
    server: 'db',
    authentication: { options: { userName: 'app', password: 'environment' } },
  });
});

test('mistakes in a configuration of SQL Server are reported under the names that were written', async () => {
  await put(
    'config.json',
    JSON.stringify({
      database_name: 'music',
      database_schema: '',
      admin_username: 'a',
      admin_password: 'b',
      realm_object_server_url: 'realm://x',
      target_realm_path: '/music',
      sqlserver_config: { sever: 'db', options: { encrypt: 'x' } },
      connector: { schema: [] },
    }),
  );
  const error = await loadConfig('config.json', {}, directory).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'config-invalid',
    problems: expect.arrayContaining([
      expect.objectContaining({ path: 'database_schema' }),
      { path: 'sqlserver_config.sever', message: 'unknown option, did you mean server?' },
      expect.objectContaining({ path: 'sqlserver_config.options.encrypt' }),
    ]),
  });
});

test('a mistake under a flat name is reported under that name', async () => {
  await put(
    'config.json',
    JSON.stringify({
      database_name: '',
      realm_object_server_url: 'gopher://x',
      admin_username: 'a',
      admin_password: 'b',
      target_realm_path: '/music',
      postgres_config: { port: 'x', hots: 'db' },
      target_relm_path: '/music',
      connector: { schema: [] },
    }),
  );
  const error = await loadConfig('config.json', {}, directory).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'config-invalid',
    problems: expect.arrayContaining([
      expect.objectContaining({ path: 'database_name' }),
      expect.objectContaining({ path: 'realm_object_server_url' }),
      expect.objectContaining({ path: 'postgres_config.port' }),
      { path: 'postgres_config.hots', message: 'unknown option, did you mean host?' },
      { path: 'target_relm_path', message: 'unknown option, did you mean target_realm_path?' },
    ]),
  });
});

test('mistakes in both sections are reported together', async () => {
  await put(
    'config.mjs',
    `export default { server: { prot: 1, development: 'no' }, connector: { ...${connector}, dbName: 1 }, conector: {} };`,
  );
  const error = await loadConfig('config.mjs', {}, directory).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    problems: [
      { path: 'conector', message: 'unknown option, did you mean connector?' },
      { path: 'server.development' },
      { path: 'server.prot', message: 'unknown option, did you mean port?' },
      { path: 'connector.dbName' },
    ],
  });
});

test('environment variables go before the file', async () => {
  await put('config.ts', `export default { server: { adminPassword: 'file' }, connector: ${connector} };`);
  const environment = {
    ISTHMUS_PORT: '9292',
    ISTHMUS_ADMIN_USER: 'root',
    ISTHMUS_ADMIN_PASSWORD: 'environment',
    ISTHMUS_SERVER_URL: 'https://other.example.com',
    ISTHMUS_POSTGRES_URL: 'postgres://u:p@db2:5555/other',
  };
  const config = await loadConfig(undefined, environment, directory);
  expect(config.server).toMatchObject({ port: 9292, adminUser: 'root', adminPassword: 'environment' });
  const { engine, connection } = config.connector();
  expect(engine).toMatchObject({
    serverUrl: 'https://other.example.com',
    user: { username: 'root', password: 'environment' },
  });
  expect(connection).toMatchObject({ connectionString: 'postgres://u:p@db2:5555/other' });
});

test('a connector beside a server needs neither address nor user of its own', async () => {
  await put(
    'config.ts',
    `export default {
      server: { port: 9393, adminUser: 'boss', adminPassword: 'hush' },
      connector: { dbName: 'music', realmRegex: '/music', schema: ${models} },
    };`,
  );
  expect((await loadConfig(undefined, {}, directory)).connector().engine).toMatchObject({
    serverUrl: 'http://127.0.0.1:9393',
    user: { username: 'boss', password: 'hush' },
  });
});

test('no file is an empty configuration: a server with defaults, and no connector', async () => {
  const config = await loadConfig(undefined, {}, directory);
  expect(config.server).toMatchObject({ port: 9090, host: '127.0.0.1', development: false });
  expect(() => config.connector()).toThrow(/config\.example\.ts/);
});

test.each([
  ['a file that is named but missing', 'nowhere.ts', undefined, /no file/],
  ['a file that does not parse', 'config.ts', 'export default {', /cannot be read/],
  ['a file without a default export', 'config.ts', 'export const server = {};', /default export/],
])('%s is an error of the configuration', async (_name, file, content, message) => {
  if (content !== undefined) await put(file, content);
  const error = await loadConfig(file, {}, directory).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) });
});

test('the example configuration is valid', async () => {
  const example = join(import.meta.dirname, '../../config.example.ts');
  const { engine } = (await loadConfig(example, {}, directory)).connector();
  expect(engine.models).toHaveLength(11);
});
