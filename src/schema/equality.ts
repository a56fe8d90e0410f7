/** When two values are the same for whoever asks "would writing this change anything?". */
import { sameDecimal } from './decimal128.ts';
import { type ScalarValue, sameKey } from './value.ts';

/**
 * Equality of contents: same type, floating point and decimals by numeric value (merge-rules.md §3). It differs from
 * the merge's notion in one point: NaN is the same as NaN here, since writing it again would change nothing.
 */
export function sameValue(a: ScalarValue, b: ScalarValue): boolean {
  switch (a.type) {
    case 'null':
      return b.type === 'null';
    case 'data':
      return b.type === 'data' && sameBytes(a.value, b.value);
    case 'date':
      return b.type === 'date' && a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
    case 'decimal128':
      return b.type === 'decimal128' && sameDecimal(a, b);
    case 'link':
      return b.type === 'link' && a.table === b.table && sameKey(a.key, b.key);
    case 'float':
    case 'double':
      return b.type === a.type && (a.value === b.value || (Number.isNaN(a.value) && Number.isNaN(b.value)));
    default:
      return b.type === a.type && a.value === b.value;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}
