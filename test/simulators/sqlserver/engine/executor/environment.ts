/** What expressions are evaluated in: the rows at hand, those around them, and the statement that is being executed. */
import type { Datum } from '../../contract.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import type { Row } from '../storage/table.ts';
import type { Transaction } from '../storage/transaction.ts';

export type Data = readonly Datum[];
/** One row of each source of a query, by the source's number. */
export type Tuple = Data[];

/** One attempt to execute a statement. */
export type Run = {
  readonly session: Session;
  readonly database: Database;
  readonly transaction: Transaction;
  /** What need not be computed twice in a statement, by the plan that computes it. */
  readonly cache: Map<unknown, unknown>;
  /** The rows behind what a statement's target was read from. */
  readonly targets: Map<Data, Row>;
};

export type Env = {
  readonly run: Run;
  rows: Tuple;
  readonly outer: Env | undefined;
  /** The aggregates of the group that the row stands for. */
  aggregates: Data;
  /** Window functions of the row. */
  windows: Data;
};

/** The row that outer joins put where there is none: every column of it is NULL. */
export const NO_ROW: Data = [];

export function newEnv(run: Run, outer?: Env, rows: Tuple = []): Env {
  return { run, rows, outer, aggregates: NO_ROW, windows: NO_ROW };
}
