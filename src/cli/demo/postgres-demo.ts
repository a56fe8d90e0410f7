/** The demo on an embedded PostgreSQL. */
import { postgresConnector } from '../../../connectors/postgres/connector.ts';
import { parsePostgresOptions } from '../../../connectors/postgres/options.ts';
import { chinookModels } from '../../../models/chinook.ts';
import * as names from '../../../models/chinook-mapping.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../embedded/postgres.ts';
import type { DemoConnection, DemoDatabase } from './demo-database.ts';
import { freePort } from './free-port.ts';
import { CHINOOK_DATABASE, fillChinook } from './postgres-chinook.ts';

const FIRST_PORT = 54320;

/** Starts the server that is kept in `directory`. */
export async function startPostgresDemo(directory: string, port: number | undefined): Promise<DemoDatabase> {
  const postgres = await startEmbeddedPostgres({ directory, port: port ?? (await freePort(FIRST_PORT)) });
  const client = `psql ${chinookUrl(postgres)}`;
  return {
    product: 'PostgreSQL',
    introduction: `PostgreSQL runs on port ${postgres.port}`,
    client,
    example: `${client} -c "UPDATE artist SET name = 'AC⚡DC' WHERE artist_id = 1"`,
    fill: () => fillChinook(postgres),
    connector: (connection) => connectorTo(postgres, connection),
    stop: () => postgres.stop(),
  };
}

function chinookUrl({ user, password, host, port }: EmbeddedPostgres): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${CHINOOK_DATABASE}`;
}

function connectorTo(
  { host, port, user, password }: EmbeddedPostgres,
  { serverUrl, user: administrator, realmPath, localPath, logger }: DemoConnection,
): ReturnType<DemoDatabase['connector']> {
  return postgresConnector(
    parsePostgresOptions({
      realmConfig: { server: serverUrl, user: administrator },
      dbName: CHINOOK_DATABASE,
      postgresConfig: { host, port, user, password },
      realmRegex: realmPath,
      mapPostgresChangeToRealmPath: realmPath,
      schema: chinookModels,
      ...names,
      adapterName: 'isthmus_demo',
      localPath,
      logger,
    }),
  );
}
