/**
 * One changeset of a client of flexible sync, judged object by object while it is applied. What is refused leaves no
 * trace in the state, and {@link JudgedChangeset.left} is what goes into the history.
 */
import { BadChangesetError } from '../../changeset/codec.ts';
import type { Instruction, ObjectInstruction, SchemaInstruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import { Applier } from '../state/apply.ts';
import type { UnfitObjects } from './fitting-merge.ts';
import type { Correction, FlexibleJudge, UploadedEntry, Verdict } from './flexible-contract.ts';

/**
 * Refusing an object can take from others what their acceptance stood on, so the rest is judged again. Beyond so many
 * rounds a changeset is built to wear the judge out, and all that is left of it is refused.
 */
const MAX_ROUNDS = 8;

type JudgedObject = {
  readonly table: string;
  readonly key: PrimaryKey;
  readonly instructions: ObjectInstruction[];
  /** The state before this changeset, encoded. */
  before: Uint8Array | undefined;
  outcome: Verdict;
};

const ACCEPTED: Verdict = { kind: 'accepted' };

export class JudgedChangeset {
  readonly #view: WorkingView;
  readonly #judge: FlexibleJudge;
  readonly #entry: UploadedEntry;
  readonly #instructions: readonly Instruction[];
  readonly #unfit: UnfitObjects;
  /** By class and key token, in the order of their first instruction. */
  readonly #objects = new Map<string, Map<string, JudgedObject>>();

  constructor(
    view: WorkingView,
    judge: FlexibleJudge,
    entry: UploadedEntry,
    instructions: readonly Instruction[],
    unfit: UnfitObjects,
  ) {
    this.#view = view;
    this.#judge = judge;
    this.#entry = entry;
    this.#instructions = instructions;
    this.#unfit = unfit;
  }

  /** Applies what is accepted. Throws as `applyInstructions` does, and what the judge throws. */
  apply(): void {
    const early = this.#applySchema();
    this.#group();
    this.#judgeBefore();
    this.#applyAccepted(early);
    this.#judgeAfter();
  }

  /** `undefined` when everything is taken as it was sent. */
  get left(): readonly Instruction[] | undefined {
    if (!this.#some((object) => object.outcome.kind === 'refused')) return undefined;
    return this.#instructions.filter(
      (instruction) => !('key' in instruction) || this.#objectOf(instruction).outcome.kind !== 'refused',
    );
  }

  /** What the client must be told; empty when there is nothing. */
  get corrections(): Correction['objects'] {
    const corrections: { table: string; key: PrimaryKey; reason?: string }[] = [];
    for (const { table, key, outcome } of this.#all()) {
      if (outcome.kind === 'refused') corrections.push({ table, key, reason: outcome.reason });
      else if (outcome.kind === 'corrected') corrections.push({ table, key });
    }
    return corrections;
  }

  /**
   * Objects are judged by the schema that the changeset brings, so additions come first. Returns the index up to which
   * schema instructions are done: what erases, and all after it, keeps its place.
   */
  #applySchema(): number {
    const changes = this.#instructions.filter(isSchemaInstruction);
    if (changes.length === 0) return this.#instructions.length;
    this.#judge.schemaChange(changes, this.#view);
    const erasing = this.#instructions.findIndex(({ op }) => op === 'EraseTable' || op === 'EraseColumn');
    const end = erasing < 0 ? this.#instructions.length : erasing;
    const applier = new Applier(this.#view);
    for (const instruction of this.#instructions.slice(0, end)) {
      if (isSchemaInstruction(instruction)) applier.apply(instruction);
    }
    return end;
  }

  #group(): void {
    let last: JudgedObject | undefined;
    for (const instruction of this.#instructions) {
      if (isSchemaInstruction(instruction)) continue;
      const { table, key } = instruction;
      if (last === undefined || last.table !== table || last.key !== key) last = this.#objectOf(instruction);
      last.instructions.push(instruction);
    }
  }

  #judgeBefore(): void {
    for (const object of this.#all()) {
      object.outcome =
        this.#judgeUnfit(object) ?? this.#judge.beforeApplying(object, this.#entry, this.#view);
    }
    for (const object of this.#all()) {
      if (object.outcome.kind !== 'refused') object.before = this.#view.encoded(object.table, object.key);
    }
  }

  /** What could not be merged cannot be applied. */
  #judgeUnfit(object: JudgedObject): Verdict | undefined {
    const problem = this.#unfit.problem(object.table, object.key);
    if (problem === undefined) return undefined;
    const verdict = this.#judge.doesNotApply(object, this.#entry, problem);
    if (verdict?.kind !== 'refused') throw problem;
    return verdict;
  }

  #applyAccepted(schemaDone: number): void {
    const instructions = this.#instructions;
    let applier = new Applier(this.#view);
    let at = 0;
    while (at < instructions.length) {
      const instruction = instructions[at]!;
      if (isSchemaInstruction(instruction)) {
        if (at >= schemaDone) applier.apply(instruction);
        at += 1;
        continue;
      }
      const object = this.#objectOf(instruction);
      let after = at + 1;
      if (object.outcome.kind !== 'refused') {
        try {
          after = applier.takeWhole(instructions, at);
          if (after === at) {
            applier.apply(instruction);
            after = at + 1;
          }
        } catch (error) {
          this.#refuseUnfit(object, error);
          // What it remembers of the object is no longer so.
          applier = new Applier(this.#view);
          after = at + 1;
        }
      }
      at = after;
    }
  }

  #refuseUnfit(object: JudgedObject, error: unknown): void {
    if (!(error instanceof BadChangesetError)) throw error;
    const verdict = this.#judge.doesNotApply(object, this.#entry, error);
    if (verdict?.kind !== 'refused') throw error;
    this.#refuse(object, verdict.reason);
  }

  #judgeAfter(): void {
    for (let round = 0; ; round += 1) {
      const refused: [JudgedObject, string][] = [];
      for (const object of this.#all()) {
        if (object.outcome.kind === 'refused') continue;
        const verdict = round < MAX_ROUNDS ? this.#judgeOne(object) : TOO_ENTANGLED;
        if (verdict.kind === 'refused') refused.push([object, verdict.reason]);
        else if (verdict.kind === 'corrected') object.outcome = verdict;
      }
      for (const [object, reason] of refused) this.#refuse(object, reason);
      if (refused.length === 0) return;
    }
  }

  #judgeOne(object: JudgedObject): Verdict {
    const { table, key } = object;
    const before = object.before && this.#view.decoded(table, object.before);
    const after = this.#view.object(table, key);
    return this.#judge.afterApplying(object, before, after, this.#entry, this.#view);
  }

  #refuse(object: JudgedObject, reason: string): void {
    object.outcome = { kind: 'refused', reason };
    // With an erased class its objects are gone, whatever became of them before.
    if (this.#view.classId(object.table) === undefined) return;
    this.#view.restore(object.table, object.key, object.before);
  }

  #objectOf({ table, key }: ObjectInstruction): JudgedObject {
    let ofClass = this.#objects.get(table);
    if (ofClass === undefined) {
      ofClass = new Map();
      this.#objects.set(table, ofClass);
    }
    const token = keyToken(key);
    let object = ofClass.get(token);
    if (object === undefined) {
      object = { table, key, instructions: [], before: undefined, outcome: ACCEPTED };
      ofClass.set(token, object);
    }
    return object;
  }

  *#all(): IterableIterator<JudgedObject> {
    for (const ofClass of this.#objects.values()) yield* ofClass.values();
  }

  #some(test: (object: JudgedObject) => boolean): boolean {
    for (const object of this.#all()) if (test(object)) return true;
    return false;
  }
}

const TOO_ENTANGLED: Verdict = {
  kind: 'refused',
  reason: 'its acceptance hangs on too many other changes of the same transaction that were refused',
};

function isSchemaInstruction(instruction: Instruction): instruction is SchemaInstruction {
  return !('key' in instruction);
}
