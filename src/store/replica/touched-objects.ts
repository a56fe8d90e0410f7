/**
 * Which objects a changeset touches, as a Bloom filter that is stored beside it. Instructions on different objects
 * never conflict (src/merge/conflict-groups.ts), so a download has to be merged only with those local changesets that
 * may touch the same objects, and a long backlog, as a bulk load leaves it, is mostly not even read.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey, sameKey } from '../../schema/value.ts';

/** With eight probes, one foreign object in some two thousand seems to be touched. */
const BITS_PER_OBJECT = 16;
const PROBES = 8;

/** The filter of a local changeset; `undefined` when it changes classes or columns, which can concern any object. */
export function touchedBy(instructions: readonly Instruction[]): Uint8Array | undefined {
  const hashes = objectHashes(instructions);
  if (hashes === undefined) return undefined;
  const filter = new Uint8Array(Math.ceil((hashes.length * BITS_PER_OBJECT) / 8));
  const bits = filter.length * 8;
  for (const hash of hashes) {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = probeAt(hash, probe, bits);
      filter[bit >>> 3]! |= 1 << (bit & 7);
    }
  }
  return filter;
}

/** The objects of incoming changesets, to be held against the filters of local ones. */
export class TouchedObjects {
  readonly #hashes: readonly number[] | undefined;

  constructor(changesets: Iterable<readonly Instruction[]>) {
    const hashes: number[] = [];
    let all = false;
    for (const instructions of changesets) {
      const found = objectHashes(instructions);
      if (found === undefined) all = true;
      else for (const hash of found) hashes.push(hash);
    }
    this.#hashes = all ? undefined : hashes;
  }

  /** False only when no object is touched on both sides. */
  mayMeet(filter: Uint8Array | undefined): boolean {
    if (filter === undefined || this.#hashes === undefined) return true;
    const bits = filter.length * 8;
    return bits > 0 && this.#hashes.some((hash) => contains(filter, bits, hash));
  }
}

function contains(filter: Uint8Array, bits: number, hash: number): boolean {
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = probeAt(hash, probe, bits);
    if ((filter[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Double hashing: the second hash, an odd step, is mixed from the first. */
function probeAt(hash: number, probe: number, bits: number): number {
  const step = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b) | 1;
  return ((hash + Math.imul(probe, step)) >>> 0) % bits;
}

/** One hash for each object, at least; runs of instructions on one object count once. */
function objectHashes(instructions: readonly Instruction[]): number[] | undefined {
  const hashes: number[] = [];
  let table: string | undefined;
  let key: PrimaryKey | undefined;
  for (const instruction of instructions) {
    if (!('key' in instruction)) return undefined;
    if (key !== undefined && instruction.table === table && sameKey(instruction.key, key)) continue;
    ({ table, key } = instruction);
    hashes.push(hashOf(table, keyToken(key)));
  }
  return hashes;
}

/** FNV-1a over UTF-16 units, with a final mix. */
function hashOf(table: string, key: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < table.length; i++) hash = Math.imul(hash ^ table.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash, 0x0100_0193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb_352d);
  return (hash ^ (hash >>> 15)) >>> 0;
}
