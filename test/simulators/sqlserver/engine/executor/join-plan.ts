/** Plans in which order the sources of a query are read and joined, and where its conditions are judged. */
import type { Conjunct } from './conjuncts.ts';
import { isSought, joinProducer, leafProducer, type Producer } from './producers.ts';
import type { Bound } from './sources.ts';

/** Plans the joins, giving every condition to the earliest place where it can be judged. */
export function planSources(bound: Bound, where: Conjunct[]): Producer {
  return plan(bound, where, new Set());
}

/**
 * A table joined with a list that was computed: where an index finds its rows, only those are read, and locked, that the
 * list asks for.
 */
function isDrivenByRight(
  { left, right, lateral }: Extract<Bound, { readonly kind: 'join' }>,
  conjuncts: readonly Conjunct[],
  available: ReadonlySet<number>,
): boolean {
  if (lateral || left.kind !== 'leaf' || right.kind !== 'leaf') return false;
  if (right.leaf.access !== undefined || !right.leaf.constant) return false;
  if (isSought(left.leaf, conjuncts, available)) return false;
  return isSought(left.leaf, conjuncts, new Set([...available, right.leaf.source.index]));
}

function plan(bound: Bound, pool: readonly Conjunct[], available: ReadonlySet<number>): Producer {
  const open = pool.filter((one) => !one.used);
  if (bound.kind === 'leaf') return leafProducer(bound.leaf, open, available);
  // What concerns sources to the left, too, is left to the join with them, which can look it up in a hash.
  const within = (conjunct: Conjunct, sources: readonly number[]) =>
    conjunct.touched.size > 0 && [...conjunct.touched].every((one) => sources.includes(one));
  if (bound.join === 'inner') {
    const all = [...open, ...bound.on];
    const [first, second] = isDrivenByRight(bound, all, available)
      ? [bound.right, bound.left]
      : [bound.left, bound.right];
    const left = plan(first, all, available);
    const right = plan(second, all, new Set([...available, ...left.sources]));
    const rest = all.filter((one) => !one.used && (within(one, bound.sources) || bound.on.includes(one)));
    return joinProducer('inner', left, right, rest, bound.lateral);
  }
  if (bound.join === 'left') {
    const left = plan(bound.left, open, available);
    const right = plan(bound.right, bound.on, new Set([...available, ...left.sources]));
    // What the right side has taken up needs no second look; what concerns only the left decides about matches.
    const rest = bound.on.filter((one) => !one.used);
    return joinProducer('left', left, right, rest, bound.lateral);
  }
  const left = plan(bound.left, [], available);
  const right = plan(bound.right, [], available);
  return joinProducer('full', left, right, bound.on, false);
}
