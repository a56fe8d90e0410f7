/** Sorting rows by keys that were computed with them. */
import type { Datum } from '../../contract.ts';
import type { Typed } from '../../sql/expressions/scope.ts';
import { comparer } from '../../sql/types/compare.ts';
import { DEFAULT_COLLATION } from '../storage/datum-key.ts';

export type Keyed = { readonly keys: readonly Datum[] };
export type SortKey = { readonly key: Typed; readonly descending: boolean };

/** Sorted by the keys, NULL before everything else; equal ones stay as they are. */
export function orderRows<Row extends Keyed>(rows: Row[], by: readonly SortKey[]): Row[] {
  return rows.sort(compareKeys(by));
}

export function compareKeys(by: readonly SortKey[]): (a: Keyed, b: Keyed) => number {
  const comparers = by.map(({ key, descending }) => {
    const compare = comparer(key.type, key.collation?.name ?? DEFAULT_COLLATION);
    const sign = descending ? -1 : 1;
    return (a: Datum, b: Datum): number => {
      if (a === null) return b === null ? 0 : -sign;
      if (b === null) return sign;
      return sign * compare(a, b);
    };
  });
  return (a, b) => {
    for (const [at, compare] of comparers.entries()) {
      const order = compare(a.keys[at] ?? null, b.keys[at] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  };
}
