/** The demo on a SQL Server: the one that ISTHMUS_SQLSERVER_URL names, or else the simulator of the tests. */
import { sqlServerConnector } from '../../../connectors/sqlserver/connector.ts';
import type { SQLServerOptions } from '../../../connectors/sqlserver/options.ts';
import { parseSqlServerOptions } from '../../../connectors/sqlserver/options.ts';
import { chinookModels } from '../../../models/chinook.ts';
import * as names from '../../../models/chinook-sqlserver-mapping.ts';
import { createLogger } from '../../logging/logger.ts';
import type { DemoConnection, DemoDatabase } from './demo-database.ts';
import { freePort } from './free-port.ts';
import { CHINOOK_DATABASE, fillChinook } from './sqlserver-chinook.ts';
import { type SimulatorProcess, startSimulator } from './sqlserver-simulator.ts';

const FIRST_PORT = 14330;

type SqlServerConfig = NonNullable<SQLServerOptions['sqlserverConfig']>;

/** Starts the simulator that is kept in `directory` unless there is a server to use. */
export async function startSqlServerDemo(directory: string, port: number | undefined): Promise<DemoDatabase> {
  const url = process.env.ISTHMUS_SQLSERVER_URL;
  if (url !== undefined && url !== '') {
    return demoOn({ connectionString: url }, 'ISTHMUS_SQLSERVER_URL names the SQL Server of this demo', {
      client: `sqlcmd -S <your server> -d ${CHINOOK_DATABASE}`,
      stop: async () => {},
    });
  }
  const simulator = await startSimulator(directory, port ?? (await freePort(FIRST_PORT)));
  const { host: server, user, password } = simulator;
  const config = { server, port: simulator.port, user, password, options: { encrypt: false } };
  return demoOn(config, introductionOf(simulator), {
    client: `tsql -H ${server} -p ${simulator.port} -U ${user} -P ${password} -D ${CHINOOK_DATABASE}`,
    stop: () => simulator.stop(),
  });
}

function introductionOf({ port }: SimulatorProcess): string {
  return `No SQL Server is named (ISTHMUS_SQLSERVER_URL), so a SIMULATOR of one runs on port ${port}: it knows what Isthmus needs of T-SQL and change tracking, no more, and is no SQL Server`;
}

function demoOn(
  config: SqlServerConfig,
  introduction: string,
  { client, stop }: Pick<DemoDatabase, 'client' | 'stop'>,
): DemoDatabase {
  const example = `printf "UPDATE Artist SET Name = N'AC⚡DC' WHERE ArtistId = 1\\nGO\\n" | ${client}`;
  return {
    product: 'SQL Server',
    introduction,
    client,
    example,
    fill: () => fillChinook(contextOf(config)),
    connector: (connection) => sqlServerConnector(parseSqlServerOptions(optionsOf(config, connection))),
    stop,
  };
}

function optionsOf(
  sqlserverConfig: SqlServerConfig,
  { serverUrl, user, realmPath, localPath, logger }: DemoConnection,
): SQLServerOptions {
  return {
    realmConfig: { server: serverUrl, user },
    dbName: CHINOOK_DATABASE,
    sqlserverConfig,
    realmRegex: realmPath,
    mapSQLServerChangeToRealmPath: realmPath,
    schema: chinookModels,
    ...names,
    adapterName: 'isthmus_demo',
    localPath,
    logger,
  };
}

/** For the time before there is an object server to connect to. */
function contextOf(config: SqlServerConfig): Parameters<typeof fillChinook>[0] {
  const nowhere = {
    serverUrl: 'http://127.0.0.1',
    user: { username: 'nobody', password: '' },
    realmPath: '/none',
    localPath: '.',
  };
  const { connection, engine } = parseSqlServerOptions(
    optionsOf(config, { ...nowhere, logger: createLogger({ level: 'warn' }) }),
  );
  return { connection, logger: engine.logger, printCommands: false };
}
