/** Devices and a server for one test, gone when it is over. */
import { onTestFinished } from 'vitest';
import type { RunningServer, ServerOptions } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { ADMIN, startTestServer } from '../server/support/test-server.ts';
import { Device, findSdk, temporaryFolder } from './device.ts';

/** The real SDK, or undefined on machines without it. */
export const SDK = findSdk();

/** Says loudly what is not tested without the SDK. */
export function announceMissingSdk(suite: string, tests: number): void {
  if (SDK !== undefined) return;
  console.warn(
    `\n*** ${suite}: ${tests} tests with the real Realm SDK are SKIPPED: the package "realm" with its native part was ` +
      'not found. Install realm@12.15 beside this project, or name its folder in ISTHMUS_TEST_REALM_SDK. ***\n',
  );
}

export type Fleet = {
  readonly server: Awaited<ReturnType<typeof startTestServer>>;
  /** A device that is logged in, anonymously unless credentials are given. */
  device(credentials?: Readonly<Record<string, unknown>>): Promise<Device>;
  /** A device that is not logged in; with the folder of an earlier one it is that one, started again. */
  bare(folder?: string): Promise<Device & { readonly folder: string }>;
};

export async function fleet(options: Partial<ServerOptions> = {}): Promise<Fleet> {
  const server = await startTestServer({ development: true, ...options });
  const bare = async (folder?: string): Promise<Device & { readonly folder: string }> => {
    const own = folder === undefined ? temporaryFolder() : { path: folder, remove: () => {} };
    onTestFinished(own.remove);
    const device = await Device.start(SDK ?? '', own.path, server.url);
    onTestFinished(() => device.kill());
    return Object.assign(device, { folder: own.path });
  };
  const device = async (
    credentials: Readonly<Record<string, unknown>> = { provider: 'anon-user' },
  ): Promise<Device> => {
    const started = await bare();
    await started.ask('logIn', credentials);
    return started;
  };
  return { server, device, bare };
}

/** Starts the server anew on the port and data of one that was closed. */
export async function startAgain(
  { port, dataDirectory }: { readonly port: number; readonly dataDirectory: string },
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const server = await startServer({
    port,
    dataDirectory,
    adminUser: ADMIN.user,
    adminPassword: ADMIN.password,
    development: true,
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

/** Repeats until it holds; the SDK reports and applies in its own time. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
