/** Chinook on a SQL Server: the simulator as a process of its own, which can be killed, or a real server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConnectionConfiguration } from 'tedious';
import { compoundPrimaryKeys, mapRealmPropertyName } from '../../models/chinook-sqlserver-mapping.ts';
import { type Deployment, deploy, freePort } from '../support/isthmus-processes.ts';
import { batchesOf } from '../support/sqlserver.ts';
import { TestConnection } from '../support/sqlserver-connection.ts';
import { type ChinookTables, columnsOf, plainDecimal } from './compare.ts';

export const REALM = '/chinook';
const DATABASE = 'Chinook';
const PROGRAM = fileURLToPath(new URL('../simulators/sqlserver/program.ts', import.meta.url));

export class SimulatorProcess {
  readonly #directory: string;
  readonly port: number;
  user = '';
  password = '';
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.port = port;
  }

  static async start(directory: string): Promise<SimulatorProcess> {
    const simulator = new SimulatorProcess(join(directory, 'sqlserver'), await freePort());
    await simulator.start();
    return simulator;
  }

  /** Resolves when it can be connected to. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [PROGRAM, '--directory', this.#directory, '--port', String(this.port)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    for await (const chunk of child.stdout) {
      const told: unknown = JSON.parse(String(chunk));
      if (typeof told !== 'object' || told === null || !('user' in told && 'password' in told)) continue;
      this.user = String(told.user);
      this.password = String(told.password);
      return;
    }
    throw new Error('the simulator ended');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  connect(database = DATABASE): Promise<TestConnection> {
    const configuration: ConnectionConfiguration = {
      server: '127.0.0.1',
      authentication: { type: 'default', options: { userName: this.user, password: this.password } },
      options: { port: this.port, database, encrypt: false, requestTimeout: 60_000, useUTC: true },
    };
    return TestConnection.open(configuration);
  }
}

/** Fills the database as a user would, and makes the configuration in `directory`. */
export async function deployChinook(simulator: SimulatorProcess, directory: string): Promise<Deployment> {
  const master = await simulator.connect('master');
  await master.query(`CREATE DATABASE [${DATABASE}]`);
  await master.query(`ALTER DATABASE [${DATABASE}] SET CHANGE_TRACKING = ON`);
  await master.query(`ALTER DATABASE [${DATABASE}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
  await master.close();
  const script = readFileSync(new URL('../../data/chinook/Chinook_SqlServer.sql', import.meta.url), 'utf8');
  const chinook = await simulator.connect();
  for (const batch of batchesOf(script))
    if (!/\b(DROP|CREATE) DATABASE\b|^\s*USE\b/im.test(batch)) await chinook.query(batch);
  await chinook.close();
  const { port, user, password } = simulator;
  const imports = `import { chinookModels } from '~/models/chinook.ts';
import * as mapping from '~/models/chinook-sqlserver-mapping.ts';`;
  const server = { server: '127.0.0.1', port, user, password, options: { encrypt: false } };
  // A change that the database refuses would be a fault of the test or of ours: it must stop the adapter, not hide.
  const connector = `dbName: '${DATABASE}', sqlserverConfig: ${JSON.stringify(server)},
    realmRegex: '^${REALM}$', mapSQLServerChangeToRealmPath: '${REALM}', changePollInterval: 200,
    schema: chinookModels, ...mapping, ignoreSQLerrors: false`;
  return deploy(directory, imports, connector);
}

export function sqlServerTables(connection: TestConnection): ChinookTables {
  return {
    rows: async (className) => {
      const { key, types } = columnsOf(className);
      const parts = Object.entries(compoundPrimaryKeys).find(([name]) => name === className)?.[1];
      const keys = parts?.map(({ dbColumn }) => dbColumn) ?? [mapRealmPropertyName(className, key)];
      const select = [
        ...keys.map((name, index) => `CONVERT(varchar(20), [${name}]) AS k${index}`),
        ...[...types].map(
          ([property, type], index) =>
            `${textOf(mapRealmPropertyName(className, property), type)} AS c${index}`,
        ),
      ];
      const rows = await connection.query(`SELECT ${select.join(', ')} FROM [${className}]`);
      return new Map(
        rows.map((row) => [
          keys.map((_, index) => row[`k${index}`]).join('-'),
          new Map(
            [...types].map(([property, type], index) => [property, shown(row[`c${index}`] ?? null, type)]),
          ),
        ]),
      );
    },
    favourites: async () => {
      const rows = await connection.query(
        'SELECT CONVERT(varchar(20), oid) AS oid, CONVERT(varchar(10), idx) AS idx, CONVERT(varchar(20), target) AS target FROM [__Playlist__favourites] ORDER BY oid, [__Playlist__favourites].idx',
      );
      const lists = Map.groupBy(rows, ({ oid }) => oid ?? '');
      return new Map(
        [...lists].map(([oid, items]) => [oid, items.map(({ idx, target }) => `${idx}:${target}`).join(',')]),
      );
    },
  };
}

function textOf(column: string, type: string): string {
  if (type === 'date') return `CONVERT(varchar(33), [${column}], 126)`;
  return type === 'string' ? `[${column}]` : `CONVERT(varchar(50), [${column}])`;
}

function shown(text: string | null, type: string): string | null {
  if (text === null) return null;
  if (type === 'date') return String(BigInt(Date.parse(`${text}Z`)) * 1000n);
  return type === 'decimal128' ? plainDecimal(text) : text;
}
