/** How the rows that the feed brings are to be read: by the layout in which they come and the present mapping. */
import { type FeedTable, tableId } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import { RowPlan } from './row-plan.ts';

/** Hears of rows that do not look as the mapping has it. */
export type LayoutListener = {
  /** The table may have been changed. */
  readonly hint: () => void;
  /** Rows cannot be told apart and are left out. Called inside the store's transaction. */
  readonly unreadable: (mapped: ClassMapping, reason: string) => void;
  /** Names the present mapping. */
  readonly generation: () => number;
  /** Looks at the tables; true when the mapping is another one by then. */
  readonly changedSince: (generation: number) => Promise<boolean>;
};

type Unreadable = { readonly mapped: ClassMapping; readonly reason: string };

export class FeedPlans {
  readonly #mapping: () => Mapping;
  readonly #listener: LayoutListener | undefined;
  #plans = new WeakMap<FeedTable, RowPlan | Unreadable | 'unmapped'>();
  /** The layout in which the rows of each table came last. */
  readonly #layouts = new Map<string, FeedTable>();

  constructor(mapping: () => Mapping, listener: LayoutListener | undefined) {
    this.#mapping = mapping;
    this.#listener = listener;
  }

  /** The connection was lost: the next one sends every layout anew. */
  reset(): void {
    this.#layouts.clear();
  }

  /** The mapping changed: what was planned from the old one no longer holds. */
  forget(): void {
    this.#plans = new WeakMap();
  }

  plan(table: FeedTable): RowPlan | undefined {
    const known = this.#plans.get(table) ?? this.#newPlan(table);
    return known instanceof RowPlan ? known : undefined;
  }

  /** The same inside the store's transaction, where rows that cannot be read are noted. */
  readablePlan(table: FeedTable): RowPlan | undefined {
    const known = this.#plans.get(table) ?? this.#newPlan(table);
    if (known === 'unmapped') return undefined;
    if (known instanceof RowPlan) return known;
    this.#listener?.unreadable(known.mapped, known.reason);
    return undefined;
  }

  #newPlan(table: FeedTable): RowPlan | Unreadable | 'unmapped' {
    const mapped = this.#mapping().forTable(tableId(table.table));
    const plan = mapped === undefined ? 'unmapped' : this.#planFor(mapped, table);
    this.#plans.set(table, plan);
    if (mapped !== undefined) this.#noteLayout(table, mapped);
    return plan;
  }

  #planFor(mapped: ClassMapping, table: FeedTable): RowPlan | Unreadable {
    try {
      return RowPlan.forFeed(mapped, table.columns);
    } catch (error) {
      if (!(error instanceof DataError) || this.#listener === undefined) throw error;
      return { mapped, reason: error.message };
    }
  }

  /** A layout is sent anew after each change of the table, and differs from the catalog's when we have not read that yet. */
  #noteLayout(table: FeedTable, mapped: ClassMapping): void {
    const id = tableId(table.table);
    const before = this.#layouts.get(id);
    this.#layouts.set(id, table);
    const shown = mapped.table.columns.filter(({ unfed }) => unfed !== true);
    const sameAsMapped =
      table.columns.length === shown.length && shown.every(({ name }) => table.columns.includes(name));
    if ((before !== undefined && before !== table) || !sameAsMapped) this.#listener?.hint();
  }
}
