/**
 * Carries the realms' queues into SQL.
 *
 * States: `held` (until `begin()`) → `idle` (nothing pending) → `applying` (one SQL transaction under way) → `idle`, or `waiting` (a transient
 * failure, until the back-off is over) → `applying`; `stopped` is final, by `close()` or by an error that needs an
 * operator. Consecutive small transactions of a realm share a commit; when such a group fails for its data, it is
 * repeated one by one to find the transaction at fault, and the policy decides about that one alone. Another attempt at
 * a dead letter is made when nothing of its realm is pending. A commit whose
 * answer was lost with the connection may have happened: before anything is repeated, the checkpoints in SQL decide.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Logger } from '../../log.ts';
import type { LetterAnswer } from '../dead-letters/contract.ts';
import { classesOf, letterOf, type Refusal, reasonOf, reportOf } from '../dead-letters/letter-of.ts';
import type { LetterInstruction } from '../dead-letters/letter-text.ts';
import { planRetry } from '../dead-letters/retry-plan.ts';
import type { ApplyStatement, SqlWriter } from '../dialect.ts';
import { type ErrorPolicy, putsAside } from '../error-policy.ts';
import { ApplyError, ConnectorStoppedError, DataError } from '../errors.ts';
import type { PendingTransaction, RealmRegistry, SyncedRealm } from '../realms.ts';
import type { OwedChanges } from './owed-changes.ts';
import { PlanRunner, type PlanRunnerOptions } from './plan-runner.ts';

/** Together they bound what one SQL commit carries; a single larger transaction is still one commit. */
const MAX_GROUP_TRANSACTIONS = 256;
const MAX_GROUP_INSTRUCTIONS = 20_000;

const FIRST_RETRY_MILLISECONDS = 100;
const MAX_RETRY_MILLISECONDS = 15_000;
export type AppliedTransaction = {
  readonly realmPath: string;
  readonly transactions: number;
  readonly instructions: number;
  readonly classes: readonly string[];
};

export type ApplyLoopOptions = PlanRunnerOptions & {
  readonly realms: RealmRegistry;
  /** Of which classes data errors go to the dead letters while the loop goes on; otherwise it stops there. */
  readonly errorPolicy: ErrorPolicy;
  /** Properties whose values no letter shows. */
  readonly isSecret: (className: string, property: string) => boolean;
  /** Looks at the tables: what is refused may fit them when they were changed. */
  readonly look?: () => Promise<void>;
  /** Brings structure that a transaction adds into being before its rows are written. */
  readonly beforeApply: (instructions: readonly MergedInstruction[]) => Promise<void>;
  readonly onApplied: (transaction: AppliedTransaction) => void;
  /** Knows what the dead letters owe the database. */
  readonly owed?: OwedChanges;
  /** Later transactions have made these dead letters of a realm good. */
  readonly onMadeGood?: (realmPath: string, sequences: readonly number[]) => void;
  readonly logger: Logger;
};

/** Another attempt at a dead letter. */
export type RetryRequest = {
  readonly id: string;
  readonly realmPath: string;
  readonly sequence: number;
  readonly instructions: readonly LetterInstruction[];
};
type Retry = { readonly request: RetryRequest; readonly settle: (answer: LetterAnswer | undefined) => void };

type State = 'held' | 'idle' | 'applying' | 'waiting' | 'stopped';

export class ApplyLoop {
  readonly #options: ApplyLoopOptions;
  readonly #abort = new AbortController();
  #state: State = 'held';
  #running: Promise<void> = Promise.resolve();
  readonly #plans: PlanRunner;
  /** For statements outside the queues; kept, because deletions come in many small pieces. */
  #cleaner: SqlWriter | undefined;
  /** The group being applied; settled when none is. */
  #underWay: Promise<void> = Promise.resolve();
  /** What is committed has to be asked first: after an attempt that left it open, and at the beginning. */
  #uncertain = true;
  readonly #retries: Retry[] = [];
  /** Called when what is under way has ended, however it did. */
  readonly #turnEnds: (() => void)[] = [];
  #resolveDone: () => void = () => {};
  #rejectDone: (error: unknown) => void = () => {};
  /** Settles when the loop stops; rejects with what stopped it. */
  readonly done: Promise<void>;

  constructor(options: ApplyLoopOptions) {
    this.#options = options;
    this.#plans = new PlanRunner(options, this.#abort.signal);
    this.done = new Promise((resolve, reject) => {
      this.#resolveDone = resolve;
      this.#rejectDone = reject;
    });
    this.done.catch(() => {}); // awaited by the engine; a loop that nobody awaits must not take the process down
  }

