/**
 * `isthmus demo`: a database with the Chinook music shop, the object server, the loader and the adapter, started with
 * one command. Everything is kept in one directory, so the next start goes on where this one stopped.
 */
import { z } from 'zod';
import { validate, wholeNumber } from '../../config/validation.ts';
import type { Logger } from '../../log.ts';
import { createLogger } from '../../logging/logger.ts';
import type { RunningServer } from '../../server/server-options.ts';
import { startServer } from '../../server/start-server.ts';
import { syncUntilStopped } from '../commands/adapter.ts';
import type { CommandContext } from '../commands/context.ts';
import { loadWithProgress } from '../commands/load.ts';
import { DEFAULT_SERVER_PORT } from '../server-section.ts';
import type { DemoDatabase } from './demo-database.ts';
import { DemoDirectory } from './demo-directory.ts';
import { connectionsText, transactionText } from './demo-text.ts';
import { freePort } from './free-port.ts';

/** As commander hands them over. */
export type DemoArguments = {
  readonly data?: string;
  readonly database: string;
  readonly reset?: boolean;
  readonly port?: string;
  readonly postgresPort?: string;
  readonly sqlserverPort?: string;
};

const LARGEST_PORT = 65_535;
const REALM_PATH = '/chinook';
const ADMIN_USER = 'demo-admin';
/** Each product keeps a demo of its own. */
const DIRECTORIES = { postgres: '.isthmus/demo', sqlserver: '.isthmus/demo-sqlserver' } as const;

const argumentsSchema = z.object({
  database: z.enum(['postgres', 'sqlserver'], { error: 'postgres or sqlserver' }),
  port: wholeNumber(1, LARGEST_PORT).optional(),
  'postgres-port': wholeNumber(1, LARGEST_PORT).optional(),
  'sqlserver-port': wholeNumber(1, LARGEST_PORT).optional(),
});
type Chosen = z.infer<typeof argumentsSchema>;

export async function runDemo(args: DemoArguments, context: CommandContext): Promise<void> {
  const chosen = validate('The command line', argumentsSchema, {
    database: args.database,
    port: args.port,
    'postgres-port': args.postgresPort,
    'sqlserver-port': args.sqlserverPort,
  });
  const path = args.data ?? DIRECTORIES[chosen.database];
  if (args.reset === true) await DemoDirectory.reset(path);
  const directory = DemoDirectory.open(path, chosen.database);
  // On a terminal the demo tells its story itself; elsewhere the log is the story.
  const logger = createLogger({ level: context.screen.isTTY === true ? 'warn' : 'info' });
  const tell = context.screen.isTTY === true ? context.say : (line: string) => logger.info(line);
  const database = await startDatabase(directory, chosen);
  try {
    tell(database.introduction);
    if (await database.fill()) tell('The Chinook database was created and filled');
    if (context.signal.aborted) return;
    const server = await startServer({
      dataDirectory: directory.below('server'),
      port: chosen.port ?? (await freePort(DEFAULT_SERVER_PORT)),
      adminUser: ADMIN_USER,
      adminPassword: directory.state.adminPassword,
      development: true,
      logger,
    });
    try {
      tell(`The object server runs at ${server.url}, in development mode`);
      await syncDemo(directory, database, server, logger, context);
    } finally {
      await server.close();
    }
  } finally {
    await database.stop();
    tell('Stopped');
  }
}

/** What a demo of the other product needs is not even read. */
async function startDatabase(directory: DemoDirectory, chosen: Chosen): Promise<DemoDatabase> {
  if (chosen.database === 'postgres') {
    const { startPostgresDemo } = await import('./postgres-demo.ts');
    return startPostgresDemo(directory.below('postgres'), chosen['postgres-port']);
  }
  const { startSqlServerDemo } = await import('./sqlserver-demo.ts');
  return startSqlServerDemo(directory.below('sqlserver'), chosen['sqlserver-port']);
}

async function syncDemo(
  directory: DemoDirectory,
  database: DemoDatabase,
  server: RunningServer,
  logger: Logger,
  context: CommandContext,
): Promise<void> {
  const connector = database.connector({
    serverUrl: server.url,
    user: { username: ADMIN_USER, password: directory.state.adminPassword },
    realmPath: REALM_PATH,
    localPath: directory.below('adapter'),
    logger,
  });
  const onTerminal = context.screen.isTTY === true;
  const tell = onTerminal ? context.say : (line: string) => logger.info(line);
  // A log has the time on every line already.
  const withTime = (line: string): string =>
    onTerminal ? `${new Date().toTimeString().slice(0, 8)}  ${line}` : line;
  if (directory.state.loaded) tell('The realm was loaded at an earlier start and goes on from there');
  else if (!context.signal.aborted) {
    await loadWithProgress(connector, context);
    directory.markLoaded();
  }
  if (context.signal.aborted) return;
  await syncUntilStopped(
    connector,
    context.signal,
    () => {
      const lines = connectionsText({
        database,
        url: server.url,
        appId: server.appId,
        realmPath: REALM_PATH,
        adminUser: server.adminUser,
        adminPassword: directory.state.adminPassword,
        directory: directory.path,
      });
      for (const line of lines) context.say(line);
    },
    (transaction) => tell(withTime(transactionText(database.product, transaction))),
  );
}
