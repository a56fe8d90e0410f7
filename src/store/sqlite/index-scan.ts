/** Reading objects by an index, in key order. */
import type { IndexTable } from './index-table.ts';
import { compareStoredKeys, type StoredKey } from './object-key.ts';
import type { StoredObject } from './object-table.ts';

/** Objects read at once. */
const BATCH = 128;

export type IndexPlace = { readonly table: IndexTable; readonly classId: bigint; readonly column: number };

/** The objects that hold one of the tokens, once each. */
export function scanIndex(place: IndexPlace, tokens: readonly string[]): Iterable<StoredObject> {
  const different = [...new Set(tokens)];
  const [only] = different;
  if (only !== undefined && different.length === 1) return scanToken(place, only);
  return mergeByKey(different.map((token) => scanToken(place, token)));
}

function* scanToken({ table, classId, column }: IndexPlace, token: string): IterableIterator<StoredObject> {
  let last: StoredKey | undefined;
  for (;;) {
    const batch = table.scan(classId, column, token, last, BATCH);
    yield* batch;
    last = batch.at(-1)?.key;
    if (last === undefined || batch.length < BATCH) return;
  }
}

type Source = { head: StoredObject; readonly rest: Iterator<StoredObject> };

function* mergeByKey(sequences: readonly Iterator<StoredObject>[]): IterableIterator<StoredObject> {
  const heap: Source[] = [];
  for (const rest of sequences) {
    const first = rest.next();
    if (first.done !== true) push(heap, { head: first.value, rest });
  }
  let last: StoredKey | undefined;
  for (let source = pop(heap); source !== undefined; source = pop(heap)) {
    const { head, rest } = source;
    if (last === undefined || compareStoredKeys(last, head.key) !== 0) yield head;
    last = head.key;
    const next = rest.next();
    if (next.done === true) continue;
    source.head = next.value;
    push(heap, source);
  }
}

/** Binary heap: the source with the lowest key is the first. */
function push(heap: Source[], source: Source): void {
  let at = heap.length;
  heap.push(source);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(source, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = source;
}

function pop(heap: Source[]): Source | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}

function isBefore(a: Source, b: Source): boolean {
  return compareStoredKeys(a.head.key, b.head.key) < 0;
}
