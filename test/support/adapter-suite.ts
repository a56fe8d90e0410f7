/** An object server and a PostgreSQL server for a test file that starts adapters between them, with devices to look at. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresAdapter } from '../../connectors/postgres/adapter.ts';
import { PostgresRealmLoader } from '../../connectors/postgres/loader.ts';
import type { PostgresOptions } from '../../connectors/postgres/options.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { LoadReport } from '../../src/connector/load/run-load.ts';
import type { RunningServer } from '../../src/server/server-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { ADMIN, Device } from './isthmus-processes.ts';
import { startTestPostgres, type TestPostgres } from './postgres.ts';

export class AdapterSuite {
  readonly directory = mkdtempSync(join(tmpdir(), 'isthmus-adapters-'));
  postgres!: TestPostgres;
  server!: RunningServer;
  readonly #open: { close(): Promise<void> }[] = [];
  #names = 0;

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.postgres = await startTestPostgres(settings);
    this.server = await startServer({
      dataDirectory: join(this.directory, 'server'),
      port: 0,
      development: true,
      adminUser: ADMIN.username,
      adminPassword: ADMIN.password,
    });
  }

  /** Closes the adapters and devices of a test, the last first. */
  async closeOpened(): Promise<void> {
    for (const one of this.#open.splice(0).reverse()) await one.close();
  }

  async stop(): Promise<void> {
    await this.server?.close();
    await this.postgres?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Options of an adapter of its own for one realm, whose mistakes stop it. */
  options(
    database: string,
    more: Partial<PostgresOptions> & Pick<PostgresOptions, 'realmRegex'>,
  ): PostgresOptions {
    this.#names += 1;
    return {
      realmConfig: { server: this.server.url, user: { ...ADMIN } },
      dbName: database,
      postgresConfig: {
        host: this.postgres.host,
        port: this.postgres.port,
        user: this.postgres.user,
        password: this.postgres.password,
      },
      localPath: join(this.directory, `replica-${this.#names}`),
      adapterName: `test_${this.#names}`,
      logLevel: 'error',
      ignoreSQLerrors: false,
      ...more,
    };
  }

  async adapter(options: PostgresOptions): Promise<PostgresAdapter> {
    const adapter = new PostgresAdapter(options);
    await adapter.start();
    this.#open.push(adapter);
    return adapter;
  }

  async load(options: PostgresOptions): Promise<LoadReport> {
    const loader = new PostgresRealmLoader(options);
    try {
      return await loader.init();
    } finally {
      await loader.close();
    }
  }

  async device(path: string, models: readonly unknown[]): Promise<{ device: Device; realm: ObjectRealm }> {
    const device = await Device.open(this.server.url, mkdtempSync(join(this.directory, 'device-')), path);
    this.#open.push(device);
    await device.session.downloadCompletion();
    const write = (instructions: Parameters<typeof device.replica.write>[0]): number =>
      device.replica.write(instructions);
    return { device, realm: new ObjectRealm({ reader: device.replica, write, schema: models }) };
  }
}
