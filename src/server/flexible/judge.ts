/**
 * Judges what a client of flexible sync uploads, object by object: by the rights of its user, by its subscriptions, and
 * by what it can know. A client sees a part of the realm only; what it writes about the rest is refused, and it is told
 * the truth.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type {
  Correction,
  FlexibleJudge,
  ObjectChange,
  UploadedEntry,
  Verdict,
} from '../../store/server/flexible-contract.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import type { StateReader } from '../../store/state/reader.ts';
import { type ClassAccess, covers } from '../rules/contract.ts';
import { isKnown } from '../sync/reader-upload.ts';
import { SessionError } from '../sync/sync-error.ts';
import type { View } from './view.ts';

export type JudgeOptions = {
  /** The view of the subscriptions that the client had sent before what it uploads now. */
  readonly view: () => View;
  readonly access: (table: string) => ClassAccess;
  readonly schemaMayGrow: boolean;
  /** Version of the last state that the client was sent as such. */
  readonly transferVersion: () => number;
  /** Those after a version, oldest first, that the client may not have integrated yet. */
  readonly corrections: (after: number) => readonly Correction[];
  /** Whether an object was changed after a version, by whomever. */
  readonly touchedSince: (table: string, key: PrimaryKey, version: number) => boolean;
};

const ACCEPTED: Verdict = { kind: 'accepted' };
const CORRECTED: Verdict = { kind: 'corrected' };
/** Objects whose acceptance is remembered; without that, more is looked up in the history. */
const MAX_REMEMBERED = 100_000;

export function createJudge(options: JudgeOptions): FlexibleJudge {
  return new Judge(options);
}

class Judge implements FlexibleJudge {
  readonly #options: JudgeOptions;
  /** Objects that the client has changed in this session: it had them. */
  readonly #changed = new Set<string>();
  /** The version of the newest correction of an object, as far as corrections were read: each is read once. */
  readonly #correctedAt = new Map<string, number>();
  #correctionsUpTo = 0;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  beforeApplying(change: ObjectChange, entry: UploadedEntry, state: StateReader): Verdict {
    const { table, key, instructions } = change;
    const kind = state.schema.get(table)?.kind;
    // What does not apply for want of its class is not for the judge to say.
    if (kind === undefined) return ACCEPTED;
    const access = this.#options.access(table);
    if (kind !== 'topLevel') return inserting(table, instructions, access);
    const view = this.#options.view();
    if (!view.tables.has(table)) return refused(`there is no subscription to ${table}`);
    if (instructions.some(isStructural) && this.#isCorrectedAfter(change, entry.base)) {
      return refused(`${table}: the change builds on one that was undone`);
    }
    const existing = state.object(table, key);
    const fault =
      existing === undefined
        ? faultOfNew(table, instructions, access)
        : this.#faultOfExisting(change, existing, entry, access, state);
    return fault === undefined ? this.#taken(entry, existing !== undefined, instructions) : refused(fault);
  }

  afterApplying(
    change: ObjectChange,
    before: ObjectState | undefined,
    after: ObjectState | undefined,
    entry: UploadedEntry,
    state: StateReader,
  ): Verdict {
    const { table, key, instructions } = change;
    if (after !== undefined && state.schema.get(table)?.kind === 'topLevel') {
      const object = { key, state: after };
      if (before === undefined && !this.#options.view().includes(table, object, state)) {
        return refused(`${table}: the new object matches no subscription`);
      }
      if (!covers(this.#options.access(table).write, object, state)) {
        return refused(`${table}: the object would not be one that the user may write`);
      }
    }
    if (this.#changed.size < MAX_REMEMBERED) this.#changed.add(tokenOf(table, key));
    return this.#taken(entry, before !== undefined, instructions);
  }

  schemaChange(instructions: readonly Instruction[], { schema }: StateReader): void {
    for (const instruction of instructions) {
      if (isKnown(instruction, schema)) continue;
      if (instruction.op !== 'AddTable' && instruction.op !== 'AddColumn') {
        throw new SessionError(225, 'classes and properties cannot be removed by clients');
      }
      const { table } = instruction;
      const what = instruction.op === 'AddTable' ? table : `${table}.${instruction.field}`;
      const exists =
        instruction.op === 'AddTable'
          ? schema.has(table)
          : schema.get(table)?.columns.has(instruction.field) === true;
      if (exists) throw new SessionError(225, `${what} exists already and is defined otherwise`);
      if (!this.#options.schemaMayGrow) {
        throw new SessionError(225, `${what} does not exist, and clients may not extend the schema`);
      }
    }
  }

  /** The client holds another object than the server does, or none; it is told what there is. */
  doesNotApply({ table }: ObjectChange, _entry: UploadedEntry, problem: Error): Verdict {
    return refused(`${table}: the change does not fit the object as it is now: ${problem.message}`);
  }

  /** Accepted; with the result sent back where the client may have come to another one. */
  #taken({ base }: UploadedEntry, existed: boolean, instructions: readonly Instruction[]): Verdict {
    const meetsAnother = existed && instructions.some(({ op }) => op === 'CreateObject');
    return meetsAnother || base < this.#options.transferVersion() ? CORRECTED : ACCEPTED;
  }

  #faultOfExisting(
    { table, key, instructions }: ObjectChange,
    existing: ObjectState,
    { base }: UploadedEntry,
    access: ClassAccess,
    state: StateReader,
  ): string | undefined {
    const object = { key, state: existing };
    if (!this.#options.view().includes(table, object, state)) {
      const isNew = instructions.some(({ op }) => op === 'CreateObject');
      if (isNew || !this.#mayKnow(table, key, base)) {
        return `${table}: an object with that key exists outside the subscriptions`;
      }
    }
    if (!covers(access.write, object, state)) return `${table}: the user may not write this object`;
    if (instructions.some(({ op }) => op === 'EraseObject') && !access.mayDelete) {
      return `${table}: the user may not erase objects`;
    }
    return fieldFault(table, instructions, access);
  }

  /** Whether the client may have had an object that it has not any more, as far as the server is concerned. */
  #mayKnow(table: string, key: PrimaryKey, base: number): boolean {
    return this.#changed.has(tokenOf(table, key)) || this.#options.touchedSince(table, key, base);
  }

  #isCorrectedAfter({ table, key }: ObjectChange, base: number): boolean {
    for (const { version, objects } of this.#options.corrections(this.#correctionsUpTo)) {
      // So many are integrated by and by; what does not apply without being found here is refused all the same.
      if (this.#correctedAt.size > MAX_REMEMBERED) this.#correctedAt.clear();
      for (const object of objects) this.#correctedAt.set(tokenOf(object.table, object.key), version);
      this.#correctionsUpTo = version;
    }
    const version = this.#correctedAt.get(tokenOf(table, key));
    return version !== undefined && version > base;
  }
}

