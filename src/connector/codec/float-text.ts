/** Binary floating point and its texts: `NaN`, `Infinity` and the sign of zero survive. */
import { DataError } from '../errors.ts';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The nearest double. Throws `DataError` on text that is no number or beyond the largest double. */
export function doubleFromText(text: string): number {
  switch (text) {
    case 'NaN':
      return Number.NaN;
    case 'Infinity':
      return Number.POSITIVE_INFINITY;
    case '-Infinity':
      return Number.NEGATIVE_INFINITY;
  }
  const value = Number(text);
  if (Number.isFinite(value) && NUMBER.test(text)) return value;
  throw new DataError(
    NUMBER.test(text) ? `${text} is beyond the largest double` : `${JSON.stringify(text)} is no number`,
  );
}

/** The nearest float. Throws `DataError` like {@link doubleFromText}, and beyond the largest float. */
export function floatFromText(text: string): number {
  const value = doubleFromText(text);
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded) && Number.isFinite(value)) {
    throw new DataError(`${text} is beyond the largest float`);
  }
  return rounded;
}

/** The shortest text that reads back as the same double. */
export function doubleToText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Digits that may be needed to tell two floats apart, and those that every float of full precision has. */
const MOST_FLOAT_DIGITS = 9;
const SAFE_FLOAT_DIGITS = 6;
/** Below it floats lose precision, and fewer digits tell them apart. */
const SMALLEST_NORMAL_FLOAT = 2 ** -126;
/** Whole numbers up to here are floats each. */
const LARGEST_EXACT_FLOAT = 2 ** 24;

/** The shortest text that reads back as the same float: 0.1 rather than 0.10000000149011612. */
export function floatToText(value: number): string {
  const float = Math.fround(value);
  const size = Math.abs(float);
  if (!Number.isFinite(float) || (Number.isInteger(float) && size <= LARGEST_EXACT_FLOAT))
    return doubleToText(float);
  for (
    let digits = size < SMALLEST_NORMAL_FLOAT ? 1 : SAFE_FLOAT_DIGITS;
    digits < MOST_FLOAT_DIGITS;
    digits += 1
  ) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return doubleToText(short);
  }
  return doubleToText(Number(float.toPrecision(MOST_FLOAT_DIGITS)));
}
