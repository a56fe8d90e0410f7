/** One database server and one object server for a suite of mistakes, and a place of its own for each of them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PostgresAdapter } from '../../connectors/postgres/adapter.ts';
import { feedName } from '../../connectors/postgres/feed/feed-name.ts';
import { PostgresRealmLoader } from '../../connectors/postgres/loader.ts';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { IsthmusError } from '../../src/errors.ts';
import type { PrimaryKey, ScalarValue } from '../../src/schema/value.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import type { ReplicaReader } from '../../src/store/replica/contract.ts';
import { ADMIN, Device, IsthmusProcess } from '../support/isthmus-processes.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';

const POLL = { timeout: 20_000, interval: 30 };

/** What most places sync: a short name that must be there, an amount that must not be negative. */
export const ITEM_TABLE = `CREATE TABLE item (id integer PRIMARY KEY, name varchar(10) NOT NULL,
  amount integer CHECK (amount >= 0))`;
export const ITEM_MODEL = {
  name: 'item',
  primaryKey: 'id',
  properties: { id: 'int', name: 'string', amount: 'int?' },
};

export class Bench {
  readonly postgres: TestPostgres;
  readonly server: RunningServer;
  readonly directory: string;
  readonly #closers: (() => Promise<unknown>)[] = [];
  #places = 0;

