/** Merged transactions waiting for their consumer, by replica and sequence. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { QueuedTransaction } from './contract.ts';

export class TransactionQueue {
  readonly #append: StatementSync;
  readonly #read: StatementSync;
  readonly #drop: StatementSync;
  readonly #move: StatementSync;

  constructor(database: DatabaseSync) {
    this.#append = database.prepare(`INSERT INTO queued_transactions
      (replica, sequence, server_version, timestamp, origin, payload) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#read = database.prepare(
      'SELECT * FROM queued_transactions WHERE replica = ? AND sequence > ? ORDER BY sequence LIMIT ?',
    );
    this.#drop = database.prepare('DELETE FROM queued_transactions WHERE replica = ? AND sequence <= ?');
    this.#move = database.prepare('UPDATE queued_transactions SET replica = ? WHERE replica = ?');
  }

  append(replica: number, transaction: QueuedTransaction): void {
    const { sequence, serverVersion, timestamp, originFileIdent, payload } = transaction;
    this.#append.run(replica, sequence, serverVersion, timestamp, originFileIdent, payload);
  }

  read(replica: number, after: number, limit: number): QueuedTransaction[] {
    return this.#read.all(replica, after, limit).map((row) => ({
      sequence: row.sequence as number,
      serverVersion: row.server_version as number,
      timestamp: row.timestamp as number,
      originFileIdent: row.origin as number,
      payload: row.payload as Uint8Array,
    }));
  }

  drop(replica: number, upTo: number): void {
    this.#drop.run(replica, upTo);
  }

  /** What waits in the queue of one replica waits in that of another from now on. */
  move(from: number, to: number): void {
    this.#move.run(to, from);
  }
}
