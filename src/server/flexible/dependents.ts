/**
 * Objects that were not touched themselves, but whose place in a view may have changed because objects that a query
 * looks at through links were. They are found by going the query's ways backwards, in the state before and in the state
 * after: an object that led to a touched one then or leads to one now is a candidate.
 */
import type { LinkStep, QueryDependencies } from '../../query/contract.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ChangeWindow, RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { StateReader } from '../../store/state/reader.ts';
import type { Steps } from './steps.ts';

/** Objects of one class by key token. */
export type Keys = Map<string, PrimaryKey>;

/** Candidates of class `table`. */
export function* dependents(
  table: string,
  dependencies: readonly QueryDependencies[],
  window: ChangeWindow,
  now: RealmSnapshot,
): Steps<Keys> {
  const found: Keys = new Map();
  if (dependencies.some(({ everything }) => everything)) {
    for (const world of [window.before, now]) {
      for (const { key } of world.objects(table)) {
        found.set(keyToken(key), key);
        yield;
      }
    }
    return found;
  }
  const paths = dependencies.flatMap((each) => each.paths);
  if (paths.length === 0) return found;
  const touched = yield* touchedByClass(window);
  for (const world of [window.before, now]) {
    for (const path of paths) yield* follow(path, touched, world, found);
  }
  return found;
}

function* touchedByClass(window: ChangeWindow): Steps<ReadonlyMap<string, Keys>> {
  const touched = new Map<string, Keys>();
  for (const { table, key } of window.touched()) {
    let keys = touched.get(table);
    if (keys === undefined) {
      keys = new Map();
      touched.set(table, keys);
    }
    keys.set(keyToken(key), key);
    yield;
  }
  return touched;
}

/** Goes from the end of the path to its beginning, taking along what was touched on the way. */
function* follow(
  path: readonly LinkStep[],
  touched: ReadonlyMap<string, Keys>,
  world: StateReader,
  found: Keys,
): Steps<void> {
  let reached: Keys = new Map();
  for (const step of [...path].reverse()) {
    for (const [token, key] of touched.get(classReachedBy(step)) ?? []) reached.set(token, key);
    const previous: Keys = new Map();
    for (const key of reached.values()) {
      stepBack(step, key, world, previous);
      yield;
    }
    reached = previous;
  }
  for (const [token, key] of reached) found.set(token, key);
}

function classReachedBy(step: LinkStep): string {
  return step.kind === 'forward' ? step.target : step.source;
}

/** The objects from which the step leads to that object. */
function stepBack(step: LinkStep, key: PrimaryKey, world: StateReader, previous: Keys): void {
  if (step.kind === 'forward') {
    const target = { table: step.target, key };
    for (const { key: start } of world.linking(step.table, step.field, target)) {
      previous.set(keyToken(start), start);
    }
    return;
  }
  const value = world.object(step.source, key)?.fields.get(step.field);
  if (value !== undefined) collectLinks(value, step.table, previous);
}

function collectLinks(value: StateValue, table: string, found: Keys): void {
  switch (value.type) {
    case 'link':
      if (value.table === table) found.set(keyToken(value.key), value.key);
      return;
    case 'list':
      for (const item of value.items) collectLinks(item, table, found);
      return;
    case 'set':
      for (const item of value.items.values()) collectLinks(item, table, found);
      return;
    case 'dictionary':
      for (const entry of value.entries.values()) collectLinks(entry, table, found);
      return;
    default: // leads nowhere
  }
}