/** Objects of asymmetric classes are only ever inserted. */
function inserting(table: string, instructions: readonly Instruction[], access: ClassAccess): Verdict {
  if (!access.mayInsert) return refused(`${table}: the user may not create objects`);
  if (instructions.some(({ op }) => op === 'EraseObject')) {
    return refused(`${table}: objects of an asymmetric class cannot be erased`);
  }
  return ACCEPTED;
}

function faultOfNew(
  table: string,
  instructions: readonly Instruction[],
  access: ClassAccess,
): string | undefined {
  // It is gone already, or is made and erased at once; but in the merge that wins over those who make it anew.
  const isErased = instructions.some(({ op }) => op === 'EraseObject');
  if (isErased && (access.write === 'none' || !access.mayDelete)) {
    return `${table}: the user may not erase objects`;
  }
  if (isErased && instructions.every(({ op }) => op === 'EraseObject')) return undefined;
  if (!instructions.some(({ op }) => op === 'CreateObject')) {
    return `${table}: the object does not exist`;
  }
  if (!access.mayInsert) return `${table}: the user may not create objects`;
  return fieldFault(table, instructions, access);
}

function fieldFault(
  table: string,
  instructions: readonly Instruction[],
  access: ClassAccess,
): string | undefined {
  if (access.writesAllFields) return undefined;
  for (const instruction of instructions) {
    if (!('field' in instruction) || access.mayWriteField(instruction.field)) continue;
    // With a new object clients send the defaults of all fields.
    if (instruction.op === 'Update' && instruction.isDefault === true) continue;
    return `${table}: the user may not write ${instruction.field}`;
  }
  return undefined;
}

/** What depends on what the client's object holds. */
function isStructural(instruction: Instruction): boolean {
  if (!('field' in instruction)) return false;
  return instruction.op !== 'Update' || instruction.path.length > 0;
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason };
}

function tokenOf(table: string, key: PrimaryKey): string {
  return `${table}\n${keyToken(key)}`;
}
