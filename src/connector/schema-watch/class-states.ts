/**
 * Which classes do not run as the others do, kept in the replica store so that other commands can tell.
 *
 * A class that is not named here runs. `stopped`: its table does not fit; changes of both sides wait until it does.
 * `comparing`: it runs, and its table is being compared with its objects, because changes may have been missed.
 * Running → stopped when a change of the table does not fit; stopped → comparing when it fits again; running →
 * comparing when rows may have changed without a word in the feed; comparing → running when the comparison is done.
 */
import { z } from 'zod';
import type { ReplicaStore } from '../../store/replica/contract.ts';

const MARK = 'schema:state:';

const stoppedSchema = z.object({
  state: z.literal('stopped'),
  table: z.string(),
  /** What does not fit. */
  reason: z.string(),
  /** What an operator can do. */
  remedy: z.string(),
  /** ISO 8601. */
  since: z.string(),
});
const comparingSchema = z.object({
  state: z.literal('comparing'),
  table: z.string(),
  reason: z.string(),
  /** The number of the load, which goes on under it after a restart. */
  run: z.number(),
  /** The class was not mapped before: its objects without a row are new to the table, not gone from it. */
  first: z.boolean(),
  since: z.string(),
});
const stateSchema = z.discriminatedUnion('state', [stoppedSchema, comparingSchema]);

export type StoppedClass = z.infer<typeof stoppedSchema>;
export type ComparingClass = z.infer<typeof comparingSchema>;
export type ClassState = StoppedClass | ComparingClass;

/** By class name; a class that is not in it runs. */
export function classStates(store: Pick<ReplicaStore, 'marks'>): Map<string, ClassState> {
  const states = new Map<string, ClassState>();
  for (const [name, text] of store.marks(MARK))
    states.set(name.slice(MARK.length), stateSchema.parse(JSON.parse(text)));
  return states;
}

/** The classes whose tables are stopped, by name: for `isthmus doctor` and `isthmus verify`. */
export function stoppedTables(store: Pick<ReplicaStore, 'marks'>): Map<string, StoppedClass> {
  const stopped = new Map<string, StoppedClass>();
  for (const [name, state] of classStates(store)) if (state.state === 'stopped') stopped.set(name, state);
  return stopped;
}

/** `undefined` for a class that runs. Call inside the store's transaction. */
export function setClassState(store: ReplicaStore, className: string, state: ClassState | undefined): void {
  store.setMark(MARK + className, state === undefined ? undefined : JSON.stringify(state));
}
