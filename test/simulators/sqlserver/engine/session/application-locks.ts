/** sp_getapplock and its kin. */
import { type Datum, SqlFailure } from '../../contract.ts';
import { isApplicationLock } from '../storage/instance.ts';
import { type LockMode, LockWait } from '../storage/locks.ts';
import type { Session } from './session.ts';

const modes: Readonly<Record<string, LockMode>> = {
  shared: 'S',
  update: 'U',
  exclusive: 'X',
  intentshared: 'S',
  intentexclusive: 'IX',
};

export function lockModeOf(name: string): LockMode | undefined {
  return modes[name.toLowerCase()];
}

/** The name under which an application lock is held; those of transactions and of sessions exclude one another, too. */
export function applicationResource(
  session: Session,
  principal: string,
  resource: string,
  owner: string,
): string {
  const kind = owner.toLowerCase() === 'session' ? 'session' : 'transaction';
  const name = `${session.currentDatabase.id}:${principal.toLowerCase()}:${resource.slice(0, 255)}`;
  return `application:${kind}:${name}`;
}

/** The same lock as the other kind of owner holds it. */
export function twinOf(resource: string): string {
  const [, kind] = resource.split(':');
  return resource.replace(
    /^application:\w+:/,
    `application:${kind === 'session' ? 'transaction' : 'session'}:`,
  );
}

export type LockRequest = {
  readonly resource: string;
  readonly mode: LockMode;
  readonly owner: 'session' | 'transaction';
  readonly timeout: number;
};

export function lockRequest(session: Session, given: ReadonlyMap<string, Datum>): LockRequest {
  const text = (name: string) => {
    const value = given.get(name);
    return value === null || value === undefined ? undefined : String(value);
  };
  const resource = text('@resource');
  const mode = lockModeOf(text('@lockmode') ?? 'Exclusive');
  const owner = (text('@lockowner') ?? 'Transaction').toLowerCase();
  if (resource === undefined || !mode || (owner !== 'session' && owner !== 'transaction')) {
    throw new SqlFailure(1223, 'Invalid parameters for an application lock.');
  }
  if (owner === 'transaction' && !session.transaction) {
    throw new SqlFailure(
      15002,
      'The procedure sp_getapplock cannot be executed outside a transaction when the lock is owned by it.',
    );
  }
  const name = applicationResource(session, text('@dbprincipal') ?? 'public', resource, owner);
  return {
    resource: name,
    mode,
    owner,
    timeout: Number(text('@locktimeout') ?? session.options.lockTimeout),
  };
}

/** 0 granted at once, 1 after waiting, -1 timed out, -2 cancelled, -3 deadlock. */
export async function acquireApplicationLock(
  session: Session,
  request: LockRequest,
  signal: AbortSignal,
): Promise<number> {
  const { locks } = session.instance;
  let waited = false;
  for (;;) {
    try {
      locks.check(session.owner, twinOf(request.resource), request.mode);
      locks.acquire(session.owner, request.resource, request.mode);
      return waited ? 1 : 0;
    } catch (error) {
      if (!(error instanceof LockWait)) throw error;
      waited = true;
      try {
        await locks.wait(session.owner, error, { timeout: request.timeout, signal });
      } catch (failure) {
        if (!(failure instanceof SqlFailure)) throw failure;
        return failure.number === 1222 ? -1 : -3;
      }
    }
  }
}

export function releaseApplicationLock(session: Session, request: LockRequest): void {
  if (session.instance.locks.release(session.owner, request.resource)) return;
  const name = request.resource.split(':').slice(4).join(':');
  throw new SqlFailure(
    1223,
    `Cannot release the application lock (Database Principal: 'public', Resource: '${name}') because it is not currently held.`,
  );
}

/** All locks of a session that is over or reset. */
export function releaseApplicationLocks(session: Session): void {
  session.instance.locks.releaseAll(session.owner, isApplicationLock);
}
