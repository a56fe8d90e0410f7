/** The server of the simulation: the real store and the real sessions, without sockets. */
import { silentLogger } from '../../../src/log.ts';
import type { ClientMessage, ServerMessage } from '../../../src/protocol/messages.ts';
import { keyToken } from '../../../src/schema/value.ts';
import type { User } from '../../../src/server/accounts/user-directory.ts';
import { compileView, parseQueries, type View } from '../../../src/server/flexible/view.ts';
import { DEFAULT_LIMITS } from '../../../src/server/limits.ts';
import { compileRules } from '../../../src/server/rules/compile-rules.ts';
import type { ClassAccess, RuleUser } from '../../../src/server/rules/contract.ts';
import { ServerBacklog } from '../../../src/server/sync/backlog.ts';
import { BoundFiles } from '../../../src/server/sync/bound-files.ts';
import { FlexibleRealm } from '../../../src/server/sync/flexible-realm.ts';
import { flexibleSync } from '../../../src/server/sync/open-flexible.ts';
import { errorMessage } from '../../../src/server/sync/sync-error.ts';
import { type SyncContext, SyncSession } from '../../../src/server/sync/sync-session.ts';
import type { ServerRealm, ServerStore } from '../../../src/store/server/contract.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import type { Random } from '../../support/random.ts';
import { HistoryWatch } from './history-watch.ts';
import { RULES, SCHEMA } from './simulated-changes.ts';
import type { SimulatedDevice } from './simulated-device.ts';

const NEWEST_PROTOCOL = 14;
const BYTES_OF_A_MESSAGE = 100;

export type ServerConnection = {
  receive(message: ClientMessage): void;
  review(): void;
  close(): void;
};

export class SimulatedServer {
  readonly realm: ServerRealm;
  readonly faults: Error[] = [];
  readonly #store: ServerStore;
  readonly #shared: FlexibleRealm;
  readonly #random: Random;
  readonly #context: SyncContext;
  readonly #rules = compileRules({ rules: RULES }).flexible;
  readonly #users = new Map<string, SimulatedDevice>();
  readonly watch: HistoryWatch;

  private constructor(store: ServerStore, realm: ServerRealm, shared: FlexibleRealm, random: Random) {
    this.#store = store;
    this.realm = realm;
    this.#shared = shared;
    this.#random = random;
    this.watch = new HistoryWatch(realm, (fileIdent, table) => this.#accessOf(fileIdent, table));
    realm.onAdvance(() => this.#look());
    this.#context = {
      modes: {
        pbs: () => Promise.reject(new Error('there is only flexible sync')),
        flx: flexibleSync({ shared, rules: this.#rules, ruleUser: ({ id }) => this.#ruleUser(id) }),
      },
      boundFiles: new BoundFiles(),
      backlog: new ServerBacklog(DEFAULT_LIMITS.serverBacklog),
      limits: DEFAULT_LIMITS,
      logger: silentLogger,
    };
  }

  /** What was not taken of a device's writes and why, by version and object, as far as it is still kept. */
  refusals(device: SimulatedDevice): Map<string, string> {
    const found = new Map<string, string>();
    const { identity } = device.replica;
    if (identity === undefined) return found;
    for (const { version, objects } of this.realm.flexible.corrections(identity.fileIdent, 0)) {
      for (const { table, key, reason } of objects) {
        if (reason !== undefined) found.set(`${version} ${table} ${keyToken(key)}`, reason);
      }
    }
    return found;
  }

  access(device: SimulatedDevice, table: string): ClassAccess {
    return this.#rules.access(this.#ruleUser(device.name), table, this.realm.schema);
  }

  static async open(directory: string, random: Random): Promise<SimulatedServer> {
    const limits = { keptVersions: 5, keptBytes: 500 };
    const sources = { newSalt: () => BigInt(1 + random.below(1_000_000)), unixTime: Date.now };
    const store = await openServerStore(directory, sources, limits);
    const realm = await store.realm('/');
    if (realm.head.version === 0) await realm.write(SCHEMA);
    const indexes: Record<string, string[]> = random.chance(0.5) ? { T: ['g', 'owner'], U: ['team'] } : {};
    const portionBytes = random.pick([1, 200, 100_000]);
    const collapsedFrom = random.pick([0, 500, 1_000_000, 1_000_000]);
    const slicing = random.pick([
      { from: 0, steps: 1 },
      { from: 300, steps: 7 },
      { from: 1_000_000, steps: 100 },
    ]);
    const shared = await FlexibleRealm.open(realm, { portionBytes, indexes, collapsedFrom, slicing });
    return new SimulatedServer(store, realm, shared, random);
  }

  accept(device: SimulatedDevice, send: (message: ServerMessage) => void): ServerConnection {
    this.#users.set(device.name, device);
    let session: SyncSession | undefined;
    const user = this.#user(device.name);
    const faults = this.faults;
    const connection = {
      user,
      protocol: { mode: 'flx' as const, version: NEWEST_PROTOCOL, protocol: '' },
      send,
      sendError: (ident: number, error: Parameters<typeof errorMessage>[1]) => {
        faults.push(new Error(`${device.name}: ${error.message}`, { cause: error }));
        send(errorMessage(ident, error, NEWEST_PROTOCOL));
      },
      log() {},
      writable: () => this.#pause(),
      consumed() {},
      fail: (error: Error) => void faults.push(error),
      terminate: (reason: string) => void faults.push(new Error(reason)),
      ended() {},
    };
    return {
      receive: (message) => {
        if (message.type === 'ping' || message.type === 'test_command') return;
        if (message.type === 'bind') {
          const { flx } = this.#context.modes;
          session = new SyncSession(message, BYTES_OF_A_MESSAGE, connection, this.#context, flx);
        } else session?.receive(message, BYTES_OF_A_MESSAGE);
      },
      review: () => session?.review(),
      close: () => session?.end(),
    };
  }

  /** What the device should hold when all is quiet. */
  viewOf(device: SimulatedDevice): View {
    const { schema } = this.realm;
    const user = this.#ruleUser(device.name);
    return compileView({
      queries: parseQueries(device.queries),
      rules: this.#rules,
      user,
      schema,
      hidden: 'empty',
    });
  }

  async close(): Promise<void> {
    await this.#shared.close();
    await this.#store.close();
  }

  #accessOf(fileIdent: number, table: string): ClassAccess | undefined {
    const device = [...this.#users.values()].find(({ replica }) => replica.identity?.fileIdent === fileIdent);
    return device && this.access(device, table);
  }

  #look(): void {
    try {
      this.watch.look();
    } catch (error) {
      this.faults.push(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** A slow socket now and then. */
  #pause(): Promise<void> | undefined {
    if (!this.#random.chance(0.05)) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  }

  #user(id: string): User {
    return this.#ruleUser(id);
  }

  #ruleUser(id: string): RuleUser {
    const customData = this.#users.get(id)?.rights ?? {};
    return { id, isAdmin: false, customData, data: {}, identities: [] };
  }
}
