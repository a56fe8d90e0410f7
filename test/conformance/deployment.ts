/**
 * A connector on a database under test, the realms behind it and devices that hold them. Stores, merge and engine are
 * the real ones; only the network is left out: replicas are carried to the server and back by hand, so that a case
 * decides what has met what.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { RealmList } from '../../src/client/realm/list.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import { RealmObject } from '../../src/client/realm/realm-object.ts';
import { POSITION_MARK } from '../../src/connector/capture/feed-consumer.ts';
import type { Position, SourceDialect, SqlWriter } from '../../src/connector/dialect.ts';
import { ConnectorEngine, type SyncedTransaction } from '../../src/connector/engine.ts';
import { type LoadReport, runLoad } from '../../src/connector/load/run-load.ts';
import type { ConnectorOptions } from '../../src/connector/options.ts';
import { keyToJs } from '../../src/schema/value-conversion.ts';
import type { Replica, ReplicaStore } from '../../src/store/replica/contract.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import type { ServerStore } from '../../src/store/server/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { engineOptions, noSync } from '../support/engine-options.ts';
import type { PortableRow, PortableTable, TestDatabase } from './target.ts';

export const PATH = '/shop';
let deployments = 0;
/** Everything on the way arrives within this time, also on a machine that others use. */
const QUIET_MILLISECONDS = 40_000;
/**
 * What follows a change (the key of a row, the places of a list) is written after the feed's position is noted, and by a
 * database that may take a while.
 */
const FOLLOW_UP_MILLISECONDS = 50;
/** How long a crash waits for the write that it is to happen at. */
const CRASH_MILLISECONDS = 300;
/** Bytes that one round carries: small enough for transactions to meet in any order. */
const ROUND_BYTES = 100_000;

/** A program that holds a realm, as an app on a phone does. */
export class Device {
  readonly objects: ObjectRealm;
  readonly replica: Replica;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment, store: ReplicaStore, path: string, models: readonly unknown[]) {
    this.#deployment = deployment;
    this.replica = store.replica(path);
    this.objects = new ObjectRealm({
      reader: this.replica,
      write: (instructions) => this.replica.write(instructions),
      schema: models,
    });
  }

  write(work: (objects: ObjectRealm) => void): void {
    this.objects.write(() => work(this.objects));
  }

  async sync(): Promise<void> {
    await this.#deployment.carry(this.replica);
  }

  /**
   * The objects of a class in key order, each as the texts of these properties. Links show the target's key, lists
   * their elements between brackets.
   */
  shown(className: string, ...properties: readonly string[]): (string | null)[][] {
    const field = this.objects.schema.find(({ name }) => name === className)?.primaryKey ?? '';
    return [...this.replica.objects(className)]
      .map(({ key }) => this.objects.objectForPrimaryKey(className, keyToJs(key)))
      .flatMap((object) => (object === null ? [] : [object]))
      .map((object) => properties.map((property) => textOf(object[property])))
      .sort((a, b) => order(a[properties.indexOf(field)], b[properties.indexOf(field)]));
  }
}

function order(a: string | null | undefined, b: string | null | undefined): number {
  return Number(a) - Number(b) || String(a).localeCompare(String(b));
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof RealmObject) return textOf(Reflect.get(value, value.objectSchema().primaryKey ?? ''));
  if (value instanceof RealmList) return `[${[...value].map(textOf).join(' ')}]`;
  return String(value);
}

/** Where the connector dies: before its next transaction is written to SQL, or between its commit and its own note of it. */
export type CrashPoint = 'beforeCommit' | 'afterCommit';

export type DeploymentOptions = {
  readonly models: ConnectorOptions['models'];
  readonly tables?: readonly PortableTable[];
  readonly options?: Partial<ConnectorOptions>;
};

