/**
 * What the replica store remembers of the lists that are kept from both sides: of each what it was when both sides were
 * last alike, so that a difference tells whose it is; by row the lists that it is in; and the lists that the database is
 * to be told of. All of it commits with the changes of the realms that it belongs to.
 */
import { z } from 'zod';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';

const BASE = 'list:base:';
const HOLDERS = 'list:holders:';
const OWNER = 'list:owner:';
/** Of lists that the database is to be told of. */
export const OWED = 'list:owed:';
const POSTPONED = 'list:postponed:';

const textsSchema = z.array(z.string());
const baseSchema = z.object({
  owner: z.string(),
  items: textsSchema,
  rows: textsSchema,
  awaited: textsSchema,
});
/** How an owner is marked whose list waits for the object of a row, and every other one. */
const AWAITED = '?';
const PRESENT = '=';

/** One list of one realm; `owner` is the text of the object. */
export type ListName = { readonly list: FollowedList; readonly path: string; readonly owner: string };

export type ListBase = {
  /** The row of the owner; empty where it was not known. */
  readonly owner: string;
  /** Objects. */
  readonly items: readonly string[];
  /** Rows under which {@link ListMarks.holders} knows the list. */
  readonly rows: readonly string[];
  /** Rows in the list of which the realm has no object yet. */
  readonly awaited: readonly string[];
};

/** A list that a row is in, by the row of its owner. */
export type Holder = { readonly owner: string; readonly awaits: boolean };

export class ListMarks {
  readonly #store: ReplicaStore;

  constructor(store: ReplicaStore) {
    this.#store = store;
  }

  base(name: ListName): ListBase | undefined {
    const text = this.#store.mark(baseName(name));
    return text === undefined ? undefined : baseSchema.parse(JSON.parse(text));
  }

  /** Call inside the store's transaction. */
  setBase(name: ListName, base: ListBase | undefined): void {
    const before = holdersOf(this.base(name));
    const after = holdersOf(base);
    const [former, owner] = [this.base(name)?.owner ?? '', base?.owner ?? ''];
    if (former !== owner && former !== '') this.#store.setMark(ownerName(name.list, former), undefined);
    if (former !== owner && owner !== '') this.#store.setMark(ownerName(name.list, owner), '');
    this.#store.setMark(baseName(name), base === undefined ? undefined : JSON.stringify(base));
    for (const [row, holder] of before)
      if (after.get(row) !== holder) this.#hold(name.list, row, holder, false);
    for (const [row, holder] of after)
      if (before.get(row) !== holder) this.#hold(name.list, row, holder, true);
  }

  /** True when the list of this owner (its row) was compared or written already. */
  knowsOwner(list: FollowedList, row: string): boolean {
    return this.#store.mark(ownerName(list, row)) !== undefined;
  }

  /** The lists that a row is known to be in. */
  holders(list: FollowedList, row: string): readonly Holder[] {
    return this.#holders(list, row).map((text) => ({
      owner: text.slice(1),
      awaits: text.startsWith(AWAITED),
    }));
  }

  #holders(list: FollowedList, row: string): readonly string[] {
    const text = this.#store.mark(holdersName(list, row));
    return text === undefined ? [] : textsSchema.parse(JSON.parse(text));
  }

  /** The owners (their rows) of all lists of a property. */
  owners(list: FollowedList): readonly string[] {
    const prefix = `${BASE}${JSON.stringify([list.ownerClass, list.property]).slice(0, -1)},`;
    return [...this.#store.marks(prefix).values()].map((text) => baseSchema.parse(JSON.parse(text)).owner);
  }

  /** The database is to be told of the list, or need not be any more. Call inside the store's transaction. */
  owe(name: ListName, owed: boolean): void {
    const mark = nameOf(OWED, name);
    if (owed) this.#store.setMark(mark, '');
    else if (this.#store.mark(mark) !== undefined) this.#store.setMark(mark, undefined);
  }

  /** As `Class`, property, path and owner. */
  owed(): readonly (readonly string[])[] {
    return [...this.#store.marks(OWED).keys()].map((name) =>
      textsSchema.parse(JSON.parse(name.slice(OWED.length))),
    );
  }

  /** The list is to be looked at later, or need not be any more. Call inside the store's transaction. */
  postpone({ ownerClass, property }: FollowedList, owner: string, postponed: boolean): void {
    const mark = `${POSTPONED}${JSON.stringify([ownerClass, property, owner])}`;
    if (postponed) this.#store.setMark(mark, '');
    else if (this.#store.mark(mark) !== undefined) this.#store.setMark(mark, undefined);
  }

  /** As `Class`, property and row of the owner. */
  postponed(): readonly (readonly string[])[] {
    return [...this.#store.marks(POSTPONED).keys()].map((name) =>
      textsSchema.parse(JSON.parse(name.slice(POSTPONED.length))),
    );
  }

  /** Nobody follows the list any more. */
  forgive(texts: readonly string[]): void {
    this.#store.setMark(`${OWED}${JSON.stringify(texts)}`, undefined);
  }

  #hold(list: FollowedList, row: string, holder: string, holds: boolean): void {
    const others = this.#holders(list, row).filter((other) => other !== holder);
    const now = holds ? [...others, holder] : others;
    this.#store.setMark(holdersName(list, row), now.length === 0 ? undefined : JSON.stringify(now));
  }
}

/** By row, how the list is known there. */
function holdersOf(base: ListBase | undefined): ReadonlyMap<string, string> {
  const holders = new Map<string, string>();
  for (const row of base?.rows ?? []) holders.set(row, PRESENT + (base?.owner ?? ''));
  for (const row of base?.awaited ?? []) holders.set(row, AWAITED + (base?.owner ?? ''));
  return holders;
}

function baseName(name: ListName): string {
  return nameOf(BASE, name);
}

function nameOf(kind: string, { list, path, owner }: ListName): string {
  return `${kind}${JSON.stringify([list.ownerClass, list.property, path, owner])}`;
}

function holdersName({ ownerClass, property }: FollowedList, row: string): string {
  return `${HOLDERS}${JSON.stringify([ownerClass, property, row])}`;
}

function ownerName({ ownerClass, property }: FollowedList, row: string): string {
  return `${OWNER}${JSON.stringify([ownerClass, property, row])}`;
}
