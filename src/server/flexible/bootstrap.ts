/**
 * What a client needs when its view changes: the schema if it has none, the objects that come into view, and the
 * erasure of those that leave it. Made in small steps, so that whoever runs them can do other work in between.
 */
import { encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { schemaInstructions } from '../../changeset/schema-difference.ts';
import type { IndexCondition } from '../../query/contract.ts';
import type { RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import type { StoredState } from '../../store/state/reader.ts';
import { objectInstructions } from './object-instructions.ts';
import type { ClassView, View } from './view.ts';

export type BootstrapOptions = {
  readonly snapshot: RealmSnapshot;
  /** What the client has of the snapshot. */
  readonly from: View;
  readonly to: View;
  readonly includeSchema: boolean;
  /** Bytes after which a changeset ends. */
  readonly portionBytes: number;
};

/** A step without a changeset has found nothing to send yet. `progress` is between 0 and 1. */
export type BootstrapStep =
  | { readonly changeset: Uint8Array; readonly progress: number }
  | { readonly progress: number };

/** Objects looked at in one step: a few milliseconds. */
const OBJECTS_PER_STEP = 500;
/** What an instruction takes beside its texts and data, roughly. */
const TYPICAL_INSTRUCTION = 20;

export function* bootstrapChangesets(options: BootstrapOptions): IterableIterator<BootstrapStep> {
  const { snapshot, from, to, includeSchema, portionBytes } = options;
  let pending: Instruction[] = includeSchema ? schemaInstructions(new Map(), snapshot.schema) : [];
  let pendingBytes = 0;
  let isAnythingMade = false;
  const changed = changedClasses(from, to);
  const total = changed.reduce((sum, table) => sum + snapshot.count(table), 0);
  let looked = 0;
  const progress = (): number => (total === 0 ? 1 : Math.min(1, looked / total));
  for (const table of changed) {
    for (const batch of batches(candidates(snapshot, from.classes.get(table), to.classes.get(table)))) {
      looked += batch.length;
      for (const object of batch) {
        for (const instruction of transition(table, object, options)) {
          pending.push(instruction);
          pendingBytes += roughSize(instruction);
        }
        if (pendingBytes < portionBytes) continue;
        yield { changeset: encodeChangeset(pending), progress: progress() };
        isAnythingMade = true;
        pending = [];
        pendingBytes = 0;
      }
      yield { progress: progress() };
    }
  }
  if (pending.length > 0 || !isAnythingMade) yield { changeset: encodeChangeset(pending), progress: 1 };
}

function changedClasses(from: View, to: View): string[] {
  const tables = new Set([...from.classes.keys(), ...to.classes.keys()]);
  return [...tables].filter(
    (table) => from.classes.get(table)?.signature !== to.classes.get(table)?.signature,
  );
}

/** The objects among which those are that enter or leave. */
function candidates(
  snapshot: RealmSnapshot,
  from: ClassView | undefined,
  to: ClassView | undefined,
): Iterable<StoredState> {
  const table = (to ?? from)?.table;
  if (table === undefined) return [];
  // What is in one view alone is found by its index; with two views an index finds only a part.
  const condition = from === undefined || to === undefined ? narrowest(snapshot, to ?? from) : undefined;
  return condition === undefined ? snapshot.objects(table) : found(snapshot, table, condition);
}

function narrowest(snapshot: RealmSnapshot, part: ClassView | undefined): IndexCondition | undefined {
  if (part === undefined) return undefined;
  const { table } = part;
  const conditions = part.predicates
    .map((query) => query.indexCondition((field) => snapshot.isIndexed(table, field)))
    .filter((condition) => condition !== undefined);
  return conditions.sort((a, b) => sizeOf(a) - sizeOf(b))[0];
}

/** A key finds one object, a value several. */
function sizeOf(condition: IndexCondition): number {
  return condition.kind === 'key' ? condition.keys.length : condition.values.length * 1_000;
}

function* found(
  snapshot: RealmSnapshot,
  table: string,
  condition: IndexCondition,
): IterableIterator<StoredState> {
  if (condition.kind === 'field') {
    yield* snapshot.withValue(table, condition.field, condition.values);
    return;
  }
  for (const key of condition.keys) {
    const state = snapshot.object(table, key);
    if (state !== undefined) yield { key, state };
  }
}

function* batches(objects: Iterable<StoredState>): IterableIterator<readonly StoredState[]> {
  let batch: StoredState[] = [];
  for (const object of objects) {
    batch.push(object);
    if (batch.length < OBJECTS_PER_STEP) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function transition(
  table: string,
  object: StoredState,
  { snapshot, from, to }: BootstrapOptions,
): readonly Instruction[] {
  const wasSeen = from.includes(table, object, snapshot);
  const isSeen = to.includes(table, object, snapshot);
  if (!isSeen) return wasSeen ? [{ op: 'EraseObject', table, key: object.key }] : [];
  if (wasSeen && sameFields(from, to, table)) return [];
  const shows = (field: string): boolean => to.shows(table, field);
  const mode = wasSeen ? 'restating' : 'entering';
  return objectInstructions(table, object.key, object.state, snapshot.schema, { shows, mode });
}

function sameFields(from: View, to: View, table: string): boolean {
  return JSON.stringify(from.classes.get(table)?.fields) === JSON.stringify(to.classes.get(table)?.fields);
}

function roughSize(instruction: Instruction): number {
  if (!('value' in instruction)) return TYPICAL_INSTRUCTION;
  const { value } = instruction;
  return TYPICAL_INSTRUCTION + (value.type === 'string' || value.type === 'data' ? value.value.length : 0);
}
