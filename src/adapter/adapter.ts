/**
 * The Adapter API: follows every realm of an object server that a filter names, and hands on each transaction that came
 * from the server, merged, as a list of instructions.
 *
 *     const adapter = new Adapter('./adapter', 'realm://127.0.0.1:9090', admin, '/products', (path) => {
 *       for (let instructions; (instructions = adapter.current(path)); adapter.advance(path)) process(instructions);
 *     });
 */
import { BackOff, type BackOffOptions, DEFAULT_BACK_OFF } from '../client/back-off.ts';
import { ObjectRealm } from '../client/realm/object-realm.ts';
import { SyncClient } from '../client/sync-client.ts';
import type { ResetPolicy, SyncSession } from '../client/sync-session.ts';
import type { User } from '../client/user.ts';
import { type Logger, silentLogger } from '../log.ts';
import { toNotation } from '../schema/to-notation.ts';
import { openReplicaStore, type SqliteReplicaStore } from '../store/replica/open-replica-store.ts';
import { AdapterClosedError } from './adapter-closed-error.ts';
import type { InstructionObject } from './instruction-objects.ts';
import { RealmDiscovery } from './realm-discovery.ts';
import { type RealmFilter, realmFilter } from './realm-filter.ts';
import { queueMergedTransactions } from './transaction-queueing.ts';
import { WatchedRealm } from './watched-realm.ts';

/** A server-side process is one of few: it may come back sooner than thousands of phones. */
const MAX_BACK_OFF_MILLISECONDS = 10_000;
/** Between calls of a listener that throws: what it lacks may come back, and the transaction waits. */
const LISTENER_BACK_OFF: BackOffOptions = { firstMilliseconds: 1000, maxMilliseconds: 60_000 };

/**
 * Told that transactions of a realm wait. While its promise is pending it is not called again for that realm. When it
 * throws, that is reported, syncing goes on, and it is called again after a while.
 */
export type ChangeListener = (path: string) => void | Promise<void>;

export type AdapterOptions = {
  readonly logger?: Logger;
  /**
   * Told of errors that end the sync of a realm, or of all when there is no path. Without it they are thrown where
   * nobody catches them, as an `error` event that nobody listens to.
   */
  readonly onError?: (error: Error, path?: string) => void;
  /** Delays until a listener that threw is called again. */
  readonly listenerBackOff?: BackOffOptions;
  /** What to do when the server asks for a client reset; `recover` unless given. */
  readonly onReset?: ResetPolicy;
};

/** Errors must not be lost because nobody has thought of a logger. */
const consoleErrors: Logger = {
  ...silentLogger,
  error: (message, fields) => console.error(message, fields ?? ''),
};

