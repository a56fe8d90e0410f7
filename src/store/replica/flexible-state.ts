/** The subscription sets and the bootstrap of one replica, and how they move (flexible-contract.ts). */
import type { DownloadBatch, DownloadEntry } from '../server/contract.ts';
import type { BootstrapProgress, BootstrapTable } from './bootstrap-table.ts';
import { IntegrationError } from './errors.ts';
import type {
  BootstrapBatch,
  BootstrapStatus,
  FlexibleState,
  StoredSubscriptionSet,
  Subscription,
  SubscriptionState,
} from './flexible-contract.ts';
import type { ReplicaRecord } from './replica-table.ts';
import type { SubscriptionTable } from './subscription-table.ts';

/** Encoded changesets applied in one commit (spec/wire-protocol.md §6.5), so that local writes get their turn. */
const PIECE_BYTES = 1024 * 1024;

/** What the subscription sets need of the replica that they belong to. */
export type FlexibleHost = {
  readonly path: string;
  readonly id: number;
  readonly record: ReplicaRecord;
  readonly subscriptions: SubscriptionTable;
  readonly bootstraps: BootstrapTable;
  change<T>(work: () => T): T;
  /** Takes a version of the replica. */
  nextVersion(): number;
  merge(entries: readonly DownloadEntry[]): void;
  /** Checks and stores the progress. */
  advance(progress: BootstrapProgress): void;
  check(batch: DownloadBatch): void;
  /** The sets have changed; `local` when there is something to tell the server. */
  note(local: boolean): void;
};

export class SqliteFlexibleState implements FlexibleState {
  readonly #host: FlexibleHost;

  constructor(host: FlexibleHost) {
    this.#host = host;
  }

  /** The set that every replica begins with. */
  start(): void {
    const { subscriptions, id, record } = this.#host;
    if (subscriptions.latest(id) !== undefined) return;
    const snapshot = { clientVersion: record.version, serverVersion: record.download.serverVersion };
    this.#put({ version: 0, state: 'pending', snapshot, subscriptions: [], error: undefined });
  }

  get latest(): StoredSubscriptionSet {
    return this.#expect(this.#host.subscriptions.latest(this.#host.id));
  }

  get active(): StoredSubscriptionSet {
    const { subscriptions, id } = this.#host;
    return this.#expect(subscriptions.active(id) ?? subscriptions.find(id, 0));
  }

  set(version: number): StoredSubscriptionSet | undefined {
    return this.#host.subscriptions.find(this.#host.id, version);
  }

  nextPending(after: number): StoredSubscriptionSet | undefined {
    return this.#host.subscriptions.nextPending(this.#host.id, after);
  }

  subscribe(subscriptions: readonly Subscription[]): StoredSubscriptionSet {
    const host = this.#host;
    return host.change(() => {
      const { serverVersion } = host.record.download;
      const snapshot = { clientVersion: host.nextVersion(), serverVersion };
      const version = this.latest.version + 1;
      this.#host.note(true);
      return this.#put({ version, state: 'pending', snapshot, subscriptions, error: undefined });
    });
  }

  get bootstrap(): BootstrapStatus {
    const stored = this.#host.bootstraps.find(this.#host.id);
    if (stored === undefined) return 'none';
    return stored.progress === undefined ? 'incomplete' : 'complete';
  }

  storeBatch(batch: BootstrapBatch): void {
    const { queryVersion, isLast, entries, ...progress } = batch;
    const { bootstraps, id, path } = this.#host;
    this.#host.check(batch);
    this.#host.change(() => {
      const stored = bootstraps.find(id);
      const goesOn = stored?.queryVersion === queryVersion && stored.progress === undefined;
      // What is there of another set is of no use any more, and will not be sent again on this connection.
      if (stored !== undefined && !goesOn) bootstraps.forgetAll(id);
      this.#admit(queryVersion, goesOn);
      bootstraps.append(id, entries);
      if (isLast && bootstraps.isEmpty(id))
        throw new IntegrationError(201, `${path}: the bootstrap of query version ${queryVersion} is empty`);
      bootstraps.put(id, { queryVersion, progress: isLast ? progress : undefined });
    });
  }

  applyBootstrap(): boolean {
    const { bootstraps, id } = this.#host;
    const stored = bootstraps.find(id);
    const progress = stored?.progress;
    if (stored === undefined || progress === undefined) return false;
    return this.#host.change(() => {
      const piece = bootstraps.front(id, PIECE_BYTES);
      this.#host.merge(piece.map(({ entry }) => entry));
      bootstraps.drop(id, piece.at(-1)?.position ?? 0);
      if (!bootstraps.isEmpty(id)) return true;
      this.#host.advance(progress);
      bootstraps.forgetAll(id);
      this.#applied(stored.queryVersion);
      return false;
    });
  }

  dropBootstrap(): void {
    const { subscriptions, bootstraps, id } = this.#host;
    const begun = subscriptions.all(id).filter(({ state }) => state === 'bootstrapping');
    if (begun.length === 0 && this.bootstrap === 'none') return;
    this.#host.change(() => {
      bootstraps.forgetAll(id);
      for (const set of begun) this.#move(set, 'pending');
    });
  }

  caughtUp(): void {
    const set = this.active;
    if (set.state === 'awaitingMark') this.#host.change(() => this.#move(set, 'complete'));
  }

  refuse(version: number, reason: string): void {
    const set = this.set(version);
    if (set === undefined || set.state === 'complete')
      throw this.#invariant(`query version ${version}, which is ${set?.state ?? 'unknown'}, was refused`);
    this.#host.change(() => {
      const { bootstraps, id } = this.#host;
      if (bootstraps.find(id)?.queryVersion === version) bootstraps.forgetAll(id);
      this.#put({ ...set, state: 'error', error: reason });
    });
  }

  /** The set of a bootstrap's first or next batch. */
  #admit(queryVersion: number, goesOn: boolean): void {
    const set = this.set(queryVersion);
    switch (set?.state) {
      case 'pending':
        this.#move(set, 'bootstrapping');
        return;
      case 'complete':
      case 'awaitingMark': // the server's own doing, as after a change of rights
        return;
      case 'bootstrapping':
        if (goesOn) return;
        break;
      default:
    }
    throw this.#invariant(
      `a bootstrap of query version ${queryVersion} came, which is ${set?.state ?? 'unknown'}`,
    );
  }

  #applied(queryVersion: number): void {
    const set = this.set(queryVersion);
    if (set?.state !== 'bootstrapping') return;
    this.#host.subscriptions.dropBelow(this.#host.id, queryVersion);
    this.#move(set, 'awaitingMark');
  }

  #move(set: StoredSubscriptionSet, state: SubscriptionState): void {
    this.#put({ ...set, state });
  }

  #put(set: StoredSubscriptionSet): StoredSubscriptionSet {
    this.#host.subscriptions.put(this.#host.id, set);
    this.#host.note(false);
    return set;
  }

  /** SyncProtocolInvariantFailed of the protocol: what came cannot follow what was said before. */
  #invariant(problem: string): IntegrationError {
    return new IntegrationError(201, `${this.#host.path}: ${problem}`);
  }

  #expect(set: StoredSubscriptionSet | undefined): StoredSubscriptionSet {
    if (set === undefined) throw new RangeError(`${this.#host.path}: the replica has no subscription set`);
    return set;
  }
}
