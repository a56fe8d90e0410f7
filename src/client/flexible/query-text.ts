/** Subscriptions as the server is told of them (wire-protocol.md §3.2). */
import type { Subscription } from '../../store/replica/flexible-contract.ts';

/** The JSON of IDENT and QUERY: for each class its distinct queries, sorted and joined. */
export function queryText(subscriptions: readonly Subscription[]): string {
  const byClass = new Map<string, Set<string>>();
  for (const { table, query } of subscriptions) {
    const known = byClass.get(table);
    if (known === undefined) byClass.set(table, new Set([query]));
    else known.add(query);
  }
  const classes = [...byClass].sort(([a], [b]) => compareBytes(a, b));
  return JSON.stringify(
    Object.fromEntries(
      classes.map(([table, queries]) => [
        table,
        [...queries]
          .sort(compareBytes)
          .map((query) => `(${query})`)
          .join(' OR '),
      ]),
    ),
  );
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
