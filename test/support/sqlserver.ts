/**
 * A SQL Server for one test suite: the simulator, or a real one when `ISTHMUS_TEST_SQLSERVER_URL` names it (with a
 * login that may do everything), or one in a container where there is an engine for containers and the package
 * `@testcontainers/mssqlserver` is installed. That package is not among the dependencies: it brings more with it than
 * all of the connector does, for a server that few machines can run.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionConfiguration } from 'tedious';
import type { Listener } from '../simulators/sqlserver/overheard.ts';
import {
  type SimulatorFaults,
  type SqlServerSimulator,
  startSqlServerSimulator,
} from '../simulators/sqlserver/simulator.ts';
import { type SqlValue, TestConnection, type TextRecord } from './sqlserver-connection.ts';

export type Credentials = { readonly user: string; readonly password: string };

export type TestSqlServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** True on the simulator, whose faults can be had. */
  readonly simulated: boolean;
  /** Switches for faults. Only on the simulator. */
  readonly faults: SimulatorFaults;
  /** URL of a database of that server (`master` when absent). */
  url(database?: string): string;
  /** What the driver needs for a connection to a database. */
  driverConfig(database?: string, login?: Credentials): ConnectionConfiguration;
  connect(database?: string, login?: Credentials): Promise<TestConnection>;
  /** Makes an empty database and returns its name, unique on the server. */
  createDatabase(): Promise<string>;
  /** Makes a login with a user in the database, both without any rights. */
  createLogin(database: string): Promise<Credentials>;
  /** Runs a batch in a database and returns the rows, with every value as text. */
  query(database: string, sql: string, values?: readonly SqlValue[]): Promise<readonly TextRecord[]>;
  /** Runs a script whose batches end with `GO` on a line of its own. */
  script(database: string, text: string): Promise<void>;
  /** Cuts all connections, as a network does that fails. Only on the simulator. */
  cutConnections(): void;
  /** Ends the server without a farewell; {@link TestSqlServer.start} brings it back. Only on a durable simulator. */
  crash(): Promise<void>;
  start(): Promise<void>;
  crashAndRestart(): Promise<void>;
  stop(): Promise<void>;
};

/** True when the suite runs on the simulator, which it may crash and which has faults. */
export const simulated = process.env.ISTHMUS_TEST_SQLSERVER_URL === undefined && !hasContainerEngine();

export type TestServerOptions = {
  /** Told every statement that clients send; only on the simulator. */
  readonly listener?: Listener;
  /** Its databases survive {@link TestSqlServer.crash}; otherwise the simulator keeps them in memory. */
  readonly durable?: boolean;
};

export async function startTestSqlServer(options: TestServerOptions = {}): Promise<TestSqlServer> {
  const external = process.env.ISTHMUS_TEST_SQLSERVER_URL;
  if (external !== undefined) return testServer(new URL(external), undefined);
  const container = await startContainer();
  if (container !== undefined) return testServer(container.url, { stop: container.stop });
  return startSimulated(options);
}

async function startSimulated({ listener, durable = false }: TestServerOptions): Promise<TestSqlServer> {
  const directory = durable ? await mkdtemp(join(tmpdir(), 'isthmus-sqlserver-')) : undefined;
  const launch = (port = 0): Promise<SqlServerSimulator> =>
    startSqlServerSimulator({
      port,
      ...(listener === undefined ? {} : { listener }),
      ...(directory === undefined ? {} : { directory }),
    });
  let simulator = await launch();
  return testServer(new URL(simulator.url()), {
    faults: () => simulator.faults,
    cutConnections: () => simulator.cutConnections(),
    ...(durable ? { crash: () => simulator.crash() } : {}),
    start: async () => {
      simulator = await launch(simulator.port);
    },
    stop: async () => {
      await simulator.close();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    },
  });
}

