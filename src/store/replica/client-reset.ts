/**
 * Puts a freshly downloaded generation of a realm in the place of the one that has no future with the server
 * (spec/wire-protocol.md §8, spec/server-history.md §8.8). Runs inside a transaction of the store.
 */
import { decodeChangeset, encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import { applyInstructions } from '../state/apply.ts';
import type { ObjectState } from '../state/object-state.ts';
import { nextTimestamp } from './client-clock.ts';
import type { ReplicaReader, ResetMode, ResetOptions, ResetReport } from './contract.ts';
import { MovedSnapshots, moveSubscriptions, setsAfterReset } from './flexible-reset.ts';
import { generationDifference } from './generation-difference.ts';
import { Recovery } from './recovery.ts';
import { freshCopyName, type ReplicaRecord } from './replica-table.ts';
import type { ReplicaEnvironment } from './sqlite-replica.ts';
import { touchedBy } from './touched-objects.ts';

/** Instructions handed to the observer at once: some 10 MB of them, so that memory does not grow with the realm. */
const PIECE_INSTRUCTIONS = 50_000;
/** Encoded local changesets read at once, in bytes. */
const LOCAL_PIECE_BYTES = 1024 * 1024;

/** One generation of a realm in the store. */
export type Generation = {
  readonly id: number;
  readonly record: ReplicaRecord;
  readonly view: WorkingView;
};

/** A new, empty generation's name is free after this. */
export function removeFreshCopy(environment: ReplicaEnvironment, path: string): void {
  const { replicas, openView } = environment;
  const leftOver = replicas.find(freshCopyName(path));
  if (leftOver !== undefined) removeGeneration(environment, leftOver, openView(leftOver));
}

type Replacement = { readonly next: Generation; readonly report: ResetReport };

/** `next` is the generation that the realm consists of from now on; `old` is gone. */
export function replaceGeneration(
  environment: ReplicaEnvironment,
  path: string,
  old: Generation,
  fresh: Generation,
  { mode, historyLost = false }: ResetOptions & { readonly mode: ResetMode },
): Replacement {
  const recovered = new RecoveredHistory(environment, fresh, old.record);
  recovered.append(schemaInstructions(fresh.view.schema, old.view.schema));
  const sets = environment.subscriptions.all(old.id);
  const snapshots = new MovedSnapshots(sets);
  const leftOut = mode === 'recover' ? recover(environment, old, fresh, recovered, snapshots) : 0;
  const { kept, ...queued } = queueDifference(environment, path, old, fresh, historyLost);
  const { serverVersion } = fresh.record.download;
  const at = { version: recovered.version, serverVersion };
  moveSubscriptions(environment.subscriptions, old.id, fresh.id, setsAfterReset(sets, mode, snapshots, at));
  removeGeneration(environment, old.id, old.view);
  environment.replicas.rename(fresh.id, path);
  fresh.view.flush();
  const record: ReplicaRecord = {
    ...fresh.record,
    version: recovered.version,
    lastTimestamp: recovered.lastTimestamp,
    download: { ...fresh.record.download, clientVersion: 0 },
    upload: { clientVersion: 0, serverVersion },
    generation: old.record.generation + 1,
    ...queued,
  };
  environment.replicas.save(fresh.id, record);
  return { next: { id: fresh.id, record, view: fresh.view }, report: { leftOut, kept } };
}

/** The local changesets of the new generation. */
class RecoveredHistory {
  version: number;
  lastTimestamp: number;
  readonly #environment: ReplicaEnvironment;
  readonly #fresh: Generation;

  constructor(environment: ReplicaEnvironment, fresh: Generation, old: ReplicaRecord) {
    this.#environment = environment;
    this.#fresh = fresh;
    // Versions go on, so that whoever waits for one is not answered by another.
    this.version = Math.max(old.version, fresh.record.version);
    this.lastTimestamp = old.lastTimestamp;
  }

  /** Applies and appends a change made now. */
  append(instructions: readonly Instruction[]): void {
    if (instructions.length === 0) return;
    applyInstructions(this.#fresh.view, instructions);
    this.appendApplied(instructions, nextTimestamp(this.#environment.now(), this.lastTimestamp));
  }

  appendApplied(instructions: readonly Instruction[], timestamp: number): void {
    if (instructions.length === 0) return;
    this.version += 1;
    this.lastTimestamp = Math.max(this.lastTimestamp, timestamp);
    const { id, record } = this.#fresh;
    const remoteVersion = record.download.serverVersion;
    const changeset = encodeChangeset(instructions);
    const made = { version: this.version, timestamp, remoteVersion, changeset };
    this.#environment.locals.append(id, made, touchedBy(instructions));
  }
}

/**
 * Makes what the server never had again, in the form in which it stands on the downloaded state. Returns how many
 * instructions do not apply any more.
 */
function recover(
  { locals, now }: ReplicaEnvironment,
  old: Generation,
  fresh: Generation,
  recovered: RecoveredHistory,
  snapshots: MovedSnapshots,
): number {
  const recovery = new Recovery(fresh.view);
  let after = old.record.upload.clientVersion;
  for (;;) {
    const piece = locals.reciprocals(old.id, after, () => true, LOCAL_PIECE_BYTES);
    for (const { version, timestamp, changeset } of piece) {
      snapshots.reached(version, recovered.version);
      recovered.appendApplied(recovery.replay(decodeChangeset(changeset).instructions), timestamp);
    }
    const last = piece.at(-1);
    if (last === undefined) break;
    after = last.version;
  }
  const timestamp = nextTimestamp(now(), recovered.lastTimestamp);
  recovered.appendApplied(recovery.writeWholeLists(old.view), timestamp);
  return recovery.leftOut;
}

/** Queues what the consumer has to do about the change of generations, each piece under a version of its own. */
function queueDifference(
  { queue, observer }: ReplicaEnvironment,
  path: string,
  old: Generation,
  fresh: Generation,
  keepsErased: boolean,
): Pick<ReplicaRecord, 'lastQueued' | 'queueOffset'> & Pick<ResetReport, 'kept'> {
  const { record } = old;
  queue.move(old.id, fresh.id);
  let sequence = record.lastQueued;
  let version = record.download.serverVersion + record.queueOffset;
  let kept = 0;
  if (observer !== undefined) {
    const state = new GenerationReader(path, fresh.view);
    for (const piece of generationDifference(old.view, fresh.view, PIECE_INSTRUCTIONS)) {
      const told = keepsErased ? piece.filter(({ op }) => op !== 'EraseObject') : piece;
      kept += piece.length - told.length;
      const payload = told.length === 0 ? undefined : observer(told, state);
      if (payload === undefined) continue;
      sequence += 1;
      version += 1;
      const { lastTimestamp: timestamp } = record;
      queue.append(fresh.id, { sequence, serverVersion: version, timestamp, originFileIdent: 1, payload });
    }
  }
  const behind = version - fresh.record.download.serverVersion;
  return { lastQueued: sequence, queueOffset: Math.max(record.queueOffset, behind), kept };
}

/** What the observer sees: all of the new generation, whichever piece it is told of. */
class GenerationReader implements ReplicaReader {
  readonly path: string;
  readonly #view: WorkingView;

  constructor(path: string, view: WorkingView) {
    this.path = path;
    this.#view = view;
  }

  get schema(): RealmSchema {
    return this.#view.schema;
  }

  object(table: string, key: PrimaryKey): ObjectState | undefined {
    return this.#view.object(table, key);
  }

  objects(table: string, after?: PrimaryKey): IterableIterator<{ key: PrimaryKey; state: ObjectState }> {
    return this.#view.objects(table, after);
  }

  count(table: string): number {
    return this.#view.count(table);
  }
}

function removeGeneration(environment: ReplicaEnvironment, id: number, view: WorkingView): void {
  const { replicas, locals, queue, subscriptions, bootstraps } = environment;
  for (const table of [...view.schema.keys()]) view.eraseClass(table);
  locals.forgetAll(id);
  queue.drop(id, Number.MAX_SAFE_INTEGER);
  subscriptions.forgetAll(id);
  bootstraps.forgetAll(id);
  replicas.remove(id);
}
