/**
 * Which view a client file holds. A client comes back with its active subscriptions and its cursor; the rights that
 * were in force when it was filled are known here only. Each bootstrap adds a record before its last message is sent, so
 * that a client that did not integrate it is found under the record before.
 */

/** From version `at` on, a client with these subscriptions holds this view. */
export type HeldView = {
  /** The subscriptions in one spelling ({@link sameQueries}). */
  readonly queries: string;
  readonly at: number;
  /** `View.description`. */
  readonly view: string;
};

/** Bootstraps that a client was sent in one connection and may not have integrated. */
const MOST_RECORDS = 64;

/** The records kept for a file; nothing for text that is none. */
export function parseHeldViews(text: string | undefined): readonly HeldView[] {
  if (text === undefined) return [];
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed.filter(isHeldView) : [];
}

export function formatHeldViews(views: readonly HeldView[]): string {
  return JSON.stringify(views);
}

/** What a client with these subscriptions holds at a version. */
export function heldAt(views: readonly HeldView[], queries: string, version: number): HeldView | undefined {
  return views.findLast((held) => held.queries === queries && held.at <= version);
}

export function withHeld(views: readonly HeldView[], held: HeldView): readonly HeldView[] {
  return [...views, held].slice(-MOST_RECORDS);
}

/**
 * True when the cursor alone will tell whether the client has integrated this record's bootstrap, since its subscriptions
 * are those of an older record: then no earlier version than the bootstrap's own may look like it.
 */
export function isToldByCursor(views: readonly HeldView[], { queries, view }: Omit<HeldView, 'at'>): boolean {
  return views.some((held) => held.queries === queries && held.view !== view);
}

/**
 * The records that still count when a client comes back: what came later than what it holds was sent in vain, and must
 * not be taken for it when the client has got further.
 */
export function withoutLost(
  views: readonly HeldView[],
  queries: string,
  version: number,
): readonly HeldView[] {
  const held = heldAt(views, queries, version);
  return held === undefined ? [] : [held];
}

/** One spelling of the same subscriptions. */
export function sameQueries(queries: ReadonlyMap<string, string>): string {
  return JSON.stringify([...queries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function isHeldView(value: unknown): value is HeldView {
  if (typeof value !== 'object' || value === null) return false;
  const { queries, at, view } = value as Partial<Record<keyof HeldView, unknown>>;
  return typeof queries === 'string' && typeof at === 'number' && typeof view === 'string';
}
