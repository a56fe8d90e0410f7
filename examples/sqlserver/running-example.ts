/** An example from end to end: its database, an object server, the loader, the adapter, and a device. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionConfiguration } from 'tedious';
import {
  type LogLevel,
  logIn,
  type ObjectRealm,
  openRealm,
  SQLServerAdapter,
  type SQLServerOptions,
  SQLServerRealmLoader,
  startServer,
} from '../../src/index.ts';
import type { Example, Step } from './example.ts';
import { type Row, SqlClient } from './sql-client.ts';

/** Where SQL Server is, for a login that may make databases. */
export type ServerPlace = {
  readonly server: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly encrypt: boolean;
};

const REALM_PATH = '/example';
const ADMIN = { username: 'admin', password: 'an example, not a secret' };
/** How long a change may take to the other side. */
const ARRIVAL_MILLISECONDS = 20_000;

export type RunningExample = {
  readonly realm: ObjectRealm;
  readonly adapter: SQLServerAdapter;
  /** Runs a batch as an application does. */
  sql(text: string): Promise<readonly Row[]>;
  /** Does what a step says, on its side. */
  take(step: Step): Promise<void>;
  /** Waits until `isThere` is true of both sides. */
  arrived(isThere: () => boolean | Promise<boolean>): Promise<void>;
  close(): Promise<void>;
};

/** Makes the database anew and keeps replicas, server and device in `directory`. */
export async function startExample(
  example: Example,
  place: ServerPlace,
  directory: string,
  settings: { readonly logLevel?: LogLevel } = {},
): Promise<RunningExample> {
  const database = `isthmus_example_${example.name.replaceAll('-', '_')}`;
  const sql = await madeDatabase(example, database, place);
  const closing: (() => Promise<unknown>)[] = [() => sql.close()];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    const server = await startServer({
      dataDirectory: join(directory, 'server'),
      port: 0,
      development: true,
      adminUser: ADMIN.username,
      adminPassword: ADMIN.password,
      flexibleSync: { realm: REALM_PATH },
    });
    closing.push(() => server.close());
    const options = optionsOf(example, database, place, directory, server.url, settings);
    await new SQLServerRealmLoader(options).init();
    const adapter = new SQLServerAdapter(options);
    await adapter.start();
    closing.push(() => adapter.close());
    const credentials = { provider: 'local-userpass', ...ADMIN } as const;
    const user = await logIn({ baseUrl: server.url, credentials });
    const device = openRealm({
      user,
      directory: join(directory, 'device'),
      schema: [...(example.options.schema ?? [])],
      initialSubscriptions: {
        update: (subscriptions, opened) => {
          for (const name of example.tables) subscriptions.add(opened.objects(name), { name });
        },
      },
    });
    closing.push(() => device.close());
    await device.realm.subscriptions.waitForSynchronization();
    return {
      realm: device.realm,
      adapter,
      sql: (text) => sql.batch(text),
      take: async ({ onDevice, inSql }) => {
        if (onDevice !== undefined) device.realm.write(() => onDevice(device.realm));
        if (inSql !== undefined) await sql.batch(inSql);
        await device.uploaded();
      },
      arrived: (isThere) => eventually(isThere),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function eventually(isThere: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ARRIVAL_MILLISECONDS;
  while (!(await isThere())) {
    if (Date.now() > deadline) throw new Error('the change did not arrive on the other side');
    await sleep(50);
  }
}

async function madeDatabase(example: Example, database: string, place: ServerPlace): Promise<SqlClient> {
  const master = await SqlClient.open(driverConfig(place, 'master'));
  try {
    await master.batch(`IF DB_ID(N'${database}') IS NOT NULL
BEGIN
  ALTER DATABASE [${database}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
  DROP DATABASE [${database}];
END;`);
    await master.batch(`CREATE DATABASE [${database}]`);
    // What `isthmus prepare-database` does.
    await master.batch(`ALTER DATABASE [${database}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
    await master.batch(
      `ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON)`,
    );
  } finally {
    await master.close();
  }
  const sql = await SqlClient.open(driverConfig(place, database));
  await sql.script(await readFile(new URL(example.script, import.meta.url), 'utf8'));
  for (const table of example.tables) await sql.batch(`ALTER TABLE dbo.[${table}] ENABLE CHANGE_TRACKING`);
  return sql;
}

function driverConfig(
  { server, port, user, password, encrypt }: ServerPlace,
  database: string,
): ConnectionConfiguration {
  return {
    server,
    authentication: { type: 'default', options: { userName: user, password } },
    options: { port, database, encrypt, trustServerCertificate: true },
  };
}

function optionsOf(
  { options, name }: Example,
  database: string,
  { server, port, user, password, encrypt }: ServerPlace,
  directory: string,
  url: string,
  { logLevel = 'error' }: { readonly logLevel?: LogLevel },
): SQLServerOptions {
  return {
    realmConfig: { server: url, user: ADMIN },
    dbName: database,
    sqlserverConfig: { server, port, user, password, options: { encrypt, trustServerCertificate: true } },
    realmRegex: REALM_PATH,
    mapSQLServerChangeToRealmPath: REALM_PATH,
    adapterName: `example_${name.replaceAll('-', '_')}`,
    localPath: join(directory, 'adapter'),
    ignoreSQLerrors: true,
    logLevel,
    ...options,
  };
}
