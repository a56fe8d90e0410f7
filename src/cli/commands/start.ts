/** `isthmus start`: server and adapter in one process. */
import { startServer } from '../../server/start-server.ts';
import { loadConfig } from '../config.ts';
import { syncUntilStopped } from './adapter.ts';
import type { CommandContext } from './context.ts';
import { showGeneratedAdmin } from './server.ts';

export async function runStart(config: string | undefined, context: CommandContext): Promise<void> {
  const configuration = await loadConfig(config);
  const connector = configuration.connector();
  const server = await startServer(configuration.server);
  try {
    showGeneratedAdmin(server, context);
    await syncUntilStopped(connector, context.signal, () => {
      connector.engine.logger.info('Server and adapter run', { url: server.url, appId: server.appId });
    });
  } finally {
    await server.close(); // after the adapter, which is its client
  }
}
