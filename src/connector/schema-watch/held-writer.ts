/**
 * Writes held changes to SQL once their table fits, beside the realms' queues and under checkpoints of their own. What
 * comes of the queues for the same objects is held as well until then, so that the order between the two is kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Logger } from '../../log.ts';
import { type PlanStyle, planStatements } from '../apply/plan.ts';
import { classesOf, letterOf, reportOf } from '../dead-letters/letter-of.ts';
import type { ApplyStatement, Checkpoint, SqlWriter } from '../dialect.ts';
import { type ErrorPolicy, putsAside } from '../error-policy.ts';
import { ApplyError, ConnectorStoppedError, DataError } from '../errors.ts';
import type { ListKeeper } from '../lists/list-keeper.ts';
import type { ListPlan } from '../lists/list-plan.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { RealmRegistry, SyncedRealm } from '../realms.ts';
import type { HeldBatch, HeldChanges } from './held-changes.ts';

const FIRST_RETRY_MILLISECONDS = 100;
const MAX_RETRY_MILLISECONDS = 15_000;
/** What to try when the plain plan is refused: a key that is taken by a row to be deleted, or a reference to a missing row. */
const STYLES: readonly PlanStyle[] = [{}, { deletesFirst: true }, { nullifyReferences: true }];

export type HeldWriterOptions = {
  readonly held: HeldChanges;
  readonly realms: RealmRegistry;
  readonly openWriter: () => Promise<SqlWriter>;
  readonly mapping: () => Mapping;
  readonly redirect:
    | ((path: string, statements: readonly ApplyStatement[]) => readonly ApplyStatement[])
    | undefined;
  /** Keeps the lists that both sides change. */
  readonly lists?: ListKeeper | undefined;
  readonly errorPolicy: ErrorPolicy;
  readonly isSecret: (className: string, property: string) => boolean;
  readonly logger: Logger;
};

export class HeldWriter {
  readonly #options: HeldWriterOptions;
  readonly #abort = new AbortController();
  #writer: SqlWriter | undefined;
  #state: 'idle' | 'writing' | 'asked' | 'stopped' = 'idle';
  #running: Promise<void> = Promise.resolve();
  #reject: (error: unknown) => void = () => {};
  /** Rejects with what stops the connector; never resolves. */
  readonly failed: Promise<never>;

