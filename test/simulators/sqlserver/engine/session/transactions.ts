/** BEGIN, COMMIT, ROLLBACK and SAVE, as statements and as the client's requests do them. */
import { type IsolationLevel, SqlFailure } from '../../contract.ts';
import type { Transaction } from '../storage/transaction.ts';
import { type Session, uncommittable } from './session.ts';

export type TransactionEvent = {
  readonly change: 'begun' | 'committed' | 'rolledBack';
  readonly id: bigint;
};

export function beginTransaction(session: Session, isolation?: IsolationLevel): TransactionEvent | undefined {
  if (isolation) session.options.isolation = isolation;
  session.transactionCount += 1;
  if (session.transaction) return undefined;
  session.transaction = session.instance.begin(session.owner, session.isolation, false);
  return { change: 'begun', id: session.transaction.id };
}

export function commitTransaction(session: Session): TransactionEvent | undefined {
  const { transaction } = session;
  if (!transaction) {
    throw new SqlFailure(3902, 'The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.');
  }
  if (transaction.doomed) throw uncommittable();
  if (session.transactionCount > 1) {
    session.transactionCount -= 1;
    return undefined;
  }
  commit(session, transaction);
  forget(session);
  return { change: 'committed', id: transaction.id };
}

/** Commits, also a statement's own transaction; SNAPSHOT ones may be made to fail. */
export function commit(session: Session, transaction: Transaction): void {
  const { instance } = session;
  if (
    transaction.isolation === 'snapshot' &&
    transaction.changes.length > 0 &&
    instance.faults.takeCommitConflict()
  ) {
    instance.rollback(transaction);
    if (session.transaction === transaction) forget(session);
    throw new SqlFailure(
      3960,
      'Snapshot isolation transaction aborted due to update conflict. Retry the transaction or change the isolation level for the update/delete statement.',
      { state: 2, rolledBack: true },
    );
  }
  try {
    instance.commit(transaction);
  } catch (error) {
    instance.rollback(transaction);
    if (session.transaction === transaction) forget(session);
    throw error;
  }
}

export function rollbackTransaction(session: Session): TransactionEvent {
  const { transaction } = session;
  if (!transaction) {
    throw new SqlFailure(3903, 'The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.');
  }
  session.instance.rollback(transaction);
  forget(session);
  return { change: 'rolledBack', id: transaction.id };
}

export function saveTransaction(session: Session, name: string): void {
  const { transaction } = session;
  if (!transaction)
    throw new SqlFailure(628, 'Cannot issue SAVE TRANSACTION when there is no active transaction.');
  if (transaction.doomed) throw uncommittable();
  transaction.savepoints.push({ name: name.toLowerCase(), at: transaction.changes.length });
}

/** ROLLBACK TRANSACTION name: to the savepoint that was set last under the name. Its locks stay. */
export function rollbackToSavepoint(session: Session, name: string): void {
  const { transaction } = session;
  const at = transaction?.savepoints.findLastIndex((one) => one.name === name.toLowerCase()) ?? -1;
  if (!transaction || at < 0) {
    throw new SqlFailure(
      6401,
      `Cannot roll back ${name}. No transaction or savepoint of that name was found.`,
    );
  }
  if (transaction.doomed) {
    throw new SqlFailure(
      3931,
      'The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire transaction.',
    );
  }
  const savepoint = transaction.savepoints[at]!;
  transaction.savepoints.length = at + 1;
  session.instance.undoTo(transaction, savepoint.at);
  session.instance.locks.released(session.owner);
}

export function hasSavepoint(session: Session, name: string): boolean {
  return session.transaction?.savepoints.some((one) => one.name === name.toLowerCase()) ?? false;
}

function forget(session: Session): void {
  session.transaction = undefined;
  session.transactionCount = 0;
}
