/**
 * Makes bootstraps: what changes for a client when its view does. A bootstrap is made once, from a snapshot of the realm
 * at one version, for all sessions that change from the same view to the same other one at about the same time:
 *
 * - A few are being made at a time; the others wait in line, and their sessions go on under the old view meanwhile.
 * - When a bootstrap begins, each session that waits for it is told in the same step, so that it can bring its client to
 *   that very version under the old view first.
 * - A session that comes later may still take part: at the same version in any case, and at a later one when its client
 *   holds nothing yet; then what has happened since is sent at the end of the bootstrap.
 * - A bootstrap that nobody waits for any more is given up. The last few complete ones are kept for late-comers.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sharedContent } from '../../protocol/spliced-body.ts';
import type { SaltedVersion, ServerRealm } from '../../store/server/contract.ts';
import type { RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import { bootstrapChangesets } from '../flexible/bootstrap.ts';
import type { View } from '../flexible/view.ts';
import { BootstrapSpool } from './bootstrap-spool.ts';

/** Snapshots being read at a time: the work shares one thread, so that more would only make each of them slower. */
const AT_WORK = 2;
/**
 * Complete bootstraps without a reader that are kept, and their bytes together. The bytes bound the memory and the disk;
 * the number bounds the open files, and is above that of the different subscriptions that most apps have.
 */
const KEPT = 64;
const KEPT_BYTES = 64 * 1024 * 1024;
/** Bytes of history after a bootstrap that a late-comer is sent in addition; beyond, a new bootstrap is less. */
const LARGEST_TAIL = 256 * 1024;

export type BootstrapRequest = {
  readonly from: View;
  readonly to: View;
  /** For a client that has no schema yet. */
  readonly includeSchema: boolean;
};

/** A bootstrap that has begun. */
export type Transfer = {
  readonly spool: BootstrapSpool;
  /** Version of the realm that the spool was made from. */
  readonly madeAt: number;
  /** Version at which the client is when it has this: the head, at the moment of the call. */
  readonly version: SaltedVersion;
  /** The session needs it no longer. */
  release(): void;
};

/** A session that waits. */
export type BootstrapWaiter = {
  /** The bootstrap begins in this step: nothing has happened in the realm after `transfer.version`. */
  begin(transfer: Transfer): void;
  failed(error: unknown): void;
};

type Job = {
  readonly key: string;
  readonly request: BootstrapRequest;
  readonly waiting: Set<BootstrapWaiter>;
  readonly spool: BootstrapSpool;
  madeAt: number | undefined;
  readers: number;
  state: 'waiting' | 'making' | 'complete' | 'over';
};

export class Bootstraps {
  readonly #realm: ServerRealm;
  readonly #directory: string;
  readonly #portionBytes: number;
  /** By key, the one that new sessions may join. */
  readonly #jobs = new Map<string, Job>();
  readonly #line: Job[] = [];
  readonly #making = new Set<Promise<void>>();
  #made = 0;
  #isClosed = false;

  /** Large bootstraps are spooled into files of `directory`. */
  constructor(realm: ServerRealm, directory: string, portionBytes: number) {
    this.#realm = realm;
    this.#directory = directory;
    this.#portionBytes = portionBytes;
  }

