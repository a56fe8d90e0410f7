/**
 * The rows that one database transaction touched, each with its last state: what several statements did to a row is
 * compared with the replica once, at the transaction's end.
 */
import { type FeedValue, UNCHANGED } from '../dialect.ts';
import type { RowPlan } from './row-plan.ts';

export type RowEffect = {
  readonly plan: RowPlan;
  readonly keyTexts: readonly string[];
  /** `undefined` when the row is gone. */
  row: readonly FeedValue[] | undefined;
  /** The old row was deleted (or moved to another key) before this one came. */
  replaced: boolean;
  /** Set when an UPDATE changed the key: values that the feed left out are those of the object with this key. */
  movedFrom: readonly string[] | undefined;
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

  insert(plan: RowPlan, row: readonly FeedValue[]): void {
    const keyTexts = plan.keyTexts(row);
    const before = this.#rows.get(token(plan, keyTexts));
    this.#put({
      plan,
      keyTexts,
      row,
      replaced: before !== undefined && before.row === undefined,
      movedFrom: undefined,
    });
  }

  update(plan: RowPlan, row: readonly FeedValue[], old: readonly FeedValue[] | undefined): void {
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
      row: before?.row === undefined ? row : filled(row, before.row),
      replaced: before?.replaced ?? false,
      movedFrom: before?.movedFrom,
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
      row: before?.row === undefined ? row : filled(row, before.row),
      replaced: true,
      movedFrom: before?.movedFrom ?? oldKey,
    });
  }

  #gone(plan: RowPlan, keyTexts: readonly string[]): void {
    this.#put({ plan, keyTexts, row: undefined, replaced: false, movedFrom: undefined });
  }

  /** The newest effect takes its place at the end, so that a row which moved away goes before what took its key. */
  #put(effect: RowEffect): void {
    const key = token(effect.plan, effect.keyTexts);
    const before = this.#rows.get(key);
    if (before?.row !== undefined && effect.row !== undefined) {
      Object.assign(before, { row: effect.row, replaced: effect.replaced, movedFrom: effect.movedFrom });
      return;
    }
    this.#rows.delete(key);
    this.#rows.set(key, effect);
  }
}

function token(plan: RowPlan, keyTexts: readonly string[]): string {
  return `${plan.mapping.className}\0${keyTexts.join('\0')}`;
}

/** `row` with the values that the feed left out taken from the row as it was before. */
function filled(row: readonly FeedValue[], before: readonly FeedValue[]): readonly FeedValue[] {
  if (!row.includes(UNCHANGED)) return row;
  return row.map((value, index) => (value === UNCHANGED ? (before[index] ?? null) : value));
}
