/** What happens to tables besides changes of rows, and what a whole connector makes of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { queueMergedTransactions } from '../../../src/adapter/transaction-queueing.ts';
import { ConnectorEngine } from '../../../src/connector/engine.ts';
import { runLoad } from '../../../src/connector/load/run-load.ts';
import { keyToJs } from '../../../src/schema/value-conversion.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { engineOptions, noSync } from '../../support/engine-options.ts';
import {
  type Credentials,
  simulated,
  startTestSqlServer,
  type TestSqlServer,
} from '../../support/sqlserver.ts';
import { dialectFor, prepareDatabase } from '../feed-harness.ts';

const PATH = '/shop';
const models = [
  { name: 'Artist', primaryKey: 'ArtistId', properties: { ArtistId: 'int', Name: 'string?' } },
  { name: 'Genre', primaryKey: 'GenreId', properties: { GenreId: 'int', Name: 'string?' } },
];
const OWN = ['[checkpoint]', 'dead_letter', 'feed'].map((name) => `isthmus.${name}`);

let server: TestSqlServer;
let database: string;
let directory: string;
let running: Connector | undefined;

beforeAll(async () => {
  server = await startTestSqlServer();
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-tables-'));
  database = await server.createDatabase();
  await prepareDatabase(server, database);
  await sql('CREATE TABLE dbo.Artist (ArtistId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL)');
  await sql('CREATE TABLE dbo.Genre (GenreId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL)');
  await sql("INSERT dbo.Artist VALUES (1, N'one'), (2, N'two'); INSERT dbo.Genre VALUES (1, N'Rock')");
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  rmSync(directory, { recursive: true });
});
afterAll(() => server.stop());

const sql = (text: string): Promise<unknown> => server.query(database, text);

class Connector {
  readonly #dialect;
  readonly #store = openReplicaStore(join(directory, 'replicas'), { observer: queueMergedTransactions });
  readonly #options = engineOptions(PATH, { adapterName: 'shop', models, createTables: false });
  #engine: ConnectorEngine | undefined;

  constructor(login?: Credentials) {
    this.#dialect = dialectFor(server, database, {
      adapterName: 'shop',
      ...(login === undefined ? {} : { login }),
    });
  }

  async load(): Promise<void> {
    const signal = new AbortController().signal;
    const parts = { dialect: this.#dialect, schema: 'dbo', store: this.#store, sync: undefined, signal };
    await runLoad(this.#options, parts);
  }

  async start(): Promise<void> {
    const parts = { dialect: this.#dialect, schema: 'dbo', store: this.#store, sync: noSync };
    this.#engine = await ConnectorEngine.start(this.#options, parts);
  }

  objects(className: string): string[] {
    return [...this.#store.replica(PATH).objects(className)]
      .map(({ key, state }) => {
        const name = state.fields.get('Name');
        return `${keyToJs(key)} ${name?.type === 'string' ? name.value : ''}`;
      })
      .sort();
  }

  /** Waits until the realm holds that; fails with what stopped the connector, or what it holds instead. */
  async until(className: string, wanted: readonly string[]): Promise<void> {
    let stopped: unknown;
    this.#engine?.done.catch((error: unknown) => {
      stopped = error;
    });
    const deadline = Date.now() + 30_000;
    while (JSON.stringify(this.objects(className)) !== JSON.stringify(wanted)) {
      if (stopped !== undefined) throw stopped;
      if (Date.now() > deadline) expect(this.objects(className)).toEqual(wanted);
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    await this.#engine?.close();
    this.#engine = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#dialect.close();
    this.#store.close();
  }
}

async function connector(login?: Credentials): Promise<Connector> {
  running = new Connector(login);
  await running.load();
  await running.start();
  await running.until('Artist', ['1 one', '2 two']);
  return running;
}

