import type { Payload } from '../changeset/instruction.ts';
import { sameDecimal } from '../schema/decimal128.ts';
import { sameKey } from '../schema/value.ts';

/**
 * Equality of payloads as the merge sees it: same type and equal content, floating point by numeric value, so that
 * NaN equals nothing (spec/merge-rules.md §3).
 */
export function samePayload(a: Payload, b: Payload): boolean {
  switch (a.type) {
    case 'data':
      return b.type === 'data' && Buffer.compare(a.value, b.value) === 0;
    case 'date':
      return b.type === 'date' && a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
    case 'decimal128':
      return b.type === 'decimal128' && sameDecimal(a, b);
    case 'link':
      return b.type === 'link' && a.table === b.table && sameKey(a.key, b.key);
    case 'int':
    case 'bool':
    case 'string':
    case 'float':
    case 'double':
    case 'objectId':
    case 'uuid':
      return b.type === a.type && a.value === b.value;
    default:
      return a.type === b.type;
  }
}
