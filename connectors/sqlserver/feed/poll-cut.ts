/**
 * How far one poll goes. What it delivers is held in memory to be regrouped, so that it ends at a version up to which no
 * table has more changes than the limit; a single version that has more is delivered by itself, as it is read.
 */

/** What a table has to deliver: of its changes in the order of their places the first ones, one more than the limit. */
export type Backlog = {
  /** How many were counted: at most the limit and one. */
  readonly counted: number;
  /** Places of the first and the last of those counted. */
  readonly first: bigint;
  readonly last: bigint;
};

export type Cut = {
  /** Changes whose place lies beyond it come with a later poll. */
  readonly upTo: bigint;
  /** The poll consists of this one version, which is too large to be held. */
  readonly isHuge: boolean;
};

/** `current` is the version that the poll may go up to. Tables without changes are left out of `backlogs`. */
export function cutOf(backlogs: readonly Backlog[], limit: number, current: bigint): Cut {
  let upTo = current;
  let isHuge = false;
  let first = current;
  for (const backlog of backlogs) if (backlog.first < first) first = backlog.first;
  for (const { counted, first: from, last } of backlogs) {
    if (counted <= limit) continue;
    const fits = from < last;
    const bound = fits ? last - 1n : last;
    if (bound > upTo || (bound === upTo && (fits || isHuge))) continue;
    upTo = bound;
    isHuge = !fits;
  }
  if (!isHuge) return { upTo, isHuge };
  // What was committed before the huge version comes before it.
  return first < upTo ? { upTo: upTo - 1n, isHuge: false } : { upTo, isHuge };
}
