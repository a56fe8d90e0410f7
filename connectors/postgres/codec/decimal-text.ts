/** decimal128 and the texts of `numeric`, both exact (changeset-format.md §5.1). */
import { DataError } from '../../../src/connector/errors.ts';
import type { DecimalValue } from '../../../src/schema/value.ts';

const MAX_DIGITS = 34;
const MIN_EXPONENT = -6176;
const MAX_EXPONENT = 6111;
const INFINITY_EXPONENT = 9184;
const NAN_EXPONENT = 9696;
/** 10^34: the first coefficient that does not fit. */
const COEFFICIENT_LIMIT = 10n ** BigInt(MAX_DIGITS);
/** Characters that hold no more digits than a number holds exactly. */
const SHORT_TEXT = 15;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** Throws `DataError` on text that is no number or has more digits than decimal128 holds. */
export function decimalFromText(text: string): DecimalValue {
  const short = shortDecimal(text);
  if (short !== undefined) return short;
  const special = specialDecimal(text);
  if (special !== undefined) return special;
  const match = DECIMAL.exec(text);
  const fraction = match?.[3] ?? '';
  const digits = `${match?.[2] ?? ''}${fraction}`;
  if (match === null || digits === '') throw new DataError(`${JSON.stringify(text)} is no number`);
  let coefficient = BigInt(digits);
  let exponent = Number(match[4] ?? 0) - fraction.length;
  while (coefficient >= COEFFICIENT_LIMIT || (exponent < MIN_EXPONENT && coefficient !== 0n)) {
    if (coefficient % 10n !== 0n) break;
    coefficient /= 10n;
    exponent += 1;
  }
  while (exponent > MAX_EXPONENT && coefficient !== 0n && coefficient * 10n < COEFFICIENT_LIMIT) {
    coefficient *= 10n;
    exponent -= 1;
  }
  if (coefficient === 0n) exponent = Math.min(Math.max(exponent, MIN_EXPONENT), MAX_EXPONENT);
  if (coefficient >= COEFFICIENT_LIMIT || exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) {
    throw new DataError(`${text} does not fit into decimal128, which holds ${MAX_DIGITS} digits`);
  }
  return { type: 'decimal128', coefficient, exponent, negative: match[1] === '-' };
}

/** Digits with a point at most, few enough for exact numbers; anything else is for the pattern. */
function shortDecimal(text: string): DecimalValue | undefined {
  const { length } = text;
  if (length > SHORT_TEXT) return undefined;
  const negative = text.charCodeAt(0) === MINUS;
  let coefficient = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? 1 : 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT && point < 0) point = at;
    else if (code >= ZERO && code <= NINE) {
      coefficient = coefficient * 10 + (code - ZERO);
      digits += 1;
    } else return undefined;
  }
  if (digits === 0) return undefined;
  const exponent = point < 0 ? 0 : point + 1 - length;
  return { type: 'decimal128', coefficient: BigInt(coefficient), exponent, negative };
}

function specialDecimal(text: string): DecimalValue | undefined {
  switch (text) {
    case 'NaN':
      return { type: 'decimal128', coefficient: 0n, exponent: NAN_EXPONENT, negative: false };
    case 'Infinity':
    case '-Infinity':
      return { type: 'decimal128', coefficient: 0n, exponent: INFINITY_EXPONENT, negative: text[0] === '-' };
    default:
      return undefined;
  }
}

/** Keeps the number of decimal places: 1.50 stays 1.50. */
export function decimalToText({ coefficient, exponent, negative }: DecimalValue): string {
  if (exponent >= NAN_EXPONENT) return 'NaN';
  const sign = negative ? '-' : '';
  if (exponent >= INFINITY_EXPONENT) return `${sign}Infinity`;
  return exponent === 0 ? `${sign}${coefficient}` : `${sign}${coefficient}e${exponent}`;
}
