/** Whether numbers written differently are the same, told from their texts alone. */

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const NAMES: Readonly<Record<string, string>> = { inf: 'Infinity', '-inf': '-Infinity' };

/** Compares values, not texts: 1.50 and 15e-1 are the same, and so are 0 and -0. */
export function isSameNumber(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** Digits without zeros at either end, and the power of ten of the last one. */
export function canonical(text: string): string {
  const match = NUMBER.exec(text);
  if (match === null) return NAMES[text.toLowerCase()] ?? text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const bare = digits.replace(/0+$/, '');
  if (bare === '') return '0';
  const power = Number(exponent) - fraction.length + digits.length - bare.length;
  return `${sign === '-' ? '-' : ''}${bare}e${power}`;
}

/**
 * The digits of a whole number that is written with a fraction of zeros or an exponent; undefined when it is none, or
 * too large to be of use.
 */
export function wholeDigits(text: string): string | undefined {
  const match = NUMBER.exec(text);
  const [mantissa, power] = match === null ? [] : canonical(text).split('e');
  if (mantissa === '0') return '0';
  const zeros = Number(power);
  return mantissa !== undefined && zeros >= 0 && zeros <= LARGEST_POWER
    ? mantissa + '0'.repeat(zeros)
    : undefined;
}

/** Beyond what any integer type holds. */
const LARGEST_POWER = 40;
