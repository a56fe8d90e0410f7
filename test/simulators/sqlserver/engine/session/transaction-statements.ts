/** BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION as statements. */
import type { TransactionStatement } from '../../sql/ast.ts';
import type { Session } from './session.ts';
import {
  beginTransaction,
  commitTransaction,
  hasSavepoint,
  rollbackToSavepoint,
  rollbackTransaction,
  saveTransaction,
  type TransactionEvent,
} from './transactions.ts';

export function executeTransactionStatement(
  session: Session,
  statement: TransactionStatement,
): TransactionEvent | undefined {
  const name = statement.name === undefined ? undefined : nameOf(session, statement.name);
  switch (statement.kind) {
    case 'beginTransaction': {
      const event = beginTransaction(session);
      if (event && name !== undefined) outermost.set(session, name.toLowerCase());
      else if (event) outermost.delete(session);
      return event;
    }
    case 'commitTransaction':
      return commitTransaction(session);
    case 'saveTransaction':
      saveTransaction(session, name!);
      return undefined;
    case 'rollbackTransaction':
      if (
        name === undefined ||
        (!hasSavepoint(session, name) && outermost.get(session) === name.toLowerCase())
      ) {
        return rollbackTransaction(session);
      }
      rollbackToSavepoint(session, name);
      return undefined;
  }
}

/** The name that the outermost BEGIN TRANSACTION gave: the only one that ROLLBACK knows. */
const outermost = new WeakMap<Session, string>();

function nameOf(session: Session, name: string): string {
  if (!name.startsWith('@')) return name;
  return String(session.variables.get(name.toLowerCase())?.value ?? '');
}