export class Adapter {
  readonly #client: SyncClient;
  readonly #store: SqliteReplicaStore;
  readonly #matches: (path: string) => boolean;
  readonly #onChange: ChangeListener;
  readonly #options: AdapterOptions;
  readonly #discovery: RealmDiscovery;
  readonly #realms = new Map<string, { readonly realm: WatchedRealm; readonly session: SyncSession }>();
  readonly #handles = new Set<ObjectRealm>();
  /** Realms whose listener is to be called, or is running; `again` when more came meanwhile. */
  readonly #notifying = new Map<string, 'once' | 'again'>();
  /** Realms whose listener threw the last time. */
  readonly #retries = new Map<string, { readonly backOff: BackOff; timer: NodeJS.Timeout | undefined }>();
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  /**
   * `localPath` is the directory of the replicas, `adminUser` a logged-in administrator, and `onChange` is called with
   * the path of every realm that has transactions to process. Returns at once; everything else happens in the
   * background, also connecting. Throws when the directory is in use by another process.
   */
  constructor(
    localPath: string,
    serverUrl: string,
    adminUser: User,
    realms: RealmFilter,
    onChange: ChangeListener,
    options: AdapterOptions = {},
  ) {
    this.#matches = realmFilter(realms);
    this.#onChange = onChange;
    this.#options = options;
    this.#logger = options.logger ?? consoleErrors;
    this.#store = openReplicaStore(localPath, { observer: queueMergedTransactions });
    this.#client = new SyncClient({
      user: adminUser.at(serverUrl),
      logger: this.#logger,
      backOff: { ...DEFAULT_BACK_OFF, maxMilliseconds: MAX_BACK_OFF_MILLISECONDS },
    });
    this.#discovery = new RealmDiscovery(this.#client, this.#store, (error) => this.#failed(error));
    this.#discovery.onRealm((path) => {
      if (this.#closing === undefined && this.#matches(path)) this.#open(path);
    });
  }

  /** The oldest transaction of a realm that was not advanced past; the same until {@link advance}. */
  current(path: string): readonly InstructionObject[] | undefined {
    this.#checkOpen();
    return this.#realms.get(path)?.realm.current();
  }

  /**
   * Tells the current transaction from all others of the realm: positions increase and are never used again as long as
   * the local files are kept. Stored together with what was made of a transaction, it lets one that comes again after a
   * crash be recognised.
   */
  position(path: string): number | undefined {
    this.#checkOpen();
    return this.#realms.get(path)?.realm.position;
  }

  /** The current transaction is processed; durably so when this returns. */
  advance(path: string): void {
    this.#checkOpen();
    this.#realms.get(path)?.realm.advance();
  }

  /**
   * The local copy of a realm, for reading and writing, opened when it is not yet. It can be ahead of {@link current}.
   * What is written through it is uploaded and never shows up in {@link current}. Without a schema it has the one
   * that the local copy has now. Closing it leaves the adapter as it is.
   */
  realmAtPath(path: string, schema?: readonly unknown[]): ObjectRealm {
    this.#checkOpen();
    const { replica } = this.#open(path);
    const handle = new ObjectRealm({
      reader: replica,
      write: (instructions) => replica.write(instructions),
      schema: schema ?? toNotation(replica.schema),
    });
    for (const known of this.#handles) if (known.isClosed) this.#handles.delete(known);
    this.#handles.add(handle);
    return handle;
  }

  /** Resolves when every realm that the server has now is known, and all of it is in the local copies. */
  async caughtUp(signal?: AbortSignal): Promise<void> {
    this.#checkOpen();
    await this.#discovery.complete(signal);
    await Promise.all([...this.#realms.values()].map(({ session }) => session.downloadCompletion(signal)));
  }

  /** Resolves when everything written through {@link realmAtPath} is on the server. */
  async uploaded(signal?: AbortSignal): Promise<void> {
    this.#checkOpen();
    await Promise.all([...this.#realms.values()].map(({ session }) => session.uploadCompletion(signal)));
  }

  /** Stops, and closes the realms. What is not yet processed or uploaded waits for the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { timer } of this.#retries.values()) clearTimeout(timer);
    for (const { realm } of this.#realms.values()) realm.close();
    for (const handle of this.#handles) handle.close();
    await this.#discovery.close();
    await this.#client.close();
    this.#store.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new AdapterClosedError('the adapter is closed');
  }

  #open(path: string): WatchedRealm {
    const known = this.#realms.get(path);
    if (known !== undefined) return known.realm;
    const realm = new WatchedRealm(this.#store.replica(path));
    const isWatched = this.#matches(path);
    realm.replica.onCommit(({ queued }) => {
      if (!queued) return;
      if (isWatched) this.#notify(path);
      else realm.skipAll();
    });
    const session = this.#client.open(realm.replica, {
      beforeIntegrate: () => (this.#closing === undefined ? realm.room() : undefined),
      onFailed: (error) => this.#failed(error, path),
      ...(this.#options.onReset === undefined ? {} : { onReset: this.#options.onReset }),
    });
    this.#realms.set(path, { realm, session });
    if (isWatched && realm.hasWaiting) this.#notify(path);
    return realm;
  }

  /** Calls the listener in a turn of its own, once for all commits until then. */
  #notify(path: string): void {
    if (this.#notifying.has(path)) {
      this.#notifying.set(path, 'again');
      return;
    }
    this.#notifying.set(path, 'once');
    setImmediate(() => this.#call(path));
  }

  #call(path: string): void {
    if (this.#closing !== undefined) return;
    this.#notifying.set(path, 'once');
    let called: void | Promise<void>;
    try {
      called = this.#onChange(path);
    } catch (error) {
      this.#listenerFailed(path, error);
      return;
    }
    if (!(called instanceof Promise)) {
      this.#listenerDone(path);
      return;
    }
    called.then(
      () => this.#listenerDone(path),
      (error: unknown) => this.#listenerFailed(path, error),
    );
  }

  #listenerDone(path: string): void {
    const isAskedAgain = this.#notifying.get(path) === 'again';
    this.#notifying.delete(path);
    this.#retries.delete(path);
    if (isAskedAgain) this.#notify(path);
  }

  /** The listener's own error: syncing goes on, and it gets another chance later. */
  #listenerFailed(path: string, cause: unknown): void {
    if (this.#closing !== undefined) return;
    const error = cause instanceof Error ? cause.stack : String(cause);
    const retry = this.#retries.get(path) ?? {
      backOff: new BackOff(this.#options.listenerBackOff ?? LISTENER_BACK_OFF),
      timer: undefined,
    };
    const delay = retry.backOff.next();
    this.#logger.error('The listener of an adapter threw; its transaction waits', {
      path,
      error,
      delayMilliseconds: Math.round(delay),
    });
    retry.timer = setTimeout(() => this.#call(path), delay);
    this.#retries.set(path, retry);
  }

  #failed(error: Error, path?: string): void {
    const { onError } = this.#options;
    if (onError !== undefined) onError(error, path);
    else {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