  constructor(options: HeldWriterOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {}); // whoever runs the engine awaits it
  }

  /** Something may be ready to be written. Cheap to call at any time. */
  wake(): void {
    if (this.#state === 'writing') this.#state = 'asked';
    if (this.#state !== 'idle') return;
    this.#state = 'writing';
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#state = 'stopped';
    await this.#dropWriter();
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#state = 'writing';
        for (const realm of this.#options.realms.all()) await this.#writeAll(realm);
      } while (this.#wasAsked() && !this.#abort.signal.aborted);
      this.#state = 'idle';
    } catch (error) {
      this.#state = 'stopped';
      this.#reject(error);
    }
  }

  #wasAsked(): boolean {
    return this.#state === 'asked';
  }

  async #writeAll(realm: SyncedRealm): Promise<void> {
    const { held } = this.#options;
    while (!this.#abort.signal.aborted) {
      const batch = held.nextBatch(realm);
      if (batch === undefined) return;
      if (!(await this.#write(realm, batch))) return;
      held.applied(batch.checkpoint);
    }
    return;
  }

  /** False when the batch waits again. */
  async #write(realm: SyncedRealm, { instructions, checkpoint }: HeldBatch): Promise<boolean> {
    for (let failures = 0; !this.#abort.signal.aborted; failures += 1) {
      try {
        if (failures > 0 && (await this.#isCommitted(checkpoint))) return true;
        await this.#apply(realm, instructions, checkpoint);
        return true;
      } catch (error) {
        if (isDataFailure(error)) return this.#oneByOne(realm, instructions, checkpoint, error);
        if (!(error instanceof ApplyError) || error.errorClass !== 'transient') throw error;
        await this.#dropWriter();
        await this.#waitAfter(failures, error);
        // The table may have been stopped again meanwhile.
        const mapping = this.#options.mapping();
        if ([...classesOf(instructions)].some((name) => mapping.forClass(name) === undefined)) break;
      }
    }
    this.#options.held.refused(checkpoint);
    return false;
  }

  async #isCommitted({ realmPath, sequence }: Checkpoint): Promise<boolean> {
    this.#writer ??= await this.#options.openWriter();
    return ((await this.#writer.checkpoints()).get(realmPath) ?? 0) >= sequence;
  }

  async #apply(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoint: Checkpoint,
  ): Promise<void> {
    const { lists } = this.#options;
    if (lists?.concerns(instructions) !== true)
      return this.#applyWith(undefined, realm, instructions, checkpoint);
    await lists.apply(realm, instructions, (plan) => this.#applyWith(plan, realm, instructions, checkpoint));
  }

  async #applyWith(
    lists: ListPlan | undefined,
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoint: Checkpoint,
  ): Promise<void> {
    let refused: unknown;
    for (const style of STYLES) {
      this.#writer ??= await this.#options.openWriter();
      const planned = planStatements(instructions, this.#options.mapping(), realm.replica, style, lists);
      try {
        await this.#writer.apply(this.#options.redirect?.(realm.path, planned) ?? planned, [checkpoint]);
        return;
      } catch (error) {
        if (!(error instanceof ApplyError) || error.errorClass !== 'data') throw error;
        refused ??= error;
      }
    }
    throw refused;
  }

  /** Finds the object at fault; the policy decides about that one alone. */
  async #oneByOne(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoint: Checkpoint,
    error: Error,
  ): Promise<boolean> {
    const objects = byObject(instructions);
    if (objects.length === 1) {
      await this.#giveUp(realm, instructions, checkpoint, error);
      return true;
    }
    // Only the last one may say that all of them are written.
    const before = { ...checkpoint, sequence: checkpoint.sequence - 1 };
    for (const [index, object] of objects.entries()) {
      const vouchedFor = index === objects.length - 1 ? checkpoint : before;
      if (!(await this.#write(realm, { instructions: object, checkpoint: vouchedFor }))) {
        this.#options.held.refused(checkpoint);
        return false;
      }
    }
    return true;
  }

  async #giveUp(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    { realmPath, sequence }: Checkpoint,
    error: Error,
  ): Promise<void> {
    const { errorPolicy, mapping, isSecret, logger } = this.#options;
    const refusal = { realmPath: realm.path, sequence, instructions, error, rehearsal: undefined };
    const report = reportOf(refusal, mapping());
    if (!putsAside(errorPolicy, classesOf(instructions))) {
      throw new ConnectorStoppedError(`changes that waited for a table: ${report}`, {
        remedy:
          'mend the data or the table and start again; nothing is lost. Or set ignoreSQLerrors to put such changes into isthmus.dead_letter and go on',
        cause: error,
      });
    }
    this.#writer ??= await this.#options.openWriter();
    await this.#writer.deadLetter({ realmPath, sequence }, letterOf(refusal, mapping(), isSecret));
    logger.error('Put changes that waited for a table into isthmus.dead_letter', { reason: report });
  }

  async #waitAfter(failures: number, error: ApplyError): Promise<void> {
    const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** failures, MAX_RETRY_MILLISECONDS);
    this.#options.logger.warn('Writing changes that waited for a table failed, will try again', {
      error: error.message,
      delayMilliseconds: delay,
    });
    await sleep(delay, undefined, { signal: this.#abort.signal }).catch(() => {});
  }

  async #dropWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => {}); // its connection may be what failed
  }
}

function byObject(instructions: readonly MergedInstruction[]): MergedInstruction[][] {
  const objects: MergedInstruction[][] = [];
  let last: string | undefined;
  for (const instruction of instructions) {
    const name = 'key' in instruction ? JSON.stringify([instruction.table, instruction.key], replacer) : '';
    if (name === last) objects.at(-1)?.push(instruction);
    else objects.push([instruction]);
    last = name;
  }
  return objects;
}

function replacer(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function isDataFailure(error: unknown): error is Error {
  return error instanceof DataError || (error instanceof ApplyError && error.errorClass === 'data');
}
