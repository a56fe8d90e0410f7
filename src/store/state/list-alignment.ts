/** Which elements of one list stand in another one too, in the same order. */
export type CommonElement = { readonly before: number; readonly after: number };

/**
 * Comparisons that finding the longest common sequence may cost. What lies between the common beginning and end of two
 * lists is compared element with element up to here, a few milliseconds; above it counts as all different.
 */
const MAX_COMPARISONS = 100_000;

/** Indexes of the elements that both lists share by `same`, rising on both sides. */
export function commonElements<T>(
  before: readonly T[],
  after: readonly T[],
  same: (before: T, after: T) => boolean,
): readonly CommonElement[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && same(before[start]!, after[start]!)) start += 1;
  let end = 0;
  while (end < shorter - start && same(before[before.length - 1 - end]!, after[after.length - 1 - end]!))
    end += 1;
  const common: CommonElement[] = [];
  for (let index = 0; index < start; index += 1) common.push({ before: index, after: index });
  const middle = longestSequence(
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
    same,
  );
  for (const pair of middle) common.push({ before: start + pair.before, after: start + pair.after });
  for (let left = end; left > 0; left -= 1)
    common.push({ before: before.length - left, after: after.length - left });
  return common;
}

function longestSequence<T>(
  before: readonly T[],
  after: readonly T[],
  same: (before: T, after: T) => boolean,
): CommonElement[] {
  const width = after.length + 1;
  if (before.length * after.length > MAX_COMPARISONS) return [];
  // lengths[i * width + j]: how much before[i…] and after[j…] have in common.
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = same(before[i]!, after[j]!)
        ? 1 + lengths[(i + 1) * width + j + 1]!
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const common: CommonElement[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    if (same(before[i]!, after[j]!)) {
      common.push({ before: i, after: j });
      i += 1;
      j += 1;
    } else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i += 1;
    else j += 1;
  }
  return common;
}