  private constructor(postgres: TestPostgres, server: RunningServer, directory: string) {
    this.postgres = postgres;
    this.server = server;
    this.directory = directory;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Bench> {
    const directory = await mkdtemp(join(tmpdir(), 'isthmus-bad-input-'));
    const server = await startServer({
      dataDirectory: join(directory, 'server'),
      port: 0,
      development: true,
      adminUser: ADMIN.username,
      adminPassword: ADMIN.password,
    });
    return new Bench(await startTestPostgres(settings), server, directory);
  }

  async stop(): Promise<void> {
    await this.closePlaces();
    await this.server.close();
    await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A database, a realm and a directory that nobody else uses. `tables` is run in the database first. */
  async place(tables: string = ITEM_TABLE): Promise<Place> {
    this.#places += 1;
    const database = await this.postgres.createDatabase();
    if (tables !== '') await this.postgres.query(database, tables);
    const directory = join(this.directory, `place${this.#places}`);
    mkdirSync(directory);
    return new Place(this, database, `/place${this.#places}`, directory, (close) =>
      this.#closers.push(close),
    );
  }

  /** Closes adapters and devices and ends processes, the newest first. */
  async closePlaces(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

export class Place {
  readonly database: string;
  readonly path: string;
  readonly directory: string;
  /** Log lines of everything that runs in this process, as `level message {fields}`. */
  readonly log: string[] = [];
  readonly #bench: Bench;
  readonly #onClose: (close: () => Promise<unknown>) => void;
  #devices = 0;
  #processes = 0;

  constructor(
    bench: Bench,
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

  /** Name of slot and publication. */
  get slot(): string {
    return feedName(this.database);
  }

  sql(text: string, values: readonly unknown[] = []): ReturnType<TestPostgres['query']> {
    return this.#bench.postgres.query(this.database, text, values);
  }

  options(changes: Partial<PostgresOptions> = {}): PostgresOptions {
    const { host, port, user, password } = this.#bench.postgres;
    return {
      realmConfig: { server: this.#bench.server.url, user: ADMIN },
      dbName: this.database,
      postgresConfig: { host, port, user, password },
      schema: [ITEM_MODEL],
      realmRegex: this.path,
      adapterName: this.database,
      localPath: join(this.directory, 'replica'),
      ...changes,
    };
  }

  /** The library as a program uses it; starting is up to the test. */
  adapter(changes: Partial<PostgresOptions> = {}): PostgresAdapter {
    const adapter = new PostgresAdapter({ ...this.options(changes), logger: this.#logger() });
    adapter.done.catch(() => {}); // tests that expect it await it themselves
    this.#onClose(() => adapter.close());
    return adapter;
  }

  async started(changes: Partial<PostgresOptions> = {}): Promise<PostgresAdapter> {
    const adapter = this.adapter(changes);
    await adapter.start();
    return adapter;
  }

  loader(changes: Partial<PostgresOptions> = {}): PostgresRealmLoader {
    const loader = new PostgresRealmLoader({ ...this.options(changes), logger: this.#logger() });
    this.#onClose(() => loader.close());
    return loader;
  }

  /** A command as a process, with these options in its configuration file. */
  command(
    command: 'adapter' | 'load' | 'doctor' | 'verify',
    changes: Record<string, unknown> = {},
    mistakes: Record<string, unknown> = {},
    flags: readonly string[] = [],
  ): IsthmusProcess {
    this.#processes += 1;
    const config = join(this.directory, `config${this.#processes}.json`);
    writeFileSync(config, JSON.stringify({ connector: { ...this.options(), ...changes }, ...mistakes }));
    const name = `${command}${this.#processes}`;
    const started = new IsthmusProcess(name, this.directory, [command, '--config', config, ...flags]);
    this.#onClose(() => started.kill());
    return started;
  }

  /** An app with a replica of `path`, which holds what the server has. */
  async device(path = this.path): Promise<Device> {
    const device = await this.#openDevice(path);
    await device.session.downloadCompletion();
    return device;
  }

  /** An app that was never online: what it writes now it writes without knowing what the realm has. */
  async unsyncedDevice(path = this.path): Promise<Device> {
    return this.#openDevice(path);
  }

  /** A running adapter and an app that has the schema, whose writes take. */
  async synced(
    changes: Partial<PostgresOptions> = {},
  ): Promise<{ adapter: PostgresAdapter; device: Device }> {
    const adapter = await this.started(changes);
    const device = await this.device();
    await expect.poll(() => device.replica.schema.has(ITEM_MODEL.name), POLL).toBe(true);
    return { adapter, device };
  }

  /** Waits until the rows of a table are exactly these, with their values as texts, by key. */
  async untilRows(rows: readonly Record<string, string | null>[], table = 'item'): Promise<void> {
    await expect.poll(() => this.sql(`SELECT * FROM ${table} ORDER BY 1`), POLL).toEqual(rows);
  }

  async untilLogged(text: string | RegExp): Promise<string> {
    const found = (): string | undefined => this.log.find((line) => line.match(text) !== null);
    await expect.poll(() => found() ?? this.log, POLL).toEqual(expect.any(String));
    return found() ?? '';
  }

  async #openDevice(path: string): Promise<Device> {
    this.#devices += 1;
    const device = await Device.open(
      this.#bench.server.url,
      join(this.directory, `device${this.#devices}`),
      path,
    );
    this.#onClose(() => device.close());
    return device;
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

/** The error that a promise rejects with, which must be one of ours. */
export async function failure(promise: Promise<unknown>): Promise<IsthmusError> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof IsthmusError)) throw new Error('expected a documented error', { cause: error });
  return error;
}

/** Waits until the objects of a class are exactly these, as the texts of {@link valueText}, by key. */
export async function untilObjects(
  device: Device,
  objects: readonly Record<string, string | null>[],
  table = 'item',
): Promise<void> {
  await expect.poll(() => objectsOf(device.replica, table), POLL).toEqual(objects);
}

/** Waits for a condition that something else brings about. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, POLL).toBe(true);
}

export function objectsOf(replica: ReplicaReader, table = 'item'): Record<string, string | null>[] {
  const definition = replica.schema.get(table);
  const names = [...(definition?.columns.keys() ?? [])];
  const textOf = (value: object | undefined): string | null =>
    value !== undefined && 'value' in value ? String(value.value) : null;
  return [...replica.objects(table)].map(({ key, state }) => ({
    id: textOf(key),
    ...Object.fromEntries(
      names
        .filter((name) => name !== definition?.primaryKey?.field)
        .map((name) => [name, textOf(state.fields.get(name))]),
    ),
  }));
}

export function int(value: number | bigint): ScalarValue & PrimaryKey {
  return { type: 'int', value: BigInt(value) };
}

export function text(value: string): ScalarValue & PrimaryKey {
  return { type: 'string', value };
}

/** A new object with its fields. */
export function create(
  key: PrimaryKey,
  fields: Readonly<Record<string, ScalarValue>>,
  table = 'item',
): Instruction[] {
  return [{ op: 'CreateObject', table, key }, ...set(key, fields, table)];
}

export function set(
  key: PrimaryKey,
  fields: Readonly<Record<string, ScalarValue>>,
  table = 'item',
): Instruction[] {
  return Object.entries(fields).map(([field, value]) => ({
    op: 'Update',
    table,
    key,
    field,
    path: [],
    value,
    isDefault: false,
  }));
}
