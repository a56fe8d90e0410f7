/** The sync client of one user: partitions over one connection, the flexible realm over another. */
import type { Logger } from '../log.ts';
import type { SyncMode } from '../protocol/negotiation.ts';
import type { Replica } from '../store/replica/contract.ts';
import { isFlexible } from '../store/replica/flexible-contract.ts';
import type { BackOffOptions } from './back-off.ts';
import type { SyncSessionError } from './client-errors.ts';
import type { FlexibleOptions } from './flexible/flexible-sync.ts';
import { SessionMultiplexer } from './session-multiplexer.ts';
import type { SessionOptions, SyncSession } from './sync-session.ts';
import type { User } from './user.ts';

export type SyncClientOptions = {
  readonly user: User;
  readonly logger: Logger;
  /** Delays between attempts to connect; the defaults are those of the Realm SDKs. */
  readonly backOff?: BackOffOptions;
  readonly lingerMilliseconds?: number;
};

export type OpenOptions = Pick<SessionOptions, 'beforeIntegrate' | 'onReset'> &
  FlexibleOptions & {
    readonly onFailed?: (error: SyncSessionError) => void;
  };

export class SyncClient {
  readonly #options: SyncClientOptions;
  /** They connect when the first realm of their mode is opened. */
  readonly #multiplexers: Readonly<Record<SyncMode, SessionMultiplexer>>;

  constructor(options: SyncClientOptions) {
    this.#options = options;
    this.#multiplexers = {
      pbs: new SessionMultiplexer('pbs', options),
      flx: new SessionMultiplexer('flx', options),
    };
  }

  get user(): User {
    return this.#options.user;
  }

  /**
   * Starts syncing a replica, by its subscriptions when it is a flexible one. It connects in the background and keeps
   * trying until it is closed.
   */
  open(replica: Replica, options: OpenOptions = {}): SyncSession {
    return this.#of(replica).open(replica, options);
  }

  /** Ends one session; the connection stays for the others, and a while for one to come. */
  async closeSession(session: SyncSession): Promise<void> {
    await this.#of(session.replica).closeSession(session);
  }

  async close(): Promise<void> {
    const { pbs, flx } = this.#multiplexers;
    await Promise.all([pbs.close(), flx.close()]);
  }

  #of(replica: Replica): SessionMultiplexer {
    return this.#multiplexers[isFlexible(replica) ? 'flx' : 'pbs'];
  }
}
