/**
 * `isthmus demo`: an embedded PostgreSQL with the Chinook database, the object server, the loader and the adapter in
 * one process. Everything is kept in one directory, so the next start goes on where this one stopped.
 */
import { z } from 'zod';
import { postgresConnector } from '../../../connectors/postgres/connector.ts';
import { parsePostgresOptions } from '../../../connectors/postgres/options.ts';
import { chinookModels } from '../../../models/chinook.ts';
import {
  compoundPrimaryKeys,
  mapPostgresColumnName,
  mapPostgresTableName,
  mapRealmClassName,
  mapRealmPropertyName,
} from '../../../models/chinook-mapping.ts';
import { validate, wholeNumber } from '../../config/validation.ts';
import type { ConfiguredConnector } from '../../connector/runtime/configured-connector.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../embedded/postgres.ts';
import type { Logger } from '../../log.ts';
import { createLogger } from '../../logging/logger.ts';
import type { RunningServer } from '../../server/server-options.ts';
import { startServer } from '../../server/start-server.ts';
import { syncUntilStopped } from '../commands/adapter.ts';
import type { CommandContext } from '../commands/context.ts';
import { loadWithProgress } from '../commands/load.ts';
import { DEFAULT_SERVER_PORT } from '../server-section.ts';
import { CHINOOK_DATABASE, fillChinook } from './chinook-database.ts';
import { DemoDirectory } from './demo-directory.ts';
import { connectionsText, transactionText } from './demo-text.ts';
import { freePort } from './free-port.ts';

/** As commander hands them over. */
export type DemoArguments = {
  readonly data: string;
  readonly reset?: boolean;
  readonly port?: string;
  readonly postgresPort?: string;
};

const POSTGRES_PORT = 54320;
const LARGEST_PORT = 65_535;
const REALM_PATH = '/chinook';
const ADMIN_USER = 'demo-admin';

const portsSchema = z.object({
  port: wholeNumber(1, LARGEST_PORT).optional(),
  'postgres-port': wholeNumber(1, LARGEST_PORT).optional(),
});

export async function runDemo(args: DemoArguments, context: CommandContext): Promise<void> {
  const ports = validate('The command line', portsSchema, {
    port: args.port,
    'postgres-port': args.postgresPort,
  });
  if (args.reset === true) await DemoDirectory.reset(args.data);
  const directory = DemoDirectory.open(args.data);
  // On a terminal the demo tells its story itself; elsewhere the log is the story.
  const logger = createLogger({ level: context.screen.isTTY === true ? 'warn' : 'info' });
  const tell = context.screen.isTTY === true ? context.say : (line: string) => logger.info(line);
  const postgres = await startEmbeddedPostgres({
    directory: directory.below('postgres'),
    port: ports['postgres-port'] ?? (await freePort(POSTGRES_PORT)),
  });
  try {
    tell(`PostgreSQL runs on port ${postgres.port}`);
    if (await fillChinook(postgres)) tell('The Chinook database was created and filled');
    if (context.signal.aborted) return;
    const server = await startServer({
      dataDirectory: directory.below('server'),
      port: ports.port ?? (await freePort(DEFAULT_SERVER_PORT)),
      adminUser: ADMIN_USER,
      adminPassword: directory.state.adminPassword,
      development: true,
      logger,
    });
    try {
      tell(`The object server runs at ${server.url}, in development mode`);
      await syncDemo(directory, postgres, server, logger, context);
    } finally {
      await server.close();
    }
  } finally {
    await postgres.stop();
    tell('Stopped');
  }
}

async function syncDemo(
  directory: DemoDirectory,
  postgres: EmbeddedPostgres,
  server: RunningServer,
  logger: Logger,
  context: CommandContext,
): Promise<void> {
  const connector = configuredConnector(directory, postgres, server, logger);
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
        connectionString: chinookUrl(postgres),
        url: server.url,
        appId: server.appId,
        realmPath: REALM_PATH,
        adminUser: server.adminUser,
        adminPassword: directory.state.adminPassword,
        directory: directory.path,
      });
      for (const line of lines) context.say(line);
    },
    (transaction) => tell(withTime(transactionText(transaction))),
  );
}

function chinookUrl({ user, password, host, port }: EmbeddedPostgres): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${CHINOOK_DATABASE}`;
}

function configuredConnector(
  directory: DemoDirectory,
  postgres: EmbeddedPostgres,
  server: RunningServer,
  logger: Logger,
): ConfiguredConnector {
  const { host, port, user, password } = postgres;
  const options = parsePostgresOptions({
    realmConfig: {
      server: server.url,
      user: { username: ADMIN_USER, password: directory.state.adminPassword },
    },
    dbName: CHINOOK_DATABASE,
    postgresConfig: { host, port, user, password },
    realmRegex: REALM_PATH,
    mapPostgresChangeToRealmPath: REALM_PATH,
    schema: chinookModels,
    compoundPrimaryKeys,
    mapPostgresTableName,
    mapRealmClassName,
    mapPostgresColumnName,
    mapRealmPropertyName,
    adapterName: 'isthmus_demo',
    localPath: directory.below('adapter'),
    logger,
  });
  return postgresConnector(options);
}
