/**
 * The realms that a connector keeps in sync: their replicas, what waits in their queues, and the shadows of our own
 * changes. All of it is derived from the replica store, so a restart finds it again.
 */
import { decodeMerged } from '../adapter/cook.ts';
import type { MergedInstruction } from '../adapter/merged-instruction.ts';
import { schemaInstructions } from '../changeset/schema-difference.ts';
import type { RealmSchema } from '../schema/definition.ts';
import { SchemaError } from '../schema/schema-error.ts';
import type { Replica, ReplicaStore } from '../store/replica/contract.ts';
import { ShadowRegistry } from './capture/shadow.ts';

/** Queue entries read at a time. */
const QUEUE_PAGE = 256;

/** One merged transaction on its way to SQL. Its checkpoint sequence is the queue's server version, which only grows. */
export type PendingTransaction = {
  readonly serverVersion: number;
  readonly queueSequence: number;
  readonly instructions: readonly MergedInstruction[];
};

export class SyncedRealm {
  readonly path: string;
  readonly replica: Replica;
  readonly shadows = new ShadowRegistry();
  /** Not yet applied to SQL, oldest first. */
  readonly pending: PendingTransaction[] = [];
  /** Applied, but not shown back by the feed yet: server version to queue sequence. */
  readonly #applied = new Map<number, number>();
  #read = 0;
  #echoed = 0;
  readonly #stopListening: () => void;

  constructor(
    replica: Replica,
    appliedVersion: number,
    options: { appliedCastShadow: boolean; onPending: () => void },
  ) {
    this.path = replica.path;
    this.replica = replica;
    this.#readQueue(appliedVersion);
    if (!options.appliedCastShadow) this.shadows.release(appliedVersion);
    this.#stopListening = replica.onCommit((change) => {
      if (!change.queued) return;
      this.#readQueue(0);
      options.onPending();
    });
  }

  /** Extends the realm's schema by what the models have and it has not. */
  ensureSchema(wanted: RealmSchema): void {
    const missing = schemaInstructions(this.replica.schema, wanted);
    if (missing.length > 0) this.replica.write(missing);
  }

  /** The first `count` pending transactions are committed in SQL. */
  markApplied(count: number): void {
    for (const transaction of this.pending.splice(0, count)) {
      if (transaction.serverVersion <= this.#echoed) continue; // the echo overtook the answer to our COMMIT
      this.#applied.set(transaction.serverVersion, transaction.queueSequence);
    }
  }

  /** The feed has shown our SQL transaction with this checkpoint. Call inside the store's transaction. */
  echoed(serverVersion: number): void {
    this.shadows.release(serverVersion);
    this.#echoed = Math.max(this.#echoed, serverVersion);
    let last = 0;
    for (const [version, sequence] of this.#applied) {
      if (version > serverVersion) break;
      last = sequence;
      this.#applied.delete(version);
    }
    for (const transaction of this.pending) {
      if (transaction.serverVersion > serverVersion) break;
      last = transaction.queueSequence;
    }
    if (last > 0) this.replica.dropQueued(last);
  }

  close(): void {
    this.#stopListening();
  }

  /** Takes what is new in the queue; entries up to `appliedVersion` are in SQL already and only cast their shadow. */
  #readQueue(appliedVersion: number): void {
    for (;;) {
      const page = this.replica.queued(this.#read, QUEUE_PAGE);
      for (const queued of page) {
        this.#read = queued.sequence;
        const instructions = decodeMerged(queued.payload);
        this.shadows.cast(queued.serverVersion, instructions);
        if (queued.serverVersion <= appliedVersion) this.#applied.set(queued.serverVersion, queued.sequence);
        else {
          this.pending.push({
            serverVersion: queued.serverVersion,
            queueSequence: queued.sequence,
            instructions,
          });
        }
      }
      if (page.length < QUEUE_PAGE) return;
    }
  }
}

/** Opens realms on demand; `onOpen` starts their sync session. */
export class RealmRegistry {
  readonly #store: ReplicaStore;
  #schema: RealmSchema;
  readonly #applied: ReadonlyMap<string, number>;
  readonly #appliedCastShadow: boolean;
  readonly #onOpen: (realm: SyncedRealm) => void;
  readonly #onPending: (realm: SyncedRealm) => void;
  readonly #realms = new Map<string, SyncedRealm>();

  constructor(options: {
    store: ReplicaStore;
    schema: RealmSchema;
    /** Checkpoints found in SQL, by realm path. */
    applied: ReadonlyMap<string, number>;
    /** Whether changes that are in SQL but not yet shown back by the feed still cast their shadow; true by default. */
    appliedCastShadow?: boolean;
    onOpen: (realm: SyncedRealm) => void;
    onPending: (realm: SyncedRealm) => void;
  }) {
    this.#store = options.store;
    this.#schema = options.schema;
    this.#applied = options.applied;
    this.#appliedCastShadow = options.appliedCastShadow ?? true;
    this.#onOpen = options.onOpen;
    this.#onPending = options.onPending;
  }

  /** Throws `SchemaError` when the realm has classes that the models contradict. */
  open(path: string): SyncedRealm {
    const known = this.#realms.get(path);
    if (known !== undefined) return known;
    const realm: SyncedRealm = new SyncedRealm(this.#store.replica(path), this.#applied.get(path) ?? 0, {
      appliedCastShadow: this.#appliedCastShadow,
      onPending: () => this.#onPending(realm),
    });
    try {
      realm.ensureSchema(this.#schema);
    } catch (error) {
      realm.close();
      throw error;
    }
    this.#realms.set(path, realm);
    this.#onOpen(realm);
    return realm;
  }

  /** The classes grew: every realm gets what it lacks; one that contradicts them is told. */
  extend(schema: RealmSchema, onConflict: (path: string, error: SchemaError) => void): void {
    this.#schema = schema;
    for (const realm of this.#realms.values()) {
      try {
        realm.ensureSchema(schema);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error;
        onConflict(realm.path, error);
      }
    }
  }

  get(path: string): SyncedRealm | undefined {
    return this.#realms.get(path);
  }

  all(): SyncedRealm[] {
    return [...this.#realms.values()];
  }

  close(): void {
    for (const realm of this.#realms.values()) realm.close();
    this.#realms.clear();
  }
}
