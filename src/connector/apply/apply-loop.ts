/**
 * Carries the realms' queues into SQL.
 *
 * States: `held` (until `begin()`) → `idle` (nothing pending) → `applying` (one SQL transaction under way) → `idle`, or `waiting` (a transient
 * failure, until the back-off is over) → `applying`; `stopped` is final, by `close()` or by an error that needs an
 * operator. Consecutive small transactions of a realm share a commit; when such a group fails for its data, it is
 * repeated one by one to find the transaction at fault, and the policy decides about that one alone. A commit whose
 * answer was lost with the connection may have happened: before anything is repeated, the checkpoints in SQL decide.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Logger } from '../../log.ts';
import type { ApplyStatement, Checkpoint, SqlWriter } from '../dialect.ts';
import { ApplyError, ConnectorStoppedError, DataError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { PendingTransaction, RealmRegistry, SyncedRealm } from '../realms.ts';
import type { AbsentRows } from './absent-rows.ts';
import { type PlanStyle, planStatements } from './plan.ts';

/** Together they bound what one SQL commit carries; a single larger transaction is still one commit. */
const MAX_GROUP_TRANSACTIONS = 256;
const MAX_GROUP_INSTRUCTIONS = 20_000;

const FIRST_RETRY_MILLISECONDS = 100;
const MAX_RETRY_MILLISECONDS = 15_000;
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
/**
 * A reference to a row that somebody else has just deleted mends itself as soon as the feed has brought the deletion.
 * That many attempts, with their back-off, give it about ten seconds.
 */
const FOREIGN_KEY_PATIENCE = 8;

export type AppliedTransaction = {
  readonly realmPath: string;
  readonly transactions: number;
  readonly instructions: number;
  readonly classes: readonly string[];
};

export type ApplyLoopOptions = {
  readonly realms: RealmRegistry;
  readonly openWriter: () => Promise<SqlWriter>;
  readonly mapping: () => Mapping;
  /** Data errors go to the dead letters and the loop goes on; otherwise it stops there. */
  readonly ignoreDataErrors: boolean;
  /** Where the statements of a realm really go; they stay where they are unless given. */
  readonly redirect?: (realmPath: string, statements: readonly ApplyStatement[]) => readonly ApplyStatement[];
  /** Brings structure that a transaction adds into being before its rows are written. */
  readonly beforeApply: (instructions: readonly MergedInstruction[]) => Promise<void>;
  readonly onApplied: (transaction: AppliedTransaction) => void;
  /** Knows the objects whose insertion is a dead letter. */
  readonly absent?: AbsentRows;
  readonly logger: Logger;
};

type State = 'held' | 'idle' | 'applying' | 'waiting' | 'stopped';

export class ApplyLoop {
  readonly #options: ApplyLoopOptions;
  readonly #abort = new AbortController();
  #state: State = 'held';
  #running: Promise<void> = Promise.resolve();
  #writer: SqlWriter | undefined;
  /** For statements outside the queues; kept, because deletions come in many small pieces. */
  #cleaner: SqlWriter | undefined;
  /** The group being applied; settled when none is. */
  #underWay: Promise<void> = Promise.resolve();
  /** What is committed has to be asked first: after an attempt that left it open, and at the beginning. */
  #uncertain = true;
  /** Attempts spent on a transaction that refers to a missing row. */
  #impatience: { readonly sequence: number; readonly attempts: number } | undefined;
  #resolveDone: () => void = () => {};
  #rejectDone: (error: unknown) => void = () => {};
  /** Settles when the loop stops; rejects with what stopped it. */
  readonly done: Promise<void>;

  constructor(options: ApplyLoopOptions) {
    this.#options = options;
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

  /** Lets the SQL transaction under way end, then stops. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#stop();
    await this.#writer?.close();
    this.#writer = undefined;
    await this.#dropCleaner();
  }

  #stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#resolveDone();
  }

  async #drain(): Promise<void> {
    try {
      let failures = 0;
      while (!this.#abort.signal.aborted) {
        try {
          this.#state = 'applying';
          if (this.#uncertain) await this.#settle();
          const realm = this.#options.realms.all().find((candidate) => candidate.pending.length > 0);
          if (realm === undefined) break;
          this.#underWay = this.#applyGroup(realm, groupSize(realm.pending));
          await this.#underWay;
          failures = 0;
        } catch (error) {
          if (!(error instanceof ApplyError) || error.errorClass !== 'transient') throw error;
          failures += 1;
          await this.#waitAfter(failures, error);
        }
      }
      if (!this.#abort.signal.aborted) this.#state = 'idle';
    } catch (error) {
      this.#state = 'stopped';
      this.#rejectDone(error);
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
    await this.#dropWriter();
    await sleep(delay, undefined, { signal: this.#abort.signal }).catch(() => {});
  }

  async #dropWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => {}); // its connection is what failed
  }

  async #dropCleaner(): Promise<void> {
    const cleaner = this.#cleaner;
    this.#cleaner = undefined;
    await cleaner?.close().catch(() => {}); // its connection may be what failed
  }

  /** Takes what turns out to be committed off the queues. */
  async #settle(): Promise<void> {
    this.#writer ??= await this.#options.openWriter();
    const applied = await this.#writer.checkpoints();
    for (const realm of this.#options.realms.all()) {
      const sequence = applied.get(realm.path) ?? 0;
      const group = realm.pending.filter((transaction) => transaction.serverVersion <= sequence);
      if (group.length > 0) this.#applied(realm, group);
    }
    this.#uncertain = false;
  }

