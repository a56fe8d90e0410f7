/**
 * A device of the simulation: the real client session over the real replica store, on a connection that is two queues.
 * What is in them is lost when the connection is.
 */

import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { SyncSessionError } from '../../../src/client/client-errors.ts';
import { queryText } from '../../../src/client/flexible/query-text.ts';
import { SyncSession as ClientSession, type SessionMessage } from '../../../src/client/sync-session.ts';
import { silentLogger } from '../../../src/log.ts';
import type { ClientMessage, ServerMessage } from '../../../src/protocol/messages.ts';
import { keyToken } from '../../../src/schema/value.ts';
import type { FlexibleReplica, Subscription } from '../../../src/store/replica/flexible-contract.ts';
import type { SqliteReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import type { Random } from '../../support/random.ts';
import {
  type CustomData,
  objectText,
  randomQuery,
  randomRights,
  randomTransaction,
  TABLES,
} from './simulated-changes.ts';
import type { ServerConnection, SimulatedServer } from './simulated-server.ts';
import { trace, traceMessage } from './trace.ts';

const BYTES_OF_A_MESSAGE = 100;

export class SimulatedDevice {
  readonly name: string;
  readonly replica: FlexibleReplica;
  /** What the server told to have refused, by version and object. */
  readonly rejections = new Set<string>();
  /** Keys of the asymmetric objects that it has made. */
  readonly reports = new Set<string>();
  rights: CustomData;
  failure: Error | undefined;
  readonly #random: Random;
  readonly #session: ClientSession;
  #connection: ServerConnection | undefined;
  #toServer: ClientMessage[] = [];
  #toClient: ServerMessage[] = [];
  #lastIdent = 0;
  #subscriptions = 0;

  constructor(name: string, store: SqliteReplicaStore, random: Random) {
    this.name = name;
    this.#random = random;
    this.replica = store.flexibleReplica();
    this.rights = randomRights(random);
    const device = this;
    this.#session = new ClientSession({
      replica: this.replica,
      backOff: { firstMilliseconds: 1, maxMilliseconds: 1 },
      logger: silentLogger,
      onFailed: (error: SyncSessionError) => {
        this.failure ??= error;
      },
      onCompensatingWrite: ({ serverVersion, rejected }) => {
        for (const { table, key } of rejected)
          this.rejections.add(`${serverVersion} ${table} ${keyToken(key)}`);
      },
      onReset: 'manual',
      host: {
        send: (message) => {
          if (this.isConnected) this.#toServer.push(message);
        },
        bufferedBytes: 0,
        get isConnected() {
          return device.isConnected;
        },
        isLocal: true,
        bindIdent: () => {
          this.#lastIdent += 1;
          return this.#lastIdent;
        },
        endedByError() {},
        succeeded() {},
        waitForRoom() {},
        dropConnection: (reason) => {
          this.failure ??= new Error(`the client drops the connection: ${reason}`);
        },
        refreshUser: async () => {},
        downloadFreshCopy: async () => {},
      },
    });
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get queries(): string {
    return queryText(this.replica.flexible.active.subscriptions);
  }

  /** All of its own is with the server, and the newest subscriptions are here, or were refused. */
  get isSettled(): boolean {
    const { state } = this.replica.flexible.latest;
    return !this.replica.hasUnsynced() && (state === 'complete' || state === 'error');
  }

  /** What an app reads of a class, by key. */
  contents(table: string): Record<string, string> {
    const { schema } = this.replica;
    const objects = [...this.replica.objects(table)];
    return Object.fromEntries(
      objects.map(({ key, state }) => [keyToken(key), objectText(schema, table, state)]),
    );
  }

  connect(server: SimulatedServer): void {
    if (this.isConnected) return;
    this.#connection = server.accept(this, (message) => this.#toClient.push(message));
    this.#session.connected();
  }

  disconnect(): void {
    trace(this.name, () => 'disconnected');
    this.#connection?.close();
    this.#connection = undefined;
    this.#toServer = [];
    this.#toClient = [];
    this.#session.disconnected();
  }

  /** Messages under way to the device. */
  get expected(): number {
    return this.#toClient.length;
  }

  /** Something of what is under way arrives. */
  passOn(toServer: number, toClient: number): void {
    for (const message of this.#toServer.splice(0, toServer)) {
      traceMessage(`${this.name} ->`, message);
      this.#connection?.receive(message);
    }
    for (const message of this.#toClient.splice(0, toClient)) {
      if (message.type === 'pong' || message.session !== this.#lastIdent) continue;
      traceMessage(`${this.name} <-`, message);
      this.#session.received(message satisfies SessionMessage, BYTES_OF_A_MESSAGE);
    }
  }

  write(): void {
    const { replica } = this;
    // Before it has the classes it cannot write, and an app subscribes before it does.
    if (!replica.schema.has('T')) return;
    const makes = new Set(replica.flexible.active.subscriptions.map(({ table }) => table));
    const manners = this.#random.chance(0.8) ? { makes } : 'none';
    const transaction = randomTransaction(replica, this.#random, manners);
    if (transaction.length === 0) return;
    for (const instruction of transaction) {
      if (instruction.op === 'CreateObject' && instruction.table === 'R')
        this.reports.add(keyToken(instruction.key));
    }
    this.commit(transaction);
  }

  commit(instructions: readonly Instruction[]): void {
    const version = this.replica.write(instructions);
    trace(this.name, () => `wrote version ${version}`);
  }

  subscribe(): void {
    const random = this.#random;
    const subscriptions: Subscription[] = [];
    for (const table of TABLES) {
      const count = random.pick([0, 1, 1, 1, 2]);
      for (let i = 0; i < count; i += 1) {
        this.#subscriptions += 1;
        const id = this.#subscriptions.toString(16).padStart(24, '0');
        const query = randomQuery(table, random);
        subscriptions.push({ id, name: undefined, table, query, createdAt: 0, updatedAt: 0 });
      }
    }
    this.replica.flexible.subscribe(subscriptions);
  }

  /** The server decides otherwise from now on. */
  changeRights(rights = randomRights(this.#random)): void {
    this.rights = rights;
    trace(this.name, () => JSON.stringify(this.rights));
    this.#connection?.review();
  }

  async downloadCompletion(): Promise<void> {
    await this.#session.downloadCompletion();
  }

  async close(): Promise<void> {
    this.disconnect();
    await this.#session.close();
  }
}