export class Deployment {
  readonly database: TestDatabase;
  /** What the connector has synced since it was opened. */
  readonly synced: SyncedTransaction[] = [];
  readonly #models: ConnectorOptions['models'];
  readonly #options: ConnectorOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), 'isthmus-conformance-'));
  readonly #devices: Device[] = [];
  readonly #deviceStores: ReplicaStore[] = [];
  #server!: ServerStore;
  #dialect: SourceDialect | undefined;
  #crashPoint: CrashPoint | undefined;
  #store: ReplicaStore | undefined;
  #engine: ConnectorEngine | undefined;

  private constructor(database: TestDatabase, { models, options = {} }: DeploymentOptions) {
    this.database = database;
    this.#models = models;
    // Slots are the server's, which other test files may use at the same time.
    deployments += 1;
    const adapterName = `conformance_${process.pid}_${deployments}`;
    const given = { adapterName, models, createTables: false };
    this.#options = { ...engineOptions(PATH, given), ...options };
  }

  /** Makes the tables; the connector is started by {@link start}, so that a case may fill the tables and load first. */
  static async open(database: TestDatabase, options: DeploymentOptions): Promise<Deployment> {
    await database.create(...(options.tables ?? []));
    const deployment = new Deployment(database, options);
    deployment.#server = await openServerStore(join(deployment.#directory, 'server'));
    return deployment;
  }

