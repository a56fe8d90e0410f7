import { type DecimalValue, keyToken, type ScalarValue } from '../../schema/value.ts';

/**
 * A string that two values share exactly when they are the same member of a set: type and content equal, floating
 * point and decimals by numeric value (spec/merge-rules.md §3).
 */
export function valueToken(value: ScalarValue): string {
  switch (value.type) {
    case 'null':
      return 'null';
    case 'int':
      return `int ${value.value}`;
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'string':
      return `string ${value.value}`;
    case 'data':
      return `data ${Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength).toString('hex')}`;
    case 'date':
      return `date ${value.seconds} ${value.nanoseconds}`;
    // Adding 0 turns a negative zero, which equals zero, into zero.
    case 'float':
      return `float ${value.value + 0}`;
    case 'double':
      return `double ${value.value + 0}`;
    case 'decimal128':
      return decimalToken(value);
    case 'objectId':
      return `objectId ${value.value}`;
    case 'uuid':
      return `uuid ${value.value}`;
    case 'link':
      return `link ${value.table} ${keyToken(value.key)}`;
  }
}

function decimalToken({ coefficient, exponent, negative }: DecimalValue): string {
  if (coefficient === 0n && exponent < FIRST_SPECIAL_EXPONENT) return 'decimal 0';
  let digits = coefficient;
  let power = exponent;
  while (digits !== 0n && digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return `decimal ${negative ? '-' : ''}${digits}e${power}`;
}

/** Infinity and NaN are told by exponents from here on (spec/changeset-format.md §5.1). */
const FIRST_SPECIAL_EXPONENT = 9184;
