/** A SQL Server and an object server for the tests of a file, and a database and a realm of its own for each of them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { SQLServerAdapter } from '../../connectors/sqlserver/adapter.ts';
import { sqlServerConnector } from '../../connectors/sqlserver/connector.ts';
import { SQLServerRealmLoader } from '../../connectors/sqlserver/loader.ts';
import { parseSqlServerOptions, type SQLServerOptions } from '../../connectors/sqlserver/options.ts';
import type { LoadRequest } from '../../src/connector/load/load-choice.ts';
import { silentLogger } from '../../src/log.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { objectsOf } from '../e2e/bad-input.ts';
import { type Verified, type VerifyRequest, verifyConnector } from '../e2e/verify.ts';
import { ADMIN, Device, IsthmusProcess } from '../support/isthmus-processes.ts';
import { startTestSqlServer, type TestServerOptions, type TestSqlServer } from '../support/sqlserver.ts';
import type { TextRecord } from '../support/sqlserver-connection.ts';
import { prepareDatabase } from './feed-harness.ts';

export const POLL = { timeout: 20_000, interval: 30 };

export const ITEM_TABLE = `CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(10) NOT NULL,
  amount int NULL CONSTRAINT not_negative CHECK (amount >= 0))`;
export const ITEM_MODEL = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string', amount: 'int?' },
};

export class SqlServerBench {
  readonly sqlserver: TestSqlServer;
  readonly server: RunningServer;
  readonly directory: string;
  readonly #closers: (() => Promise<unknown>)[] = [];
  #places = 0;

  private constructor(sqlserver: TestSqlServer, server: RunningServer, directory: string) {
    this.sqlserver = sqlserver;
    this.server = server;
    this.directory = directory;
  }

  static async start(options: TestServerOptions = {}): Promise<SqlServerBench> {
    const directory = await mkdtemp(join(tmpdir(), 'isthmus-sqlserver-bench-'));
    const server = await startServer({
      dataDirectory: join(directory, 'server'),
      port: 0,
      development: true,
      adminUser: ADMIN.username,
      adminPassword: ADMIN.password,
    });
    return new SqlServerBench(await startTestSqlServer(options), server, directory);
  }

  async stop(): Promise<void> {
    await this.closePlaces();
    await this.server.close();
    await this.sqlserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A prepared database, a realm and a directory that nobody else uses; the script is run in the database first. */
  async place(tables: string = ITEM_TABLE): Promise<SqlServerPlace> {
    this.#places += 1;
    const database = await this.sqlserver.createDatabase();
    await prepareDatabase(this.sqlserver, database);
    await this.sqlserver.script(database, tables);
    const directory = join(this.directory, `place${this.#places}`);
    mkdirSync(directory);
    return new SqlServerPlace(this, database, `/place${this.#places}`, directory, (close) =>
      this.#closers.push(close),
    );
  }

  /** Closes adapters and devices and ends processes, the newest first. */
  async closePlaces(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

export class SqlServerPlace {
  readonly database: string;
  readonly path: string;
  readonly directory: string;
  /** Log lines of everything that runs in this process, as `level message {fields}`. */
  readonly log: string[] = [];
  readonly #bench: SqlServerBench;
  readonly #onClose: (close: () => Promise<unknown>) => void;
  #devices = 0;
  #processes = 0;

  constructor(
    bench: SqlServerBench,
    database: string,
    path: string,
    directory: string,
    onClose: (close: () => Promise<unknown>) => void,
  ) {
    this.#bench = bench;
    this.database = database;
    this.path = path;
    this.directory = directory;
    this.#onClose = onClose;
  }

  sql(text: string): Promise<readonly TextRecord[]> {
    return this.#bench.sqlserver.query(this.database, text);
  }

  /** Several batches, parted by `GO`. */
  script(text: string): Promise<void> {
    return this.#bench.sqlserver.script(this.database, text);
  }

  options(changes: Partial<SQLServerOptions> = {}): SQLServerOptions {
    return {
      realmConfig: { server: this.#bench.server.url, user: ADMIN },
      sqlserverConfig: { connectionString: this.#bench.sqlserver.url(this.database) },
      schema: [ITEM_MODEL],
      realmRegex: this.path,
      adapterName: this.database,
      localPath: join(this.directory, 'replica'),
      changePollInterval: 100,
      ...changes,
    };
  }

  /** The library as a program uses it; starting is up to the test. */
  adapter(changes: Partial<SQLServerOptions> = {}): SQLServerAdapter {
    const adapter = new SQLServerAdapter({ logger: this.#logger(), ...this.options(changes) });
    adapter.done.catch(() => {}); // tests that expect it await it themselves
    this.#onClose(() => adapter.close());
    return adapter;
  }

  async started(changes: Partial<SQLServerOptions> = {}): Promise<SQLServerAdapter> {
    const adapter = this.adapter(changes);
    await adapter.start();
    return adapter;
  }

  loader(changes: Partial<SQLServerOptions> = {}): SQLServerRealmLoader {
    const loader = new SQLServerRealmLoader({ logger: this.#logger(), ...this.options(changes) });
    this.#onClose(() => loader.close());
    return loader;
  }

  /** Loads once; names of the tables that were read. */
  async load(
    request: LoadRequest & { readonly resume?: boolean } = {},
    changes: Partial<SQLServerOptions> = {},
  ): Promise<string[]> {
    const loader = this.loader(changes);
    try {
      const report = await loader.init(request);
      return report.tables.map(({ table }) => table.replace('dbo.', ''));
    } finally {
      await loader.close();
    }
  }

  verify(request: VerifyRequest = {}, changes: Partial<SQLServerOptions> = {}): Promise<Verified> {
    const options = parseSqlServerOptions({ ...this.options(changes), logger: silentLogger });
    return verifyConnector(sqlServerConnector(options), request);
  }

  /** A command as a process, with these options in its configuration file. */
  command(
    command: 'adapter' | 'load' | 'doctor' | 'verify',
    changes: Record<string, unknown> = {},
    flags: readonly string[] = [],
  ): IsthmusProcess {
    this.#processes += 1;
    const config = join(this.directory, `config${this.#processes}.json`);
    writeFileSync(config, JSON.stringify({ connector: { ...this.options(), ...changes } }));
    const name = `${command}${this.#processes}`;
    const started = new IsthmusProcess(name, this.directory, [command, '--config', config, ...flags]);
    this.#onClose(() => started.kill());
    return started;
  }

  /** An app with a replica of `path`, which holds what the server has. */
  async device(path = this.path): Promise<Device> {
    this.#devices += 1;
    const directory = join(this.directory, `device${this.#devices}`);
    const device = await Device.open(this.#bench.server.url, directory, path);
    this.#onClose(() => device.close());
    await device.session.downloadCompletion();
    return device;
  }

  /** A running adapter and an app that has the schema, whose writes take. */
  async synced(
    changes: Partial<SQLServerOptions> = {},
  ): Promise<{ adapter: SQLServerAdapter; device: Device }> {
    const adapter = await this.started(changes);
    const device = await this.device();
    await expect.poll(() => device.replica.schema.has(ITEM_MODEL.name), POLL).toBe(true);
    return { adapter, device };
  }

  /** Waits until the rows of a table are exactly these, with their values as texts, by key. */
  async untilRows(rows: readonly TextRecord[], table = 'item'): Promise<void> {
    await expect.poll(() => this.sql(`SELECT * FROM [${table}] ORDER BY 1`), POLL).toEqual(rows);
  }

  /** Waits until the rows and the objects of a class are the same in these columns. */
  async untilSame(device: Device, className: string, columns: string, table = className): Promise<void> {
    const names = columns.split(', ').map((part) => part.split(' AS ').at(-1) ?? part);
    const tokens = (given: readonly Record<string, unknown>[]): string[] =>
      given.map((one) =>
        JSON.stringify(Object.fromEntries(['id', ...names].map((name) => [name, one[name] ?? null]))),
      );
    await expect
      .poll(async () => {
        const found = tokens(await this.sql(`SELECT id, ${columns} FROM [${table}]`));
        const held = tokens(objectsOf(device.replica, className));
        return {
          onlyInTable: found.filter((token) => !held.includes(token)),
          onlyInRealm: held.filter((token) => !found.includes(token)),
        };
      }, POLL)
      .toEqual({ onlyInTable: [], onlyInRealm: [] });
  }

  async untilLogged(text: string | RegExp): Promise<string> {
    const found = (): string | undefined => this.log.find((line) => line.match(text) !== null);
    await expect.poll(() => found() ?? this.log, POLL).toEqual(expect.any(String));
    return found() ?? '';
  }

  #logger() {
    const line =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}): void => {
        this.log.push(`${level} ${message} ${JSON.stringify(fields)}`);
      };
    return {
      error: line('error'),
      warn: line('warn'),
      info: line('info'),
      verbose: () => {},
      debug: () => {},
    };
  }
}

/** The bench of a file, whose places end with their test. */
export function benchSuite(options: TestServerOptions = {}): () => SqlServerBench {
  let bench: SqlServerBench | undefined;
  beforeAll(async () => {
    bench = await SqlServerBench.start(options);
  });
  afterEach(async () => bench?.closePlaces());
  afterAll(async () => bench?.stop());
  return () => {
    if (bench === undefined) throw new Error('the bench was not started');
    return bench;
  };
}
