/** Servers with a directory of their own that tests start and forget. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunningServer, ServerOptions } from '../../../src/server/server-options.ts';
import { startServer } from '../../../src/server/start-server.ts';

export const ADMIN = { user: 'root', password: 'correct horse' } as const;

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'isthmus-server-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A server on a free port that is closed, and its directory removed, when the test is over. */
export async function startTestServer(
  options: Partial<ServerOptions> = {},
): Promise<RunningServer & { readonly dataDirectory: string }> {
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory());
  const server = await startServer({
    port: 0,
    adminUser: ADMIN.user,
    adminPassword: ADMIN.password,
    ...options,
    dataDirectory,
  });
  onTestFinished(() => server.close());
  return { ...server, dataDirectory };
}
