/** Servers that are copied, restored and promoted, and a feed that is followed as a connector follows it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresFeedOptions } from '../../../connectors/postgres/options.ts';
import {
  createPostgresDialect,
  type PostgresDialect,
} from '../../../connectors/postgres/postgres-dialect.ts';
import type { ChangeFeed, FeedEvent, FeedKnown, Position } from '../../../src/connector/dialect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { type Logger, silentLogger } from '../../../src/log.ts';

const run = promisify(execFile);
const PATIENCE_MS = 60_000;

/** Asks until the answer is true. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}`);
    await sleep(50);
  }
}

/** A server whose data directory the test may copy. */
export class Machine {
  readonly directory: string;
  #server: EmbeddedPostgres | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(settings: Readonly<Record<string, string>> = {}): Promise<Machine> {
    const machine = new Machine(join(await mkdtemp(join(tmpdir(), 'isthmus-machine-')), 'server'));
    await machine.start(settings);
    return machine;
  }

  get server(): EmbeddedPostgres {
    if (this.#server === undefined) throw new Error('the server does not run');
    return this.#server;
  }

  async start(settings: Readonly<Record<string, string>> = {}, port?: number): Promise<void> {
    this.#server = await startEmbeddedPostgres({
      directory: this.directory,
      settings,
      ...(port === undefined ? {} : { port }),
    });
  }

  async halt(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#server = undefined;
  }

  /** A copy of the files as they are; the server must not run. */
  async copy(): Promise<Machine> {
    const parent = await mkdtemp(join(tmpdir(), 'isthmus-machine-'));
    await run('cp', ['-a', this.directory, join(parent, 'server')]);
    return new Machine(join(parent, 'server'));
  }

  /** Makes a copy what pg_basebackup makes: a standby without the slots of its primary. */
  async becomeStandby(): Promise<void> {
    const data = join(this.directory, 'data');
    for (const name of await readdir(join(data, 'pg_replslot')))
      await rm(join(data, 'pg_replslot', name), { recursive: true });
    await writeFile(join(data, 'standby.signal'), '');
  }

  /** A connection that stays open; the caller ends it. */
  async client(database: string): Promise<pg.Client> {
    const url = new URL(this.server.connectionString);
    url.pathname = `/${database}`;
    const client = new pg.Client({
      connectionString: url.href,
      types: { getTypeParser: () => (value: string) => value },
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async sql(database: string, text: string): Promise<readonly Record<string, string | null>[]> {
    const client = await this.client(database);
    try {
      const result = await client.query<Record<string, string | null>>(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  }

  dialect(
    database: string,
    options: { adapterName?: string; feed?: Partial<PostgresFeedOptions>; logger?: Logger } = {},
  ): PostgresDialect {
    const { host, port, user, password } = this.server;
    return createPostgresDialect({
      connection: {
        host,
        port,
        user,
        password,
        database,
        connectionString: undefined,
        ssl: undefined,
        connectTimeoutMilliseconds: 10_000,
        retryQuery: { numberOfRetries: 0, delayInMilliseconds: 0 },
      },
      schema: 'public',
      customTypes: new Map(),
      engine: {
        adapterName: options.adapterName ?? database,
        logger: options.logger ?? silentLogger,
        printCommands: false,
      },
      feed: { failover: false, waitMilliseconds: undefined, warnBytes: 1n << 30n, ...options.feed },
    });
  }

  async remove(): Promise<void> {
    await this.halt();
    await rm(join(this.directory, '..'), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Follows a feed as a connector does: what was delivered is remembered with its source, then confirmed. */
export class Follower {
  known: FeedKnown = { position: undefined, committed: undefined, source: undefined };
  /** First values of the rows that were inserted. */
  readonly inserted: string[] = [];
  #abort = new AbortController();
  #feed: ChangeFeed | undefined;
  #done: Promise<unknown> = Promise.resolve();

  async follow(dialect: PostgresDialect): Promise<void> {
    this.#abort = new AbortController();
    const feed = await dialect.openFeed(this.known.position, this.#abort.signal, this.known);
    this.known = { ...this.known, source: feed.source, position: feed.after };
    this.#feed = feed;
    this.#done = this.#read(feed).catch((error: unknown) => error);
  }

  async #read(feed: ChangeFeed): Promise<void> {
    for await (const events of feed.events) for (const event of events) this.#take(feed, event);
  }

  #take(feed: ChangeFeed, event: FeedEvent): void {
    if (event.kind === 'change' && event.change.kind === 'insert')
      this.inserted.push(String(event.change.row[0]));
    if (event.kind !== 'commit' && event.kind !== 'idle') return;
    this.#remember(event.position, event.kind === 'commit');
    feed.confirm(event.position);
  }

  #remember(position: Position, committed: boolean): void {
    this.known = { ...this.known, position, ...(committed ? { committed: position } : {}) };
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await this.#feed?.close();
  }
}

/** Collects what is logged, as `level message`. */
export function recordingLogger(lines: string[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    verbose: at('verbose'),
    debug: at('debug'),
  };
}
