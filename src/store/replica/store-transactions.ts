/**
 * The transactions of a replica store. One is open at a time, since everything is synchronous. Inside it, each change
 * of a replica is a part that can fail alone; the caller that catches its error may go on.
 */
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../sqlite/database.ts';
import { ReplicaStateError } from './errors.ts';

/** A replica with a hand in the open transaction, told how it ends so that its memory agrees with the database. */
export interface Participant {
  /** Writes what is held back, so that the database holds all changes up to here. */
  flush(): void;
  /** The latest part failed: memory goes back to the last {@link flush}. */
  partFailed(): void;
  /** Nothing of the transaction remains. */
  rolledBack(): void;
  /** The transaction is durable. */
  committed(): void;
}

export class StoreTransactions {
  readonly #database: DatabaseSync;
  readonly #participants = new Set<Participant>();
  #depth = 0;
  /** A nested call failed, so the outermost one must not commit. */
  #failure: { readonly cause: unknown } | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs `work` atomically and durably; a nested call joins the outer one. A throw rolls all of it back. */
  run<T>(work: () => T): T {
    if (this.#depth > 0) return this.#join(work);
    let result: T;
    this.#depth = 1;
    try {
      result = inTransaction(this.#database, () => {
        const value = work();
        this.#refuseToCommitInPart(value);
        for (const participant of this.#participants) participant.flush();
        return value;
      });
    } catch (error) {
      this.#end((participant) => participant.rolledBack());
      throw error;
    }
    this.#end((participant) => participant.committed());
    return result;
  }

  /** A change of one replica: a transaction of its own, or a part of the open one that can fail alone. */
  change<T>(participant: Participant, work: () => T): T {
    if (this.#depth === 0) {
      return this.run(() => {
        this.#participants.add(participant);
        return work();
      });
    }
    if (this.#participants.has(participant)) participant.flush();
    else this.#participants.add(participant);
    try {
      return inTransaction(this.#database, work);
    } catch (error) {
      participant.partFailed();
      throw error;
    }
  }

  /** Lets a participant know how the open transaction ends, if there is one. */
  enlist(participant: Participant): void {
    if (this.#depth > 0) this.#participants.add(participant);
  }

  #join<T>(work: () => T): T {
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      this.#failure = { cause: error };
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  #refuseToCommitInPart(result: unknown): void {
    if (this.#failure !== undefined) {
      throw new ReplicaStateError('a nested transaction failed, so nothing was committed', this.#failure);
    }
    if (result instanceof Promise) {
      result.catch(() => {}); // its failure is no news: nothing of it was committed
      throw new ReplicaStateError('the work of a transaction returned a promise, so nothing was committed', {
        remedy: 'do the waiting before the transaction; its work must be synchronous',
      });
    }
  }

  /** Participants may start new transactions when they are told. */
  #end(tell: (participant: Participant) => void): void {
    const participants = [...this.#participants];
    this.#participants.clear();
    this.#depth = 0;
    this.#failure = undefined;
    for (const participant of participants) tell(participant);
  }
}
