/** Executing one statement on data: in one go, again after every wait for a lock, all of it or nothing. */
import { SqlFailure } from '../../contract.ts';
import type { Run } from '../executor/environment.ts';
import { isApplicationLock } from '../storage/instance.ts';
import { LockWait } from '../storage/locks.ts';
import type { Transaction } from '../storage/transaction.ts';
import { isDeadly } from './failures.ts';
import type { Session } from './session.ts';
import { commit } from './transactions.ts';

/**
 * Runs `work` in the session's transaction, or in one of its own that is committed afterwards. Fails with what `work`
 * throws, after its changes were taken back.
 */
export async function attempt<T>(session: Session, signal: AbortSignal, work: (run: Run) => T): Promise<T> {
  const { instance } = session;
  const own = session.transaction === undefined;
  const transaction = session.transaction ?? instance.begin(session.owner, session.isolation, true);
  const mark = transaction.changes.length;
  const variables = [...session.variables.values()].map((one) => ({ one, value: one.value }));
  for (;;) {
    if (transaction.ended || session.ended) {
      if (own) instance.rollback(transaction);
      throw inKillState();
    }
    session.statementTime = instance.now();
    const run: Run = {
      session,
      database: session.currentDatabase,
      transaction,
      cache: new Map(),
      targets: new Map(),
    };
    let result: T;
    try {
      result = work(run);
    } catch (error) {
      instance.undoTo(transaction, mark);
      for (const { one, value } of variables) one.value = value;
      if (!(error instanceof LockWait)) {
        end(session, transaction, own, error);
        throw error;
      }
      try {
        await instance.locks.wait(session.owner, error, { timeout: session.options.lockTimeout, signal });
      } catch (failure) {
        end(session, transaction, own, failure);
        throw failure;
      }
      continue;
    }
    if (own) commit(session, transaction);
    return result;
  }
}

/** The session was ended by another one while the statement waited. */
export function inKillState(): SqlFailure {
  return new SqlFailure(596, 'Cannot continue the execution because the session is in the kill state.', {
    severity: 21,
  });
}

function end(session: Session, transaction: Transaction, own: boolean, error: unknown): void {
  if (own) session.instance.rollback(transaction);
  // Others must not wait for a deadlock's victim until its client has read the news.
  else if (error instanceof SqlFailure && isDeadly(error)) {
    session.instance.undoTo(transaction, 0);
    session.instance.locks.releaseAll(session.owner, (resource) => !isApplicationLock(resource));
  }
}