  async #applyGroup(realm: SyncedRealm, count: number): Promise<void> {
    const group = realm.pending.slice(0, count);
    try {
      await this.#apply(realm, group);
    } catch (error) {
      if (!isDataFailure(error)) throw error;
      if (count > 1) {
        for (let index = 0; index < count; index += 1) {
          if (this.#abort.signal.aborted) return;
          await this.#applyGroup(realm, 1);
        }
        return;
      }
      await this.#giveUp(realm, group[0]!, error);
    }
  }

  async #apply(realm: SyncedRealm, group: readonly PendingTransaction[]): Promise<void> {
    const merged = group.flatMap((transaction) => transaction.instructions);
    const instructions = this.#options.absent?.completed(realm, merged) ?? merged;
    await this.#options.beforeApply(instructions);
    const checkpoint = { realmPath: realm.path, sequence: group.at(-1)!.serverVersion };
    await this.#tryPlans(realm, instructions, checkpoint);
    this.#applied(realm, group);
  }

  #applied(realm: SyncedRealm, group: readonly PendingTransaction[]): void {
    const instructions = group.flatMap((transaction) => transaction.instructions);
    this.#impatience = undefined;
    realm.markApplied(group.length);
    this.#options.absent?.applied(realm.path, instructions);
    const classes = new Set(instructions.map((instruction) => classOf(instruction)));
    this.#options.onApplied({
      realmPath: realm.path,
      transactions: group.length,
      instructions: instructions.length,
      classes: [...classes],
    });
  }

  /** The plain plan first; what the database refuses of it decides which other plan may do. */
  async #tryPlans(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoint: Checkpoint,
  ): Promise<void> {
    const mapping = this.#options.mapping();
    this.#writer ??= await this.#options.openWriter();
    const run = async (style: PlanStyle): Promise<void> => {
      const planned = planStatements(instructions, mapping, realm.replica, style);
      const statements = this.#options.redirect?.(realm.path, planned) ?? planned;
      await this.#writer?.apply(statements, [checkpoint]);
    };
    try {
      await run({});
    } catch (error) {
      const state = error instanceof ApplyError ? error.sqlState : undefined;
      if (state === UNIQUE_VIOLATION) await run({ deletesFirst: true });
      else if (state === FOREIGN_KEY_VIOLATION) await this.#withoutReferences(run, checkpoint);
      else throw error;
    }
  }

  async #withoutReferences(run: (style: PlanStyle) => Promise<void>, checkpoint: Checkpoint): Promise<void> {
    try {
      await run({ nullifyReferences: true });
    } catch (error) {
      if (!(error instanceof ApplyError) || error.sqlState !== FOREIGN_KEY_VIOLATION) throw error;
      const attempts = this.#impatience?.sequence === checkpoint.sequence ? this.#impatience.attempts + 1 : 1;
      this.#impatience = { sequence: checkpoint.sequence, attempts };
      if (attempts > FOREIGN_KEY_PATIENCE) throw error;
      throw new ApplyError(error.message, {
        errorClass: 'transient',
        sqlState: error.sqlState,
        cause: error,
      });
    }
  }

  /** The policy for a transaction that the database refuses for its data. */
  async #giveUp(realm: SyncedRealm, transaction: PendingTransaction, error: Error): Promise<void> {
    const what = `transaction ${transaction.serverVersion} of realm ${realm.path}`;
    if (!this.#options.ignoreDataErrors) {
      throw new ConnectorStoppedError(`${what} cannot be written to the database: ${error.message}`, {
        remedy:
          'mend the data or the table and start again; nothing is lost. Or set ignoreSQLerrors to put such transactions into isthmus.dead_letter and go on',
        cause: error,
      });
    }
    this.#writer ??= await this.#options.openWriter();
    this.#options.absent?.add(realm.path, transaction.instructions);
    const checkpoint = { realmPath: realm.path, sequence: transaction.serverVersion };
    await this.#writer.deadLetter(checkpoint, payloadText(transaction.instructions), error.message);
    realm.markApplied(1);
    this.#options.logger.error(`Put ${what} into isthmus.dead_letter`, { reason: error.message });
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

function isDataFailure(error: unknown): error is Error {
  return error instanceof DataError || (error instanceof ApplyError && error.errorClass === 'data');
}

function classOf(instruction: MergedInstruction): string {
  return instruction.type === 'ADD_TYPE' ? instruction.definition.name : instruction.table;
}

/** Readable JSON: maps as objects, 64-bit integers as decimal texts, bytes as base64. */
function payloadText(instructions: readonly MergedInstruction[]): string {
  return JSON.stringify(instructions, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Map) return Object.fromEntries(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return value;
  });
}
