/** Chinook on a SQL Server, for the convergence suite: the simulator as a process of its own, or a real server. */
import { readFileSync } from 'node:fs';
import { mapRealmPropertyName } from '../../models/chinook-sqlserver-mapping.ts';
import { type Deployment, deploy } from '../support/isthmus-processes.ts';
import { simulated, startTestSqlServer, type TestSqlServer } from '../support/sqlserver.ts';
import {
  type ChinookConnection,
  type ChinookDatabase,
  type ChinookTarget,
  type Outcome,
  REALM,
} from './chinook-database.ts';
import { type Naming, statementOf } from './row-change-sql.ts';
import { SimulatorProcess } from './simulator-process.ts';
import { sqlServerTables } from './sqlserver-tables.ts';

const NAMING: Naming = {
  table: (className) => `[${className}]`,
  column: (className, property) => `[${mapRealmPropertyName(className, property)}]`,
  parameter: (place) => `@p${place}`,
};
/** A row that is still referenced. */
const FOREIGN_KEY = 547;
const DEADLOCK = 1205;

export const sqlServerChinook: ChinookTarget = {
  name: 'SQL Server',
  crashesAt: simulated ? [450, 900] : [],
  start: async (directory) => {
    const simulator = simulated ? await SimulatorProcess.start(directory) : undefined;
    const server = simulator?.server ?? (await startTestSqlServer());
    const database = await server.createDatabase();
    await fillChinook(server, database);
    const ownSimulator = (): SimulatorProcess => {
      if (simulator === undefined) throw new Error('this test needs the simulator');
      return simulator;
    };
    const started: ChinookDatabase = {
      deployment: await deployChinook(server, database, directory),
      connect: () => connect(server, database),
      crash: () => server.crashAndRestart(),
      // A server without triggers: its journal has them all from the beginning.
      recordCheckpoints: async () => {},
      recordedCheckpoints: async () => ownSimulator().checkpoints(REALM),
      stop: () => server.stop(),
    };
    return started;
  },
};

/** As a user would who starts from the script, which makes a database of a fixed name. */
async function fillChinook(server: TestSqlServer, database: string): Promise<void> {
  await server.query('master', `ALTER DATABASE [${database}] SET CHANGE_TRACKING = ON`);
  await server.query('master', `ALTER DATABASE [${database}] SET ALLOW_SNAPSHOT_ISOLATION ON`);
  const script = readFileSync(new URL('../../data/chinook/Chinook_SqlServer.sql', import.meta.url), 'utf8');
  const batches = script.split(/^(?=[ \t]*GO[ \t]*\r?$)/im);
  const own = batches.filter((batch) => !/\b(DROP|CREATE) DATABASE\b|^\s*USE\b/im.test(batch));
  await server.script(database, own.join(''));
}

function deployChinook(server: TestSqlServer, database: string, directory: string): Promise<Deployment> {
  const { host, port, user, password } = server;
  const { encrypt, trustServerCertificate } = server.driverConfig().options ?? {};
  const sqlserverConfig = {
    server: host,
    port,
    user,
    password,
    options: { encrypt: encrypt === true, trustServerCertificate: trustServerCertificate === true },
  };
  const imports = `import { chinookModels } from '~/models/chinook.ts';
import * as mapping from '~/models/chinook-sqlserver-mapping.ts';`;
  // A change that the database refuses would be a fault of the test or of ours: it must stop the adapter, not hide.
  const connector = `dbName: '${database}', sqlserverConfig: ${JSON.stringify(sqlserverConfig)},
    realmRegex: '^${REALM}$', mapSQLServerChangeToRealmPath: '${REALM}', changePollInterval: 200,
    schema: chinookModels, ...mapping, ignoreSQLerrors: false`;
  return deploy(directory, imports, connector);
}

async function connect(server: TestSqlServer, database: string): Promise<ChinookConnection> {
  const connection = await server.connect(database);
  const number = async (sql: string): Promise<number> => {
    const [row] = await connection.query(sql);
    return Number(row?.value);
  };
  return {
    tables: sqlServerTables(connection),
    apply: async (changes) => {
      try {
        await connection.transaction(async () => {
          for (const change of changes) {
            const { text, values } = statementOf(change, NAMING);
            await connection.query(text, values);
          }
        });
        return 'committed';
      } catch (error) {
        return outcomeOf(error);
      }
    },
    checkpoint: () =>
      number(`SELECT [sequence] AS [value] FROM [isthmus].[checkpoint] WHERE [realm] = N'${REALM}'`),
    deadLetters: () => number('SELECT COUNT(*) AS [value] FROM [isthmus].[dead_letter]'),
    close: () => connection.close(),
  };
}

/** Errors of the server have numbers; without one, it is the connection that failed. */
function outcomeOf(error: unknown): Outcome {
  const number = error instanceof Error && 'number' in error ? error.number : undefined;
  if (number === undefined) return 'lost';
  if (number === FOREIGN_KEY || number === DEADLOCK) return 'refused';
  throw error;
}
