/**
 * Group commit. Changes wait in line; once per turn of the event loop those that have gathered are made in one
 * transaction, each as a part of it that can fail alone, and all are durable with one sync of the disk. Reads in
 * between see committed state only, because a turn begins and commits its transaction without interruption.
 */
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../sqlite/database.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { BacklogError } from './backlog-error.ts';

/** Where a change happens: told how it ended, so that what is held in memory agrees with the database. */
export interface CommitParticipant {
  /** The change failed; only its own effects are gone. */
  rolledBack(): void;
  /** The whole transaction failed; memory must be read again. */
  lost(): void;
  /** The transaction is durable. Called once per commit. */
  committed(): void;
}

type Change = {
  readonly participant: CommitParticipant;
  readonly size: number;
  readonly work: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** Input bytes of one transaction, so that one turn of the event loop stays short when much is waiting. */
const MAX_GROUP_BYTES = 2 * 1024 * 1024;
/** Input bytes that may wait; senders of more are told to come back later. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** What a change counts beside its input. */
const BASE_SIZE = 4096;

export class CommitQueue {
  readonly #database: DatabaseSync;
  #waiting: Change[] = [];
  #waitingBytes = 0;
  #turn: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Resolves with what `work` returned once it is durable; rejects with what it threw. `size` is its input bytes. */
  submit<T>(participant: CommitParticipant, size: number, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) throw new StoreError('The store is closed');
      if (this.#waitingBytes >= MAX_WAITING_BYTES) {
        throw new BacklogError(`${this.#waiting.length} changes are waiting to be stored`);
      }
      this.#waitingBytes += BASE_SIZE + size;
      const settle = resolve as (result: unknown) => void;
      this.#waiting.push({ participant, size, work, resolve: settle, reject });
      this.#turn ??= setImmediate(() => this.#commitGroup());
    });
  }

  /** Makes all waiting changes; later ones are refused. */
  close(): void {
    this.#closed = true;
    while (this.#waiting.length > 0) this.#commitGroup();
  }

  #commitGroup(): void {
    const group = this.#nextGroup();
    let ends: (() => void)[] = [];
    try {
      ends = inTransaction(this.#database, () => group.map((change) => this.#make(change)));
    } catch (error) {
      for (const participant of new Set(group.map((change) => change.participant))) participant.lost();
      for (const change of group) change.reject(error);
      return;
    }
    for (const end of ends) end();
    for (const participant of new Set(group.map((change) => change.participant))) participant.committed();
  }

  /** Makes one change and returns what settles its promise after the commit. */
  #make({ participant, work, resolve, reject }: Change): () => void {
    try {
      const result = inTransaction(this.#database, work);
      return () => resolve(result);
    } catch (error) {
      // Without a transaction there is no savepoint left to return to: the whole group is gone.
      if (!this.#database.isTransaction) throw error;
      participant.rolledBack();
      return () => reject(error);
    }
  }

  #nextGroup(): Change[] {
    clearImmediate(this.#turn);
    let count = 0;
    let bytes = 0;
    for (; count < this.#waiting.length && bytes < MAX_GROUP_BYTES; count++) {
      bytes += BASE_SIZE + this.#waiting[count]!.size;
    }
    this.#waitingBytes -= bytes;
    const group = this.#waiting.splice(0, count);
    this.#turn = this.#waiting.length > 0 ? setImmediate(() => this.#commitGroup()) : undefined;
    return group;
  }
}
