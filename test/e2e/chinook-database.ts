/** What the convergence suite needs of a database that holds Chinook. */
import type { Deployment } from '../support/isthmus-processes.ts';
import type { ChinookTables } from './compare.ts';
import type { RowChange } from './sql-workload.ts';

/** Of a transaction: its commit was acknowledged, the database said no, or the connection is gone. */
export type Outcome = 'committed' | 'refused' | 'lost';

/** As another application has it. */
export interface ChinookConnection {
  readonly tables: ChinookTables;
  /** One transaction. Refusals are what such an application must expect: a row that is still referenced, a deadlock. */
  apply(changes: readonly RowChange[]): Promise<Outcome>;
  /** How much of the realm's queue the adapter has applied. */
  checkpoint(): Promise<number>;
  /** How many there are. */
  deadLetters(): Promise<number>;
  close(): Promise<void>;
}

export interface ChinookDatabase {
  /** Configured for it, in the directory that was given. */
  readonly deployment: Deployment;
  connect(): Promise<ChinookConnection>;
  /** Ends the server by SIGKILL and brings it back. */
  crash(): Promise<void>;
  /** From now on at the latest. */
  recordCheckpoints(): Promise<void>;
  /** The sequence of the adapter's checkpoint in every transaction that has moved it, in the order of their commits. */
  recordedCheckpoints(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

export type ChinookTarget = {
  readonly name: string;
  /** After how many changes the server is killed; never when it is not ours to kill. */
  readonly crashesAt: readonly number[];
  /** A server with Chinook in a database of its own. */
  start(directory: string): Promise<ChinookDatabase>;
};

export const REALM = '/chinook';
