import { SqlFailure } from '../../contract.ts';
import type { Run } from '../executor/environment.ts';
import type { Database } from '../storage/database.ts';

/** 3964: definitions change outside SNAPSHOT transactions (those that a statement made for itself are no such). */
export function refuseInSnapshot(run: Run, database: Database): void {
  const { transaction } = run;
  if (transaction.isolation !== 'snapshot' || transaction.implicit) return;
  throw new SqlFailure(
    3964,
    `Transaction failed because this DDL statement is not allowed inside a snapshot isolation transaction. Since metadata is not versioned, a metadata change can lead to inconsistency if mixed within snapshot isolation in database '${database.name}'.`,
    { rolledBack: true },
  );
}
