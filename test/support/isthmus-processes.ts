/** `isthmus` commands as real processes, as a user runs them, and a client of the server they run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { SyncClient } from '../../src/client/sync-client.ts';
import type { SyncSession } from '../../src/client/sync-session.ts';
import { logIn } from '../../src/client/user.ts';
import { silentLogger } from '../../src/log.ts';
import { openReplicaStore, type SqliteReplicaStore } from '../../src/store/replica/open-replica-store.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ADMIN = { username: 'admin', password: 'secret-of-admin' };

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** One `isthmus` command; its output goes to `<directory>/<name>.log`. */
export class IsthmusProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly exited: Promise<number>;

  constructor(name: string, directory: string, args: readonly string[]) {
    this.name = name;
    this.#log = join(directory, `${name}.log`);
    const log = createWriteStream(this.#log, { flags: 'a' });
    this.#child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    this.exited = once(this.#child, 'exit').then(([code]) => {
      log.end();
      return typeof code === 'number' ? code : 128;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** Peak resident memory in bytes, while the process lives. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    return await this.exited;
  }
}

export type Deployment = {
  readonly directory: string;
  readonly url: string;
  readonly config: string;
  start(command: 'server' | 'adapter' | 'load'): IsthmusProcess;
};

/** A configuration file for one server and one connector in `directory`. `connector` is JavaScript source. */
export async function deploy(directory: string, imports: string, connector: string): Promise<Deployment> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'config.ts');
  const source = imports.replaceAll('~/', `${ROOT}/`);
  const user = JSON.stringify(ADMIN);
  writeFileSync(
    config,
    `${source}
export default {
  server: {
    dataDirectory: ${JSON.stringify(join(directory, 'server'))}, port: ${port}, development: true,
    adminUser: ${JSON.stringify(ADMIN.username)}, adminPassword: ${JSON.stringify(ADMIN.password)},
  },
  connector: {
    realmConfig: { server: ${JSON.stringify(url)}, user: ${user} },
    localPath: ${JSON.stringify(join(directory, 'adapter'))},
    ${connector}
  },
};
`,
  );
  return {
    directory,
    url,
    config,
    start: (command) => new IsthmusProcess(command, directory, [command, '--config', config]),
  };
}

/** Resolves when the server answers; throws with its log when its process ends instead. */
export async function untilServing(deployment: Deployment, server: IsthmusProcess): Promise<void> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (;;) {
    if (ended) throw new Error(`the server ended:\n${server.log}`);
    const healthy = await fetch(`${deployment.url}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return;
    await sleep(20);
  }
}

/** A device: a replica of one realm that syncs as any app does. */
export class Device {
  readonly store: SqliteReplicaStore;
  readonly session: SyncSession;
  readonly #client: SyncClient;
  readonly path: string;

  private constructor(store: SqliteReplicaStore, client: SyncClient, path: string) {
    this.store = store;
    this.#client = client;
    this.path = path;
    this.session = client.open(store.replica(path));
  }

  static async open(url: string, directory: string, path: string): Promise<Device> {
    const user = await logIn({ baseUrl: url, credentials: { provider: 'local-userpass', ...ADMIN } });
    const store = openReplicaStore(directory, { observer: queueMergedTransactions });
    const backOff = { firstMilliseconds: 100, maxMilliseconds: 1000 };
    return new Device(store, new SyncClient({ user, logger: silentLogger, backOff }), path);
  }

  get replica() {
    return this.store.replica(this.path);
  }

  async close(): Promise<void> {
    await this.#client.close();
    this.store.close();
  }
}
