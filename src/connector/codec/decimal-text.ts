/** Texts of decimal numbers as decimal128, exact, with a short way for short numbers. */

import { decimalFromText as exactDecimal } from '../../schema/decimal128.ts';
import type { DecimalValue } from '../../schema/value.ts';
import { ValueError } from '../../schema/value-error.ts';
import { DataError } from '../errors.ts';

/** Characters that hold no more digits than a number holds exactly. */
const SHORT_TEXT = 15;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Throws `DataError` on text that is no number or has more digits than decimal128 holds. */
export function decimalFromText(text: string): DecimalValue {
  const short = shortDecimal(text);
  if (short !== undefined) return short;
  try {
    return exactDecimal(text);
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw new DataError(`${text} does not fit into decimal128: ${cause.message}`, { cause });
  }
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
