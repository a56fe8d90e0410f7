/**
 * The rows that one database transaction touched, each with its last state: what several statements did to a row is
 * compared with the replica once, at the transaction's end.
 */
import { type FeedValue, UNCHANGED } from '../dialect.ts';
import type { RowPlan } from './row-plan.ts';

export type RowEffect = {
  /** Of the layout in which `row` came; the table may be changed in the midst of a transaction. */
  plan: RowPlan;
  readonly keyTexts: readonly string[];
  /** `undefined` when the row is gone. */
  row: readonly FeedValue[] | undefined;
  /** The old row was deleted (or moved to another key) before this one came. */
  replaced: boolean;
  /** Set when an UPDATE changed the key: values that the feed left out are those of the object with this key. */
  movedFrom: readonly string[] | undefined;
  /** We were the last to write it. */
  isOwn: boolean;
};

export class TransactionBuffer {
  readonly #rows = new Map<string, RowEffect>();

  get size(): number {
    return this.#rows.size;
  }

  /** In the order in which rows were first touched. */
  rows(): IterableIterator<RowEffect> {
    return this.#rows.values();
  }

  clear(): void {
    this.#rows.clear();
  }

  insert(plan: RowPlan, row: readonly FeedValue[], isOwn = false): void {
    const keyTexts = plan.keyTexts(row);
    const before = this.#rows.get(token(plan, keyTexts));
    this.#put({
      plan,
      keyTexts,
      row,
      replaced: before !== undefined && before.row === undefined,
      movedFrom: undefined,
      isOwn,
    });
  }

  update(
    plan: RowPlan,
    row: readonly FeedValue[],
    old: readonly FeedValue[] | undefined,
    isOwn = false,
  ): void {
    const keyTexts = plan.keyTexts(row);
    const oldKey = old === undefined ? keyTexts : plan.keyTexts(old);
    if (token(plan, oldKey) !== token(plan, keyTexts)) {
      this.#move(plan, row, oldKey, keyTexts);
      return;
    }
    const before = this.#rows.get(token(plan, keyTexts));
    this.#put({
      plan,
      keyTexts,
      row: filled(plan, row, before),
      replaced: before?.replaced ?? false,
      movedFrom: before?.movedFrom,
      isOwn,
    });
  }

  delete(plan: RowPlan, old: readonly FeedValue[]): void {
    this.#gone(plan, plan.keyTexts(old));
  }

  #move(
    plan: RowPlan,
    row: readonly FeedValue[],
    oldKey: readonly string[],
    keyTexts: readonly string[],
  ): void {
    const before = this.#rows.get(token(plan, oldKey));
    this.#gone(plan, oldKey);
    this.#put({
      plan,
      keyTexts,
      row: filled(plan, row, before),
      replaced: true,
      movedFrom: before?.movedFrom ?? oldKey,
      isOwn: false,
    });
  }

  #gone(plan: RowPlan, keyTexts: readonly string[]): void {
    this.#put({ plan, keyTexts, row: undefined, replaced: false, movedFrom: undefined, isOwn: false });
  }

  /** The newest effect takes its place at the end, so that a row which moved away goes before what took its key. */
  #put(effect: RowEffect): void {
    const key = token(effect.plan, effect.keyTexts);
    const before = this.#rows.get(key);
    if (before?.row !== undefined && effect.row !== undefined) {
      Object.assign(before, effect);
      return;
    }
    this.#rows.delete(key);
    this.#rows.set(key, effect);
  }
}

function token(plan: RowPlan, keyTexts: readonly string[]): string {
  return `${plan.mapping.className}\0${keyTexts.join('\0')}`;
}

/** `row` with the values that the feed left out taken from the row as it was before, whose layout may be another. */
function filled(
  plan: RowPlan,
  row: readonly FeedValue[],
  before: RowEffect | undefined,
): readonly FeedValue[] {
  const known = before?.row;
  if (before === undefined || known === undefined || !row.includes(UNCHANGED)) return row;
  return row.map((value, index) => {
    if (value !== UNCHANGED) return value;
    if (before.plan === plan) return known[index] ?? null;
    const place = before.plan.names.indexOf(plan.names[index] ?? '');
    return place < 0 ? UNCHANGED : (known[place] ?? null);
  });
}
