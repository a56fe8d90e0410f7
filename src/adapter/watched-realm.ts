/**
 * One realm of an adapter: its replica and the merged transactions that wait in its queue. They stay there until
 * {@link WatchedRealm.advance}, so that after a restart the adapter goes on with the first that was not advanced past.
 */
import type { Replica } from '../store/replica/contract.ts';
import { decodeMerged } from './cook.ts';
import { type InstructionObject, toInstructionObject } from './instruction-objects.ts';

/** Waiting transactions above which nothing more is taken from the server. */
const MAX_WAITING = 10_000;

type Current = { readonly sequence: number; readonly instructions: readonly InstructionObject[] };

export class WatchedRealm {
  readonly replica: Replica;
  #current: Current | undefined;
  /** Resolves when the queue has room again. */
  #room: PromiseWithResolvers<void> | undefined;

  constructor(replica: Replica) {
    this.replica = replica;
  }

  get hasWaiting(): boolean {
    return this.replica.queued(0, 1).length > 0;
  }

  current(): readonly InstructionObject[] | undefined {
    if (this.#current === undefined) {
      const [oldest] = this.replica.queued(0, 1);
      if (oldest === undefined) return undefined;
      const { schema } = this.replica;
      const instructions = decodeMerged(oldest.payload).map((merged) => toInstructionObject(merged, schema));
      this.#current = { sequence: oldest.sequence, instructions };
    }
    return this.#current.instructions;
  }

  /** Of the current transaction. */
  get position(): number | undefined {
    return this.#current?.sequence ?? this.replica.queued(0, 1)[0]?.sequence;
  }

  advance(): void {
    const sequence = this.position;
    if (sequence === undefined) return;
    this.#current = undefined;
    this.replica.dropQueued(sequence);
    if (this.#room !== undefined && !this.#isFull()) this.#makeRoom();
  }

  /** Forgets everything that waits: nobody watches the realm. */
  skipAll(): void {
    this.#current = undefined;
    this.replica.dropQueued(Number.MAX_SAFE_INTEGER);
  }

  /** To be awaited before more is integrated. */
  room(): Promise<void> | undefined {
    if (!this.#isFull()) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Lets go whoever waits for room. */
  close(): void {
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #isFull(): boolean {
    const oldest = this.replica.queued(0, 1)[0]?.sequence;
    return oldest !== undefined && this.replica.queued(oldest + MAX_WAITING - 1, 1).length > 0;
  }
}
