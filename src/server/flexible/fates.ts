/** What becomes of objects for those who see a realm through a view, between two versions. */
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ChangeWindow, RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import { dependents } from './dependents.ts';
import type { Steps } from './steps.ts';
import type { View } from './view.ts';

/**
 * - `follows`: seen before and after, or made in between: what happened to it is sent as it happened.
 * - `enters`: sent as a state, since what happened to it is not enough to make it.
 * - `leaves`: was seen and is not any more.
 * - `erased`: was seen and does not exist any more; of what happened to it only the end is sent.
 * - `unseen`: was not and is not seen, whatever happened to it.
 */
export type Fate = 'follows' | 'enters' | 'leaves' | 'erased' | 'unseen';

export type FatedObject = { readonly table: string; readonly key: PrimaryKey; readonly fate: Fate };

/** By class and key token, touched objects first, each in the order of its first touch. */
export class Fates {
  readonly #byClass = new Map<string, Map<string, FatedObject>>();

  get(table: string, key: PrimaryKey): Fate | undefined {
    return this.#byClass.get(table)?.get(keyToken(key))?.fate;
  }

  has(table: string, key: PrimaryKey): boolean {
    return this.#byClass.get(table)?.has(keyToken(key)) === true;
  }

  set(table: string, key: PrimaryKey, fate: Fate): void {
    let objects = this.#byClass.get(table);
    if (objects === undefined) {
      objects = new Map();
      this.#byClass.set(table, objects);
    }
    objects.set(keyToken(key), { table, key, fate });
  }

  *all(): IterableIterator<FatedObject> {
    for (const objects of this.#byClass.values()) yield* objects.values();
  }
}

export type FateQuestion = {
  readonly now: RealmSnapshot;
  readonly window: ChangeWindow;
  /** The view at the beginning of the window, and at its end. */
  readonly from: View;
  readonly to: View;
};

export function* fatesOf(question: FateQuestion): Steps<Fates> {
  const { now, window, from, to } = question;
  const fates = new Fates();
  const isSameView = from.signature === to.signature;
  yield* window.prepare();
  for (const { table, key, before } of window.touched()) {
    const wasSeen = before !== undefined && from.includes(table, { key, state: before }, window.before);
    const after = window.atEnd(table, key);
    const isSeen = after !== undefined && to.includes(table, { key, state: after }, now);
    const isErased = wasSeen && after === undefined;
    const fate = isErased ? 'erased' : fateOfTouched(wasSeen, isSeen, before !== undefined, isSameView);
    fates.set(table, key, fate);
    yield;
  }
  for (const table of new Set([...from.classes.keys(), ...to.classes.keys()])) {
    const dependencies = [...from.dependencies(table), ...to.dependencies(table)];
    const found = yield* dependents(table, dependencies, window, now);
    for (const key of found.values()) {
      if (!fates.has(table, key)) fates.set(table, key, fateOfUntouched(question, table, key));
      yield;
    }
  }
  return fates;
}

function fateOfTouched(wasSeen: boolean, isSeen: boolean, existed: boolean, isSameView: boolean): Fate {
  if (!isSeen) return wasSeen ? 'leaves' : 'unseen';
  return (wasSeen || !existed) && isSameView ? 'follows' : 'enters';
}

function fateOfUntouched({ now, window, from, to }: FateQuestion, table: string, key: PrimaryKey): Fate {
  const state = now.object(table, key);
  if (state === undefined) return 'unseen';
  const object = { key, state };
  const wasSeen = from.includes(table, object, window.before);
  const isSeen = to.includes(table, object, now);
  if (wasSeen === isSeen) return 'unseen';
  return isSeen ? 'enters' : 'leaves';
}