  /** Waits for a bootstrap, which may begin before this returns. Returns how to wait no longer. */
  enter(request: BootstrapRequest, waiter: BootstrapWaiter): () => void {
    const key = `${request.includeSchema}|${request.from.signature}|${request.to.signature}`;
    const present = this.#jobs.get(key);
    if (present !== undefined && this.#mayJoin(present)) return this.#join(present, waiter);
    this.#made += 1;
    const spool = new BootstrapSpool(join(this.#directory, `bootstrap-${process.pid}-${this.#made}`));
    const job: Job = {
      key,
      request,
      waiting: new Set([waiter]),
      spool,
      madeAt: undefined,
      readers: 0,
      state: 'waiting',
    };
    // One that is still being sent to others ends without the name.
    if (present !== undefined) this.#forget(present);
    this.#jobs.set(key, job);
    this.#line.push(job);
    this.#startNext();
    return () => this.#leave(job, waiter);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#jobs.values()) this.#end(job);
    this.#jobs.clear();
    this.#line.length = 0;
    await Promise.all(this.#making);
  }

  #mayJoin(job: Job): boolean {
    if (job.madeAt === undefined) return job.state === 'waiting';
    if (job.state === 'over') return false;
    const { head } = this.#realm;
    if (job.madeAt === head.version) return true;
    if (!job.request.from.isEmpty) return false;
    const { now } = this.#realm;
    return job.madeAt >= now.oldest && now.window(job.madeAt).size <= LARGEST_TAIL;
  }

  #join(job: Job, waiter: BootstrapWaiter): () => void {
    if (job.madeAt === undefined) job.waiting.add(waiter);
    else this.#begin(job, job.madeAt, waiter);
    return () => this.#leave(job, waiter);
  }

  #begin(job: Job, madeAt: number, waiter: BootstrapWaiter): void {
    job.readers += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      job.readers -= 1;
      this.#collect(job);
    };
    waiter.begin({ spool: job.spool, madeAt, version: this.#realm.head, release });
  }

  #leave(job: Job, waiter: BootstrapWaiter): void {
    if (!job.waiting.delete(waiter)) return;
    this.#collect(job);
  }

  #startNext(): void {
    while (!this.#isClosed && this.#making.size < AT_WORK) {
      const job = this.#line.shift();
      if (job === undefined) return;
      if (job.state !== 'waiting') continue;
      this.#start(job);
    }
  }

  #start(job: Job): void {
    let snapshot: RealmSnapshot;
    try {
      snapshot = this.#realm.snapshot();
    } catch (error) {
      this.#fail(job, error);
      return;
    }
    job.state = 'making';
    job.madeAt = snapshot.head.version;
    const making = this.#make(job, snapshot)
      .catch((error: unknown) => this.#fail(job, error))
      .finally(() => {
        this.#making.delete(making);
        this.#startNext();
      });
    this.#making.add(making);
    const waiting = [...job.waiting];
    job.waiting.clear();
    // While all begin, none may make it look as if nobody were left.
    job.readers += 1;
    for (const waiter of waiting) this.#begin(job, snapshot.head.version, waiter);
    job.readers -= 1;
    this.#collect(job);
  }

  async #make(job: Job, snapshot: RealmSnapshot): Promise<void> {
    try {
      // Those that wait are told before anything is made.
      await nextTurn();
      for (const portion of bootstrapChangesets({
        snapshot,
        ...job.request,
        portionBytes: this.#portionBytes,
      })) {
        if (job.state !== 'making') return;
        if ('changeset' in portion) {
          const { changeset, progress } = portion;
          await job.spool.append({ content: await sharedContent(changeset), progress });
        }
        await nextTurn();
      }
    } finally {
      snapshot.close();
    }
    if (job.state !== 'making') return;
    job.state = 'complete';
    job.spool.complete();
    this.#collect(job);
  }

  #fail(job: Job, error: unknown): void {
    const waiting = [...job.waiting];
    job.waiting.clear();
    job.spool.fail(error);
    this.#end(job);
    for (const waiter of waiting) waiter.failed(error);
  }

  /** Gives up what nobody needs. */
  #collect(job: Job): void {
    if (job.readers > 0 || job.waiting.size > 0) return;
    if (job.state !== 'complete' || this.#jobs.get(job.key) !== job) this.#end(job);
    else this.#keepTheNewest();
  }

  #keepTheNewest(): void {
    const idle = [...this.#jobs.values()].filter((job) => job.state === 'complete' && job.readers === 0);
    let bytes = idle.reduce((sum, { spool }) => sum + spool.size, 0);
    for (const job of [...idle]) {
      if (idle.length <= KEPT && bytes <= KEPT_BYTES) return;
      idle.shift();
      bytes -= job.spool.size;
      this.#end(job);
    }
  }

  #forget(job: Job): void {
    this.#jobs.delete(job.key);
    this.#collect(job);
  }

  #end(job: Job): void {
    if (job.state === 'over') return;
    job.state = 'over';
    if (this.#jobs.get(job.key) === job) this.#jobs.delete(job.key);
    job.spool.discard().catch(() => {});
  }
}
