/** `isthmus server`: the object server alone. */

import type { RunningServer } from '../../server/server-options.ts';
import { startServer } from '../../server/start-server.ts';
import { loadConfig } from '../config.ts';
import { aborted } from '../stop-signals.ts';
import type { CommandContext } from './context.ts';

export async function runServer(config: string | undefined, context: CommandContext): Promise<void> {
  const { server: options } = await loadConfig(config);
  const server = await startServer(options);
  try {
    showGeneratedAdmin(server, context);
    await aborted(context.signal);
  } finally {
    await server.close();
  }
}

/** A password that was made up is shown once, here, and kept nowhere in clear. */
export function showGeneratedAdmin(server: RunningServer, { say }: CommandContext): void {
  if (server.generatedAdmin === undefined) return;
  const { user, password } = server.generatedAdmin;
  say(`Administrator ${user} was made with the password ${password}`);
  say('Keep it: it is shown this once. Set adminPassword or ISTHMUS_ADMIN_PASSWORD to choose your own.');
}
