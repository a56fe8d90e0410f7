/** CHANGE_TRACKING_CURRENT_VERSION and the other functions (sql-server.md facts 2, 16, 20). */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { EngineFunctions } from '../catalog/functions.ts';
import type { Run } from '../executor/environment.ts';
import { beginView, isolationOf } from '../executor/table-access.ts';
import type { Database } from '../storage/database.ts';
import { isColumnInMask } from './net-changes.ts';

/** What the statement's transaction sees of change tracking: all, or what its snapshot saw. */
export function snapshotOf(run: Run, database: Database): number | undefined {
  if (isolationOf(run) !== 'snapshot') return undefined;
  beginView(run, database, undefined);
  return run.transaction.snapshot;
}

export const trackingFunctions: EngineFunctions = {
  CHANGE_TRACKING_CURRENT_VERSION: {
    type: { kind: 'bigint' },
    arity: [0, 0],
    evaluate: (_values, run) => {
      const { tracking } = run.database;
      return tracking ? BigInt(tracking.versionAt(snapshotOf(run, run.database))) : null;
    },
  },
  CHANGE_TRACKING_MIN_VALID_VERSION: {
    type: { kind: 'bigint' },
    arity: [1, 1],
    evaluate: ([id], run) => {
      const { database, session } = run;
      const table = id === null || id === undefined ? undefined : database.tableById(Number(id));
      if (!database.tracking || !table?.tracking) return null;
      if (!session.access.has('VIEW CHANGE TRACKING', database, table)) return null;
      return BigInt(table.tracking.minValidVersion(snapshotOf(run, database)));
    },
  },
  CHANGE_TRACKING_IS_COLUMN_IN_MASK: {
    type: { kind: 'bit' },
    arity: [2, 2],
    evaluate: ([column, mask]): Datum => {
      if (mask === null || mask === undefined) return true;
      if (column === null || column === undefined) return null;
      const inside = mask instanceof Uint8Array ? isColumnInMask(mask, Number(column)) : undefined;
      if (inside === undefined) {
        throw new SqlFailure(22101, 'The value is not a valid change tracking column mask.');
      }
      return inside;
    },
  },
};