  get state(): State {
    return this.#state;
  }

  /**
   * From now on the queues are ours to apply: the feed is held, which only one connector of a name can do at a time.
   * What another one has applied until now is taken off them first.
   */
  begin(): void {
    if (this.#state !== 'held') return;
    this.#state = 'idle';
    this.wake();
  }

  /** Something is pending. Cheap to call at any time. */
  wake(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'applying';
    this.#running = this.#drain();
  }

  /**
   * Runs statements outside any queue: list rows of parents that are gone. What is being applied now was planned while
   * the parent was there and may still add such rows, so it is waited for; what is planned later knows.
   */
  async runCleanup(statements: readonly ApplyStatement[]): Promise<void> {
    if (statements.length === 0) return;
    await this.#underWay.catch(() => {}); // the loop deals with its failure
    this.#cleaner ??= await this.#options.openWriter();
    try {
      await this.#cleaner.apply(statements, []);
    } catch (error) {
      await this.#dropCleaner();
      throw error;
    }
  }

  /** Resolves when lists that were found different are written, as far as nothing else waits to be. */
  async settleLists(): Promise<void> {
    if (this.#options.lists === undefined || this.#owingRealm() === undefined) return;
    this.wake();
    // While the loop waits, it may be for what the feed is to bring.
    if (this.#state === 'applying') await new Promise<void>((resolve) => this.#turnEnds.push(resolve));
  }

  /**
   * Applies what is still wanted of a dead letter, as soon as nothing of its realm is pending. Resolves with what came
   * of it, or with `undefined` when the loop stopped before.
   */
  retry(request: RetryRequest): Promise<LetterAnswer | undefined> {
    return new Promise((settle) => {
      if (this.#state === 'stopped') settle(undefined);
      else this.#retries.push({ request, settle });
      this.wake();
    });
  }

  /** Lets the SQL transaction under way end, then stops. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#plans.patience?.ended;
    this.#stop();
    await this.#plans.close();
    await this.#dropCleaner();
  }

  #stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#giveRetriesUp();
    this.#resolveDone();
  }

  #endTurn(): void {
    for (const resolve of this.#turnEnds.splice(0)) resolve();
  }

  #giveRetriesUp(): void {
    for (const { settle } of this.#retries.splice(0)) settle(undefined);
  }

  async #drain(): Promise<void> {
    try {
      let failures = 0;
      while (!this.#abort.signal.aborted) {
        try {
          this.#state = 'applying';
          if (this.#uncertain) await this.#settle();
          const realm = this.#options.realms.all().find((candidate) => candidate.pending.length > 0);
          const retry = this.#retries.find(({ request }) => this.#isIdle(request.realmPath));
          if (retry !== undefined) this.#underWay = this.#attempt(retry);
          else if (realm !== undefined) this.#underWay = this.#applyGroup(realm, groupSize(realm.pending));
          else if (this.#owingRealm() !== undefined) this.#underWay = this.#applyOwedLists();
          else break;
          await this.#underWay;
          failures = 0;
          this.#endTurn();
        } catch (error) {
          this.#endTurn();
          if (!(error instanceof ApplyError) || error.errorClass !== 'transient') throw error;
          failures += 1;
          await this.#waitAfter(failures, error);
        }
      }
      if (!this.#abort.signal.aborted) this.#state = 'idle';
      this.#endTurn();
    } catch (error) {
      this.#state = 'stopped';
      this.#endTurn();
      this.#giveRetriesUp();
      this.#rejectDone(error);
    }
  }

  /** A realm of which nothing is pending and some list is to be written. */
  #owingRealm(): SyncedRealm | undefined {
    const { lists, realms } = this.#options;
    const path = lists?.owing().find((name) => realms.get(name)?.pending.length === 0);
    return path === undefined ? undefined : realms.get(path);
  }

  async #applyOwedLists(): Promise<void> {
    const { lists, errorPolicy, mapping, logger } = this.#options;
    const realm = this.#owingRealm();
    if (lists === undefined || realm === undefined) return;
    try {
      await lists.applyOwed(realm, (plan) => this.#plans.runWith(plan, realm, [], [], `lists ${realm.path}`));
    } catch (error) {
      if (!isDataFailure(error)) throw error;
      const classes = mapping().followedLists.map(({ ownerClass }) => ownerClass);
      if (!putsAside(errorPolicy, classes)) {
        throw new ConnectorStoppedError(`lists of realm ${realm.path} cannot be written: ${error.message}`, {
          remedy: 'mend the list tables or their foreign keys and start again; nothing is lost',
          cause: error,
        });
      }
      lists.forgiveOwed(realm);
      logger.error('Left lists in the database as they are', { realm: realm.path, reason: error.message });
    }
  }

  async #waitAfter(failures: number, error: ApplyError): Promise<void> {
    const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** (failures - 1), MAX_RETRY_MILLISECONDS);
    this.#options.logger.warn('Writing to the database failed, will try again', {
      error: error.message,
      attempt: failures,
      delayMilliseconds: delay,
    });
    this.#state = 'waiting';
    this.#uncertain = true;
    await this.#plans.dropWriter();
    const waiting = [sleep(delay, undefined, { signal: this.#abort.signal }).catch(() => {})];
    if (this.#plans.patience?.caughtUp === false) waiting.push(this.#plans.patience.untilCaughtUp);
    await Promise.race(waiting);
  }

  async #dropCleaner(): Promise<void> {
    const cleaner = this.#cleaner;
    this.#cleaner = undefined;
    await cleaner?.close().catch(() => {}); // its connection may be what failed
  }

  /** Takes what turns out to be committed off the queues. */
  async #settle(): Promise<void> {
    const applied = await (await this.#plans.writer()).checkpoints();
    for (const realm of this.#options.realms.all()) {
      const sequence = applied.get(realm.path) ?? 0;
      const group = realm.pending.filter((transaction) => transaction.serverVersion <= sequence);
      if (group.length > 0) this.#applied(realm, group);
    }
    this.#uncertain = false;
  }

  async #applyGroup(realm: SyncedRealm, count: number): Promise<void> {
    const group = realm.pending.slice(0, count);
    if (group.length === 0) return;
    const mapping = this.#options.mapping();
    try {
      await this.#apply(realm, group);
    } catch (error) {
      if (!isDataFailure(error)) throw error;
      if (group.length > 1) {
        for (let index = 0; index < count; index += 1) {
          if (this.#abort.signal.aborted) return;
          await this.#applyGroup(realm, 1);
        }
        return;
      }
      if (await this.#isMendedByLater(realm, error)) return;
      await this.#options.look?.();
      if (this.#options.mapping() !== mapping)
        throw new ApplyError(`the tables were changed since: ${error.message}`, {
          errorClass: 'transient',
          cause: error,
        });
      await this.#giveUp(realm, group[0]!, error);
    }
  }

  /** What refers to a row that goes may go with one of the next transactions. */
  async #isMendedByLater(realm: SyncedRealm, error: Error): Promise<boolean> {
    if (!(error instanceof ApplyError) || error.violation !== 'reference') return false;
    const most = groupSize(realm.pending);
    for (let count = 2; count <= most; count *= 2) {
      try {
        await this.#apply(realm, realm.pending.slice(0, count));
        return true;
      } catch (another) {
        if (!isDataFailure(another)) throw another;
      }
    }
    return false;
  }

  async #apply(realm: SyncedRealm, group: readonly PendingTransaction[]): Promise<void> {
    const merged = group.flatMap((transaction) => transaction.instructions);
    const { all, needed } = this.#options.owed?.completed(realm, merged) ?? { all: merged, needed: merged };
    await this.#options.beforeApply(merged);
    const checkpoint = { realmPath: realm.path, sequence: group.at(-1)!.serverVersion };
    // Of several, only those are waited for that need it.
    const patience = group.length === 1 ? `${realm.path} ${checkpoint.sequence}` : undefined;
    let written = all;
    try {
      await this.#plans.run(realm, all, [checkpoint], patience);
    } catch (error) {
      // What is owed may still be what is refused: it must not take the new change with it.
      if (all === needed || !isDataFailure(error)) throw error;
      written = needed;
      await this.#plans.run(realm, needed, [checkpoint], patience);
    }
    this.#applied(realm, group);
    this.#paid(realm.path, written);
  }

  #applied(realm: SyncedRealm, group: readonly PendingTransaction[]): void {
    const instructions = group.flatMap((transaction) => transaction.instructions);
    this.#plans.endPatience();
    realm.markApplied(group.length);
    this.#options.onApplied({
      realmPath: realm.path,
      transactions: group.length,
      instructions: instructions.length,
      classes: [...classesOf(instructions)],
    });
  }

  #paid(realmPath: string, instructions: readonly MergedInstruction[]): void {
    const letters = this.#options.owed?.applied(realmPath, instructions) ?? [];
    if (letters.length > 0) this.#options.onMadeGood?.(realmPath, letters);
  }

  /** The policy for a transaction that the database refuses for its data. */
  async #giveUp(realm: SyncedRealm, transaction: PendingTransaction, error: Error): Promise<void> {
    const { owed, lists, errorPolicy, mapping, isSecret, logger } = this.#options;
    const { instructions, serverVersion: sequence } = transaction;
    const rehearsal = await this.#plans.rehearse(realm, instructions);
    const refusal: Refusal = { realmPath: realm.path, sequence, instructions, error, rehearsal };
    const report = reportOf(refusal, mapping());
    if (!putsAside(errorPolicy, classesOf(instructions))) {
      throw new ConnectorStoppedError(report, {
        remedy:
          'mend the data or the table and start again; nothing is lost. Or set ignoreSQLerrors to put such transactions into isthmus.dead_letter and go on',
        cause: error,
      });
    }
    const writer = await this.#plans.writer();
    owed?.add(realm.path, sequence, instructions);
    const checkpoint = { realmPath: realm.path, sequence };
    await writer.deadLetter(checkpoint, letterOf(refusal, mapping(), isSecret));
    lists?.giveBack();
    this.#plans.endPatience();
    realm.markApplied(1);
    logger.error(`Put transaction ${sequence} of realm ${realm.path} into isthmus.dead_letter`, {
      reason: report,
      remedy: 'mend it and run isthmus deadletter retry, or isthmus deadletter discard',
    });
  }

  /**
   * Another attempt at a dead letter. It is no transaction of its realm, moves no checkpoint, and may be repeated: what
   * it writes is what the realm has, so that the feed finds nothing new when it comes back.
   */
  async #attempt(retry: Retry): Promise<void> {
    const answer = await this.#answer(retry.request);
    this.#retries.splice(this.#retries.indexOf(retry), 1);
    retry.settle(answer);
  }

  /** Whoever asks for another attempt may have mended the table a moment ago, which nobody has looked at since. */
  async #tryAsTablesAre(attempt: () => Promise<void>): Promise<void> {
    const mapping = this.#options.mapping();
    try {
      await attempt();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.#options.look?.();
      if (this.#options.mapping() === mapping) throw error;
      await attempt();
    }
  }

  #isIdle(realmPath: string): boolean {
    return (this.#options.realms.get(realmPath)?.pending.length ?? 0) === 0;
  }

  async #answer({ id, realmPath, sequence, instructions }: RetryRequest): Promise<LetterAnswer> {
    const { realms, owed, beforeApply, logger } = this.#options;
    const realm = realms.get(realmPath);
    if (realm === undefined)
      return { state: 'waiting', outcome: `realm ${realmPath} is not synced by this adapter` };
    const plan = planRetry(instructions, realm.replica, (table, key) =>
      owed === undefined ? false : owed.isAbsent(realmPath, table, key),
    );
    try {
      await beforeApply(plan.instructions);
      await this.#tryAsTablesAre(() => this.#plans.run(realm, plan.instructions, [], undefined));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      logger.warn(`Another attempt at dead letter ${id} failed`, { reason: error.message });
      return { state: 'waiting', outcome: reasonOf(error).message };
    }
    this.#paid(realmPath, plan.instructions);
    owed?.forgive(realmPath, sequence);
    const overtaken = plan.overtaken > 0 ? `; ${plan.overtaken} objects were changed again since` : '';
    logger.info(`Applied dead letter ${id}`, { realm: realmPath, sequence });
    return {
      state: 'retried',
      outcome: plan.instructions.length === 0 ? 'nothing was left to be done' : `applied${overtaken}`,
    };
  }
}

function groupSize(pending: readonly PendingTransaction[]): number {
  let instructions = 0;
  let count = 0;
  for (const transaction of pending) {
    instructions += transaction.instructions.length;
    if (count > 0 && (count >= MAX_GROUP_TRANSACTIONS || instructions > MAX_GROUP_INSTRUCTIONS)) break;
    count += 1;
  }
  return count;
}

/** What a moment's patience would not mend goes back to the operator, who asked for the attempt. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof ApplyError) {
    return error.errorClass !== 'transient' || error.violation === 'reference';
  }
  return error instanceof DataError;
}

function isDataFailure(error: unknown): error is Error {
  return error instanceof DataError || (error instanceof ApplyError && error.errorClass === 'data');
}