/** What can be done to the server itself. */
export type Control = {
  readonly faults?: () => SimulatorFaults;
  readonly cutConnections?: () => void;
  readonly crash?: () => Promise<void>;
  readonly start?: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

class NeedsSimulator extends Error {
  constructor() {
    super('this test needs the simulator of SQL Server, a durable one if it is to crash');
  }
}

/** The server at `base`. Without `control` it belongs to others, too, and {@link TestSqlServer.stop} drops what was made on it. */
export function testServer(base: URL, control: Control | undefined): TestSqlServer {
  const databases: string[] = [];
  const logins: string[] = [];
  const connections = new Map<string, Promise<TestConnection>>();
  const login = { user: decodeURIComponent(base.username), password: decodeURIComponent(base.password) };
  const need = <T>(part: T | undefined): T => {
    if (part === undefined) throw new NeedsSimulator();
    return part;
  };
  const driverConfig = (
    database = 'master',
    { user, password }: Credentials = login,
  ): ConnectionConfiguration => ({
    server: base.hostname,
    authentication: { type: 'default', options: { userName: user, password } },
    options: {
      port: Number(base.port || 1433),
      database,
      encrypt: base.searchParams.get('encrypt') !== 'false',
      trustServerCertificate: base.searchParams.get('trustServerCertificate') === 'true',
      requestTimeout: 60_000,
      maxRetriesOnTransientErrors: 0,
      useUTC: true,
      lowerCaseGuids: true,
    },
  });
  /** One connection for each database, opened again when a test has cut it. */
  const connectionTo = async (database: string): Promise<TestConnection> => {
    const known = connections.get(database);
    if (known !== undefined) {
      const connection = await known;
      if (connection.open) return connection;
    }
    const opening = TestConnection.open(driverConfig(database));
    connections.set(database, opening);
    opening.catch(() => connections.delete(database));
    return opening;
  };
  const query: TestSqlServer['query'] = async (database, sql, values = []) =>
    (await connectionTo(database)).query(sql, values);
  const closeConnections = async (): Promise<void> => {
    const open = await Promise.allSettled(connections.values());
    connections.clear();
    await Promise.all(open.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  };
  const crash = async (): Promise<void> => need(control?.crash)();
  const start = async (): Promise<void> => need(control?.start)();
  return {
    host: base.hostname,
    port: Number(base.port || 1433),
    ...login,
    simulated: control?.faults !== undefined,
    get faults() {
      return need(control?.faults)();
    },
    url: (database = 'master') => {
      const result = new URL(base);
      result.pathname = `/${database}`;
      return result.href;
    },
    driverConfig,
    connect: (database, credentials) => TestConnection.open(driverConfig(database, credentials)),
    query,
    script: async (database, text) => {
      const connection = await TestConnection.open(driverConfig(database));
      try {
        for (const batch of batchesOf(text)) await connection.query(batch);
      } finally {
        await connection.close();
      }
    },
    createDatabase: async () => {
      const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
      await query('master', `CREATE DATABASE [${name}]`);
      databases.push(name);
      return name;
    },
    createLogin: async (database) => {
      const user = `isthmus_test_${randomBytes(6).toString('hex')}`;
      const password = `Pw1!${randomBytes(12).toString('hex')}`;
      await query('master', `CREATE LOGIN [${user}] WITH PASSWORD = N'${password}'`);
      logins.push(user);
      await query(database, `CREATE USER [${user}] FOR LOGIN [${user}]`);
      return { user, password };
    },
    cutConnections: () => need(control?.cutConnections)(),
    crash,
    start,
    crashAndRestart: async () => {
      await crash();
      await start();
    },
    stop: async () => {
      if (control === undefined) await dropAll(query, databases, logins);
      await closeConnections();
      await control?.stop();
    },
  };
}

/** The batches of a script, without those that are empty. */
export function batchesOf(script: string): string[] {
  return script.split(/^[ \t]*GO[ \t]*\r?$/im).filter((batch) => batch.trim() !== '');
}

/** What tests have made on a server that others use, too. */
async function dropAll(
  query: TestSqlServer['query'],
  databases: readonly string[],
  logins: readonly string[],
): Promise<void> {
  for (const name of databases) {
    await query('master', `ALTER DATABASE [${name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE`);
    await query('master', `DROP DATABASE [${name}]`);
  }
  for (const name of logins) await query('master', `DROP LOGIN [${name}]`);
}

const CONTAINER_PACKAGE = '@testcontainers/mssqlserver';
const CONTAINER_IMAGE = 'mcr.microsoft.com/mssql/server:2022-latest';

function hasContainerEngine(): boolean {
  const reachable = process.env.DOCKER_HOST !== undefined || existsSync('/var/run/docker.sock');
  if (!reachable) return false;
  try {
    import.meta.resolve(CONTAINER_PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/** The few things of the package that are used; it is not there when types are checked. */
type ContainerPackage = {
  readonly MSSQLServerContainer: new (
    image: string,
  ) => {
    acceptLicense(): {
      start(): Promise<{
        getHost(): string;
        getPort(): number;
        getUsername(): string;
        getPassword(): string;
        stop(): Promise<unknown>;
      }>;
    };
  };
};

async function startContainer(): Promise<{ readonly url: URL; stop(): Promise<void> } | undefined> {
  if (!hasContainerEngine()) return undefined;
  const { MSSQLServerContainer }: ContainerPackage = await import(CONTAINER_PACKAGE);
  const server = await new MSSQLServerContainer(CONTAINER_IMAGE).acceptLicense().start();
  const url = new URL(
    `sqlserver://${server.getHost()}:${server.getPort()}/?encrypt=true&trustServerCertificate=true`,
  );
  url.username = encodeURIComponent(server.getUsername());
  url.password = encodeURIComponent(server.getPassword());
  return {
    url,
    stop: async () => {
      await server.stop();
    },
  };
}
