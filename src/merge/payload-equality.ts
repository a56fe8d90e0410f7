import type { Payload } from '../changeset/instruction.ts';
import type { DecimalValue } from '../schema/value.ts';
import { sameKey } from '../schema/value.ts';

/** Exponent that stands for infinity on the wire; everything from here on is no number (changeset-format.md §5.1). */
const INFINITY_EXPONENT = 9184;

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

function sameDecimal(a: DecimalValue, b: DecimalValue): boolean {
  const identical = a.coefficient === b.coefficient && a.exponent === b.exponent && a.negative === b.negative;
  if (identical || a.exponent >= INFINITY_EXPONENT || b.exponent >= INFINITY_EXPONENT) return identical;
  if (a.coefficient === 0n || b.coefficient === 0n) return a.coefficient === b.coefficient;
  if (a.negative !== b.negative) return false;
  const [coarse, fine] = a.exponent > b.exponent ? [a, b] : [b, a];
  const shift = coarse.exponent - fine.exponent;
  // A coefficient has at most 34 digits, so a larger shift cannot make the two equal.
  return shift <= 34 && coarse.coefficient * 10n ** BigInt(shift) === fine.coefficient;
}
