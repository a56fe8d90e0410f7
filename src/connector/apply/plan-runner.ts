/**
 * Writes instructions of realms over a connection of its own: as planned, and as another plan has it when the database
 * refuses that. With what refers to a row that is not there it has patience, for a time.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ApplyStatement, Checkpoint, Rehearsal, SqlWriter } from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { AnnouncedRows } from '../keys/announced-rows.ts';
import type { ListKeeper } from '../lists/list-keeper.ts';
import type { ListPlan } from '../lists/list-plan.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { SyncedRealm } from '../realms.ts';
import { Patience } from './patience.ts';
import { type PlanStyle, planStatements } from './plan.ts';

/**
 * A reference to a row that somebody else has just deleted mends itself as soon as the feed has brought the deletion.
 * When the feed does not come so far, that many attempts, with their back-off, are about 25 seconds.
 */
const FOREIGN_KEY_PATIENCE = 8;

export type PlanRunnerOptions = {
  readonly openWriter: () => Promise<SqlWriter>;
  readonly mapping: () => Mapping;
  /** Where the statements of a realm really go; they stay where they are unless given. */
  readonly redirect?: (realmPath: string, statements: readonly ApplyStatement[]) => readonly ApplyStatement[];
  /** What of the instructions can be written now, when some of them have to wait for their table. */
  readonly hold?: (
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
  ) => readonly MergedInstruction[];
  /** Resolves with true when the feed has brought what is committed by now, with false when the signal aborts before. */
  readonly caughtUp?: (signal: AbortSignal) => Promise<boolean>;
  /** Keeps the lists that both sides change. */
  readonly lists?: ListKeeper;
  /** Set where the feed does not show every row that we insert. */
  readonly announced?: AnnouncedRows;
};

export class PlanRunner {
  readonly #options: PlanRunnerOptions;
  /** Aborts when nothing more is to be written. */
  readonly #signal: AbortSignal;
  #writer: SqlWriter | undefined;
  #patience: Patience | undefined;

  constructor(options: PlanRunnerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The writer of this loop; opened when first needed. */
  async writer(): Promise<SqlWriter> {
    this.#writer ??= await this.#options.openWriter();
    return this.#writer;
  }

  get patience(): Patience | undefined {
    return this.#patience;
  }

  /** The connection is opened anew for what comes next. */
  async dropWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => {}); // its connection is what failed
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
  }

  /** The plain plan first; what the database refuses of it decides which other plan may do. */
  async run(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoints: readonly Checkpoint[],
    patience: string | undefined,
  ): Promise<void> {
    const { lists } = this.#options;
    if (lists?.concerns(instructions) !== true)
      return this.runWith(undefined, realm, instructions, checkpoints, patience);
    await lists.apply(realm, instructions, (plan) =>
      this.runWith(plan, realm, instructions, checkpoints, patience),
    );
  }

  async runWith(
    lists: ListPlan | undefined,
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    checkpoints: readonly Checkpoint[],
    patience: string | undefined,
  ): Promise<void> {
    const writer = await this.writer();
    const run = async (style: PlanStyle): Promise<void> => {
      const statements = this.#statements(realm, instructions, style, lists);
      if (statements.length > 0 || checkpoints.length > 0) await writer.apply(statements, checkpoints);
    };
    try {
      await run({});
    } catch (error) {
      const violation = error instanceof ApplyError ? error.violation : undefined;
      if (violation === 'unique') await run({ deletesFirst: true });
      else if (violation === 'reference') await this.#withoutReferences(run, patience);
      else throw error;
    }
  }

  #statements(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    style: PlanStyle,
    lists?: ListPlan,
  ): readonly ApplyStatement[] {
    const now = this.#options.hold?.(realm, instructions) ?? instructions;
    const planned = planStatements(now, this.#options.mapping(), realm.replica, style, lists);
    return (
      this.#options.redirect?.(realm.path, planned) ?? this.#options.announced?.asked(planned) ?? planned
    );
  }

  /** `patience` names what is tried; undefined where nothing is waited for. */
  async #withoutReferences(
    run: (style: PlanStyle) => Promise<void>,
    patience: string | undefined,
  ): Promise<void> {
    const isDecisive = patience === undefined || this.#isPatienceOver(patience);
    try {
      await run({ nullifyReferences: true });
    } catch (error) {
      if (!(error instanceof ApplyError) || error.violation !== 'reference' || isDecisive) throw error;
      this.#bePatient(patience);
      throw new ApplyError(error.message, {
        errorClass: 'transient',
        ...(error.sqlState === undefined ? {} : { sqlState: error.sqlState }),
        violation: error.violation,
        cause: error,
      });
    }
  }

  /** Asked before an attempt, so that the feed was there before it. */
  #isPatienceOver(of: string): boolean {
    const patience = this.#patience?.of === of ? this.#patience : undefined;
    return patience !== undefined && (patience.caughtUp || patience.attempts >= FOREIGN_KEY_PATIENCE);
  }

  /** Called after an attempt: what was missing or in the way then is committed, so that the feed can bring it. */
  #bePatient(of: string): void {
    if (this.#patience?.of !== of) {
      this.endPatience();
      const { caughtUp } = this.#options;
      this.#patience = new Patience(of, caughtUp, this.#signal);
    }
    this.#patience.attempts += 1;
  }

  endPatience(): void {
    this.#patience?.end();
    this.#patience = undefined;
  }

  /** Where exactly it fails; nothing when no statement can be made of it. */
  async rehearse(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
  ): Promise<Rehearsal | undefined> {
    let statements: readonly ApplyStatement[];
    try {
      statements = this.#statements(realm, instructions, {});
    } catch (error) {
      if (error instanceof DataError) return undefined;
      throw error;
    }
    return (await this.writer()).rehearse(statements);
  }
}
