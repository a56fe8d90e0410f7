/** Merges what two sides have made of one list since both knew it alike: pure. */
import { commonElements } from '../../store/state/list-alignment.ts';

const same = (a: string, b: string): boolean => a === b;

/**
 * What `mine` becomes when the changes from `base` to `theirs` are made in it. What both have changed alike counts once;
 * where both changed the same place, my items come first. What one side removed is removed, though the other moved it.
 */
export function mergeLists(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): readonly string[] {
  if (sameList(base, theirs) || sameList(mine, theirs)) return mine;
  if (sameList(base, mine)) return theirs;
  const toMine = placesOf(base, mine);
  const toTheirs = placesOf(base, theirs);
  const merged: string[] = [];
  let from = { base: 0, mine: 0, theirs: 0 };
  for (let place = 0; place <= base.length; place += 1) {
    const isEnd = place === base.length;
    const inMine = isEnd ? mine.length : toMine.get(place);
    const inTheirs = isEnd ? theirs.length : toTheirs.get(place);
    if (inMine === undefined || inTheirs === undefined) continue;
    const between = mergedPart(
      base.slice(from.base, place),
      mine.slice(from.mine, inMine),
      theirs.slice(from.theirs, inTheirs),
    );
    for (const item of between) merged.push(item);
    if (!isEnd) merged.push(base[place]!);
    from = { base: place + 1, mine: inMine + 1, theirs: inTheirs + 1 };
  }
  return withoutSurplus(merged, base, mine, theirs);
}

export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Every item once, where it comes first. */
export function withoutRepetitions(items: readonly string[]): readonly string[] {
  const distinct = new Set(items);
  return distinct.size === items.length ? items : [...distinct];
}

/** What nothing orders stays in the order that it had; what is new comes last. */
export function inOrderOf(base: readonly string[], items: readonly string[]): readonly string[] {
  const present = new Set(items);
  const known = new Set(base);
  return [...base.filter((item) => present.has(item)), ...items.filter((item) => !known.has(item))];
}

function placesOf(base: readonly string[], list: readonly string[]): ReadonlyMap<number, number> {
  return new Map(commonElements(base, list, same).map(({ before, after }) => [before, after]));
}

function mergedPart(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): readonly string[] {
  if (sameList(base, theirs) || sameList(mine, theirs)) return mine;
  if (sameList(base, mine)) return theirs;
  const removed = countsOf(base);
  for (const item of theirs) take(removed, item);
  const kept = mine.filter((item) => !take(removed, item));
  const added = countsOf(theirs);
  for (const item of base) take(added, item);
  const addedByMe = countsOf(mine);
  for (const item of base) take(addedByMe, item);
  for (const [item, count] of addedByMe) for (let one = 0; one < count; one += 1) take(added, item);
  return [
    ...kept,
    ...theirs
      .toReversed()
      .filter((item) => take(added, item))
      .toReversed(),
  ];
}

/** An item that both have moved would stand in both places, and one that was removed where the other has moved it to. */
function withoutSurplus(
  merged: readonly string[],
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): readonly string[] {
  const [inBase, inMine, inTheirs] = [countsOf(base), countsOf(mine), countsOf(theirs)];
  const seen = new Map<string, number>();
  return merged.filter((item) => {
    const count = (seen.get(item) ?? 0) + 1;
    seen.set(item, count);
    return count <= mergedCount(inBase.get(item) ?? 0, inMine.get(item) ?? 0, inTheirs.get(item) ?? 0);
  });
}

function mergedCount(base: number, mine: number, theirs: number): number {
  if (mine >= base && theirs >= base) return Math.max(mine, theirs);
  if (mine <= base && theirs <= base) return Math.min(mine, theirs);
  return Math.max(0, mine + theirs - base);
}

function countsOf(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** Takes one of the item away; false when there is none. */
function take(counts: Map<string, number>, item: string): boolean {
  const count = counts.get(item) ?? 0;
  if (count > 0) counts.set(item, count - 1);
  return count > 0;
}