it('erases what a TRUNCATE took, and brings what came after it', async () => {
  const shop = await connector();
  await sql('TRUNCATE TABLE dbo.Artist');
  await shop.until('Artist', []);
  await sql("INSERT dbo.Artist VALUES (3, N'three')");
  await shop.until('Artist', ['3 three']);
  await sql("TRUNCATE TABLE dbo.Artist; INSERT dbo.Artist VALUES (4, N'four')");
  await shop.until('Artist', ['4 four']);
  expect(shop.objects('Genre')).toEqual(['1 Rock']);
});

it('notices a TRUNCATE that happened while it was stopped', async () => {
  const shop = await connector();
  await shop.stop();
  await sql('TRUNCATE TABLE dbo.Artist');
  await shop.start();
  await shop.until('Artist', []);
});

it('switches tracking on again, and compares what was changed meanwhile', async () => {
  const shop = await connector();
  await sql('ALTER TABLE dbo.Artist DISABLE CHANGE_TRACKING');
  await sql(
    "UPDATE dbo.Artist SET Name = N'unseen' WHERE ArtistId = 1; DELETE dbo.Artist WHERE ArtistId = 2",
  );
  await sql("INSERT dbo.Genre VALUES (2, N'Jazz')");
  await shop.until('Artist', ['1 unseen']);
  await shop.until('Genre', ['1 Rock', '2 Jazz']);
  // Somebody switches it off and on between two polls, and again while nothing else is committed.
  for (const name of ['again', 'and again']) {
    await sql('ALTER TABLE dbo.Artist DISABLE CHANGE_TRACKING');
    await sql(`UPDATE dbo.Artist SET Name = N'${name}' WHERE ArtistId = 1`);
    await sql('ALTER TABLE dbo.Artist ENABLE CHANGE_TRACKING');
    await shop.until('Artist', [`1 ${name}`]);
  }
});

it('takes a table that was made anew for another one, row by row', async () => {
  const shop = await connector();
  await sql('DROP TABLE dbo.Artist');
  await sql('CREATE TABLE dbo.Artist (ArtistId int NOT NULL PRIMARY KEY, Name nvarchar(50) NULL)');
  await sql("INSERT dbo.Artist VALUES (2, N'zwei'), (5, N'fünf')");
  await shop.until('Artist', ['2 zwei', '5 fünf']);
});

it('works for a login with the rights of the documentation, and stops only the class whose table it may not follow', async () => {
  const other = new Connector();
  await other.load(); // as db_owner, which makes the connector's own tables
  await other.close();
  const login = await server.createLogin(database);
  await sql(`GRANT CREATE TABLE TO [${login.user}]`);
  for (const table of ['dbo.Artist', 'dbo.Genre', ...OWN])
    await sql(
      `GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, VIEW CHANGE TRACKING ON ${table} TO [${login.user}]`,
    );
  const shop = await connector(login);
  await sql("INSERT dbo.Artist VALUES (3, N'three')");
  await shop.until('Artist', ['1 one', '2 two', '3 three']);
  await sql(`REVOKE VIEW CHANGE TRACKING ON dbo.Artist FROM [${login.user}]`);
  await sql(
    "UPDATE dbo.Artist SET Name = N'hidden' WHERE ArtistId = 3; INSERT dbo.Genre VALUES (2, N'Jazz')",
  );
  await shop.until('Genre', ['1 Rock', '2 Jazz']);
  expect(shop.objects('Artist')).toEqual(['1 one', '2 two', '3 three']);
});

it.runIf(simulated)(
  'compares, and wipes nothing, after changes were cleaned up before they were read',
  async () => {
    const shop = await connector();
    await shop.stop();
    await sql(
      "UPDATE dbo.Artist SET Name = N'unread' WHERE ArtistId = 1; DELETE dbo.Artist WHERE ArtistId = 2",
    );
    server.faults.cleanUp(database);
    await expect(shop.start()).rejects.toThrow('Last sync version is outdated!');
    await shop.load(); // as the documents of the reference say
    await shop.start();
    await shop.until('Artist', ['1 unread']);
  },
);
