/**
 * Rows that the feed refers to and the directory does not know: they were there before the connector was and nobody
 * loaded them, or their own change comes later. The database is asked for their keys before anything is written.
 */

import type { RowPlan } from '../capture/row-plan.ts';
import { type FeedValue, type KeyLookup, type SourceDialect, tableId } from '../dialect.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';

type PlannedLookup = { readonly index: number; readonly lookup: KeyLookup };
type Wanted = { readonly lookup: KeyLookup; readonly rows: Set<string> };

export class UnknownRows {
  readonly #dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly #directory: KeyDirectory;
  readonly #mapping: () => Mapping;
  readonly #lookups = new WeakMap<RowPlan, readonly PlannedLookup[]>();

  constructor(dialect: Pick<SourceDialect, 'fetchRows'>, directory: KeyDirectory, mapping: () => Mapping) {
    this.#dialect = dialect;
    this.#directory = directory;
    this.#mapping = mapping;
  }

  /** Stages what the database knows of the rows; one that has no key gets one. */
  async learn(
    changes: Iterable<{ readonly plan: RowPlan; readonly row: readonly FeedValue[] }>,
  ): Promise<void> {
    const wanted = new Map<string, Wanted>();
    const coming = new Map<string, Set<string>>();
    for (const { plan, row } of changes) {
      const { key, table } = plan.mapping;
      if (key.row !== undefined) {
        const own = row[plan.names.indexOf(key.row.column)];
        if (typeof own === 'string') addTo(coming, tableId(table.table), own);
      }
      for (const { index, lookup } of this.#lookupsOf(plan)) {
        const text = row[index];
        if (typeof text === 'string') this.#want(wanted, lookup, text);
      }
    }
    for (const [table, { lookup, rows }] of wanted) {
      const missing = [...rows].filter((row) => !coming.get(table)?.has(row));
      if (missing.length > 0) await this.#fetch(table, lookup, missing);
    }
  }

  #lookupsOf(plan: RowPlan): readonly PlannedLookup[] {
    let lookups = this.#lookups.get(plan);
    if (lookups === undefined) {
      const single = plan.columns.map(({ index, mapped: { lookup } }) => ({ index, lookup }));
      const parts = plan.states.flatMap(({ indexes, mapped }) =>
        mapped.columns.map(({ name }, part) => ({
          index: indexes[part] ?? -1,
          lookup: mapped.lookups?.get(name),
        })),
      );
      lookups = [...single, ...parts].flatMap(({ index, lookup }) =>
        lookup === undefined ? [] : [{ index, lookup }],
      );
      this.#lookups.set(plan, lookups);
    }
    return lookups;
  }

  #want(wanted: Map<string, Wanted>, lookup: KeyLookup, row: string): void {
    const table = tableId(lookup.table.table);
    if (this.#directory.keyOf(table, row) !== undefined) return;
    const known = wanted.get(table);
    if (known === undefined) wanted.set(table, { lookup, rows: new Set([row]) });
    else known.rows.add(row);
  }

  async #fetch(
    table: string,
    { table: info, by, column }: KeyLookup,
    missing: readonly string[],
  ): Promise<void> {
    const keys = missing.map((row) => [row]);
    const generate = this.#mapping().forTable(table)?.key.row?.generate;
    for (const [row, key] of await this.#dialect.fetchRows(info, [column, by], keys, [column])) {
      if (row === null || row === undefined) continue;
      const made = key ?? generate?.();
      if (made !== undefined) this.#directory.set(table, row, made, key === null);
    }
  }
}

function addTo(sets: Map<string, Set<string>>, name: string, member: string): void {
  const set = sets.get(name);
  if (set === undefined) sets.set(name, new Set([member]));
  else set.add(member);
}