  async start(): Promise<this> {
    const { dialect, store } = this.#parts();
    this.#engine = await ConnectorEngine.start(this.#options, {
      dialect,
      schema: this.database.schema,
      store,
      sync: noSync,
      onTransaction: (transaction) => void this.synced.push(transaction),
    });
    return this;
  }

  /** Runs the loader on the connector's replicas; the connector must not be running. */
  async load(): Promise<LoadReport> {
    const { dialect, store } = this.#parts();
    const signal = new AbortController().signal;
    return runLoad(this.#options, { dialect, schema: this.database.schema, store, sync: undefined, signal });
  }

  #parts(): { dialect: SourceDialect; store: ReplicaStore } {
    this.#dialect ??= this.#mortal(this.database.dialect(this.#options.adapterName));
    this.#store ??= openReplicaStore(join(this.#directory, 'connector'), {
      observer: queueMergedTransactions,
    });
    return { dialect: this.#dialect, store: this.#store };
  }

  async stop(): Promise<void> {
    const [engine, dialect, store] = [this.#engine, this.#dialect, this.#store];
    this.#engine = undefined;
    this.#dialect = undefined;
    this.#store = undefined;
    await engine?.close();
    await dialect?.close();
    store?.close();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets the connector die at its next write, if there is one soon, and starts it again with what it had noted. */
  async crash(point: CrashPoint): Promise<void> {
    this.#crashPoint = point;
    await this.carryAll();
    const done = this.#engine?.done.catch(() => {});
    await Promise.race([done, delay(CRASH_MILLISECONDS)]);
    this.#crashPoint = undefined;
    await this.restart();
  }

  #mortal(dialect: SourceDialect): SourceDialect {
    const openWriter = dialect.openWriter.bind(dialect);
    dialect.openWriter = async () => {
      const writer = await openWriter();
      const apply: SqlWriter['apply'] = writer.apply.bind(writer);
      writer.apply = async (statements, checkpoints) => {
        const point = this.#crashPoint;
        if (point === undefined) return apply(statements, checkpoints);
        if (point === 'afterCommit') await apply(statements, checkpoints);
        throw new Error(`the connector dies: ${point}`);
      };
      return writer;
    };
    return dialect;
  }

  /** Resolves with what stopped the connector, which must stop. */
  async stopped(): Promise<unknown> {
    if (this.#engine === undefined) throw new Error('the connector does not run');
    const carrying = new AbortController();
    const carried = this.#carryUntil(carrying.signal);
    const reason = await this.#engine.done.then(
      () => new Error('the connector was closed'),
      (error: unknown) => error,
    );
    carrying.abort();
    await carried;
    return reason;
  }

  async #carryUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.carryAll();
      await delay(10);
    }
  }

  /** A device that holds the realm at `path`. */
  device(path = PATH): Device {
    const name = `device-${this.#deviceStores.length}`;
    const skew = this.#deviceStores.length * 3 - 3;
    const store = openReplicaStore(join(this.#directory, name), { now: () => Date.now() + skew });
    this.#deviceStores.push(store);
    const device = new Device(this, store, path, this.#models);
    this.#devices.push(device);
    return device;
  }

  /** Takes a replica's unsynced writes to the server and what the server has to the replica. */
  async carry(replica: Replica): Promise<void> {
    const realm = await this.#server.realm(replica.path);
    if (replica.identity === undefined) {
      const { fileIdent, salt } = await realm.allocateClientFile();
      replica.assignIdentity(fileIdent, salt);
    }
    const fileIdent = replica.identity?.fileIdent ?? 0;
    const { entries, progress } = replica.uploadScan(replica.upload, ROUND_BYTES);
    const lockedServerVersion = replica.download.serverVersion;
    await realm.integrate(fileIdent, { entries, progress, lockedServerVersion });
    replica.integrate(await realm.download(fileIdent, replica.download, ROUND_BYTES));
  }

  async carryAll(): Promise<void> {
    for (const realm of this.#engine?.realms ?? []) await this.carry(realm.replica);
    for (const device of this.#devices) await device.sync();
  }

  /** Waits until everything written anywhere has arrived everywhere. */
  async settle(): Promise<void> {
    const deadline = Date.now() + QUIET_MILLISECONDS;
    let before = '';
    for (let same = 0; same < 2; ) {
      await this.carryAll();
      const position = await this.database.position();
      await this.#reach(position, deadline);
      const now = `${this.database.positionMoves ? '' : position} ${this.#standing()}`;
      same = now === before ? same + 1 : 0;
      before = now;
      if (Date.now() > deadline) throw new Error(`the deployment does not come to rest: ${now}`);
      await delay(FOLLOW_UP_MILLISECONDS);
    }
  }

  async #reach(target: Position, deadline: number): Promise<void> {
    const { dialect, store } = this.#parts();
    for (;;) {
      const at = store.mark(POSITION_MARK) as Position | undefined;
      if (at !== undefined && dialect.comparePositions(at, target) >= 0 && this.#waiting() === 0) return;
      if (Date.now() > deadline)
        throw new Error(`the feed stands at ${at}, not at ${target}, and ${this.#waiting()} wait for SQL`);
      await Promise.race([delay(5), this.#engine?.done]);
      await this.carryAll();
    }
  }

  #waiting(): number {
    return (this.#engine?.realms ?? []).reduce((sum, realm) => sum + realm.pending.length, 0);
  }

  #standing(): string {
    const replicas = [...(this.#engine?.realms ?? []), ...this.#devices].map(({ replica }) => replica);
    return JSON.stringify(
      replicas.map((replica) => [
        replica.path,
        replica.version,
        replica.download.serverVersion,
        replica.hasUnsynced(),
      ]),
    );
  }

  /** Why transactions were put aside, oldest first. */
  async refusals(): Promise<readonly string[]> {
    const letters = await this.#parts()
      .dialect.deadLetters()
      .list({ states: ['waiting'], limit: 100 });
    return letters.map(({ reason }) => reason.message);
  }

  /** Commits what `rows` say as an application would. */
  async insert(table: string, ...rows: readonly PortableRow[]): Promise<void> {
    await this.database.transaction((application) => application.insert(table, ...rows));
  }

  async update(table: string, key: PortableRow, values: PortableRow): Promise<void> {
    await this.database.transaction((application) => application.update(table, key, values));
  }

  async remove(table: string, key: PortableRow): Promise<void> {
    await this.database.transaction((application) => application.remove(table, key));
  }

  rows(table: string, ...columns: readonly string[]): Promise<readonly (readonly (string | null)[])[]> {
    return this.database.rows(table, columns);
  }

  async close(): Promise<void> {
    const dialect = this.#dialect ?? this.database.dialect(this.#options.adapterName);
    await this.#engine?.close();
    await dialect.dropFeed();
    await dialect.close();
    this.#store?.close();
    for (const store of this.#deviceStores) store.close();
    await this.#server.close();
    await this.database.drop();
    rmSync(this.#directory, { recursive: true });
  }
}
