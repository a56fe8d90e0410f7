/**
 * Locks that are held until something ends: a transaction, or a session for application locks. Statements run in one go
 * and never wait inside: what finds a lock in its way throws {@link LockWait}, its work is undone, and it is executed
 * again when one of those in its way has let something go. So waiting costs no suspended execution, and a statement
 * always sees a state in which nothing else happens.
 */
import { SqlFailure } from '../../contract.ts';

/** Who can hold locks and be waited for: a session. */
export class LockOwner {
  readonly sessionId: number;
  /** `SET DEADLOCK_PRIORITY`: of a circle, the owner with the lowest dies. */
  deadlockPriority = 0;

  constructor(sessionId: number) {
    this.sessionId = sessionId;
  }
}

/** Thrown where a lock is in the way. */
export class LockWait extends Error {
  readonly blockers: ReadonlySet<LockOwner>;

  constructor(blockers: Iterable<LockOwner>) {
    super('a lock is held by another session');
    this.blockers = new Set(blockers);
  }
}

/**
 * `S` shared, `U` update, `X` exclusive; for tables also `IX` (rows of it are written), `IS`-like reads take nothing,
 * and `M` (its definition changes: nobody else may even look).
 */
export type LockMode = 'S' | 'U' | 'X' | 'IX' | 'M';

const compatible: Readonly<Record<LockMode, ReadonlySet<LockMode>>> = {
  S: new Set<LockMode>(['S', 'U']),
  U: new Set<LockMode>(['S']),
  X: new Set<LockMode>(),
  IX: new Set<LockMode>(['IX']),
  M: new Set<LockMode>(),
};
const strength: Readonly<Record<LockMode, number>> = { S: 1, U: 2, IX: 2, X: 3, M: 4 };

type Waiter = {
  readonly owner: LockOwner;
  readonly blockers: ReadonlySet<LockOwner>;
  readonly wake: (failure?: SqlFailure) => void;
};

export type WaitLimits = {
  /** `LOCK_TIMEOUT` in milliseconds, negative for none. */
  readonly timeout: number;
  readonly signal: AbortSignal;
};

export class Locks {
  readonly #held = new Map<unknown, Map<LockOwner, LockMode>>();
  readonly #resources = new Map<LockOwner, Set<unknown>>();
  readonly #waiters = new Map<LockOwner, Waiter>();

  get any(): boolean {
    return this.#held.size > 0;
  }

  /** Takes a lock, or throws {@link LockWait}. Resources are rows, tables (by object) and keys (by text). */
  acquire(owner: LockOwner, resource: unknown, mode: LockMode): void {
    let holders = this.#held.get(resource);
    const mine = holders?.get(owner);
    if (mine !== undefined && strength[mine] >= strength[mode] && !(mine === 'U' && mode === 'IX')) return;
    this.check(owner, resource, mode);
    if (!holders) {
      holders = new Map();
      this.#held.set(resource, holders);
    }
    // Both shared and intent-exclusive is as much as exclusive, as far as this engine tells them apart.
    const merged = mine !== undefined && mode === 'IX' && mine !== 'IX' ? 'X' : mode;
    holders.set(owner, merged);
    let resources = this.#resources.get(owner);
    if (!resources) {
      resources = new Set();
      this.#resources.set(owner, resources);
    }
    resources.add(resource);
  }

  /** Throws {@link LockWait} when somebody else's lock does not go with `mode`. */
  check(owner: LockOwner, resource: unknown, mode: LockMode): void {
    const holders = this.#held.get(resource);
    if (!holders) return;
    let blockers: LockOwner[] | undefined;
    for (const [other, held] of holders) {
      if (other === owner || compatible[held].has(mode)) continue;
      blockers ??= [];
      blockers.push(other);
    }
    if (blockers) throw new LockWait(blockers);
  }

  /** The mode in which the owner holds the resource. */
  held(owner: LockOwner, resource: unknown): LockMode | undefined {
    return this.#held.get(resource)?.get(owner);
  }

  /** Whether nobody but `owner` holds the resource in a mode that hinders looking at its definition. */
  checkDefinition(owner: LockOwner, resource: unknown): void {
    const holders = this.#held.get(resource);
    if (!holders) return;
    for (const [other, held] of holders) {
      if (other !== owner && held === 'M') throw new LockWait([other]);
    }
  }

  release(owner: LockOwner, resource: unknown): boolean {
    const holders = this.#held.get(resource);
    if (!holders?.delete(owner)) return false;
    if (holders.size === 0) this.#held.delete(resource);
    this.#resources.get(owner)?.delete(resource);
    this.released(owner);
    return true;
  }

  /** Lets go everything that `which` says of what the owner holds, and wakes those who waited for the owner. */
  releaseAll(owner: LockOwner, which: (resource: unknown) => boolean = () => true): void {
    const resources = this.#resources.get(owner);
    if (resources) {
      for (const resource of resources) {
        if (!which(resource)) continue;
        resources.delete(resource);
        const holders = this.#held.get(resource);
        holders?.delete(owner);
        if (holders?.size === 0) this.#held.delete(resource);
      }
      if (resources.size === 0) this.#resources.delete(owner);
    }
    this.released(owner);
  }

  /** Ends the owner's own waiting, if it waits: it looks again, and finds that it was ended. */
  endWait(owner: LockOwner): void {
    this.#waiters.get(owner)?.wake();
  }

  /** Wakes everybody who waits for the owner: they look again. */
  released(owner: LockOwner): void {
    for (const waiter of [...this.#waiters.values()]) {
      if (waiter.blockers.has(owner)) waiter.wake();
    }
  }

  /** Waits until one of those in the way lets go. Fails with 1222, or with 1205 when the waiting would never end. */
  wait(owner: LockOwner, wait: LockWait, limits: WaitLimits): Promise<void> {
    limits.signal.throwIfAborted();
    if (limits.timeout === 0) return Promise.reject(lockTimeout());
    const circle = this.#circle(owner, wait.blockers);
    if (circle) {
      const victim = circle.reduce((a, b) => (b.deadlockPriority < a.deadlockPriority ? b : a), owner);
      if (victim === owner) return Promise.reject(deadlock(owner));
      this.#waiters.get(victim)?.wake(deadlock(victim));
    }
    return new Promise<void>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (failure?: unknown) => {
        clearTimeout(timer);
        limits.signal.removeEventListener('abort', aborted);
        this.#waiters.delete(owner);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const aborted = () => finish(limits.signal.reason);
      limits.signal.addEventListener('abort', aborted, { once: true });
      if (limits.timeout > 0) timer = setTimeout(() => finish(lockTimeout()), limits.timeout);
      this.#waiters.set(owner, { owner, blockers: wait.blockers, wake: finish });
    });
  }

  /** The waiting owners that would wait for one another if `owner` waited for `blockers`. */
  #circle(owner: LockOwner, blockers: ReadonlySet<LockOwner>): LockOwner[] | undefined {
    const seen = new Set<LockOwner>();
    const visit = (next: LockOwner, path: readonly LockOwner[]): LockOwner[] | undefined => {
      if (next === owner) return [...path];
      if (seen.has(next)) return undefined;
      seen.add(next);
      for (const blocker of this.#waiters.get(next)?.blockers ?? []) {
        const found = visit(blocker, [...path, next]);
        if (found) return found;
      }
      return undefined;
    };
    for (const blocker of blockers) {
      const found = visit(blocker, []);
      if (found) return found;
    }
    return undefined;
  }
}

function lockTimeout(): SqlFailure {
  return new SqlFailure(1222, 'Lock request time out period exceeded.', { state: 51 });
}

function deadlock(owner: LockOwner): SqlFailure {
  return new SqlFailure(
    1205,
    `Transaction (Process ID ${owner.sessionId}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.`,
    { severity: 13, state: 51, rolledBack: true },
  );
}
