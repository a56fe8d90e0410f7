/** Numbers as text and text as numbers. */
import { decimalText, rescale } from './decimal-arithmetic.ts';

const MONEY_SCALE = 4;
const DEFAULT_DIGITS = 6;
const REAL_DIGITS = 9;
const FLOAT_DIGITS = 17;
/** Below this exponent, and from DEFAULT_DIGITS on, a number is written with an exponent. */
const SMALLEST_PLAIN_EXPONENT = -4;

/** money: two digits; style 1 with commas; styles 2 and 126 with four digits. */
export function formatMoney(units: bigint, style = 0): string {
  if (style === 2 || style === 126) return decimalText(units, MONEY_SCALE);
  const text = decimalText(rescale(units, MONEY_SCALE, 2), 2);
  return style === 1 ? text.replace(/\B(?=(\d{3})+\.)/g, ',') : text;
}

/** float and real: six digits; style 1 with eight, 2 with sixteen, 3 with all that tell two values apart. */
export function formatFloat(value: number, single: boolean, style = 0): string {
  switch (style) {
    case 1:
      return exponential(value, 8);
    case 2:
      return exponential(value, 16);
    case 3:
    case 128:
      return exponential(value, single ? REAL_DIGITS : FLOAT_DIGITS);
    default:
      return general(value);
  }
}

function exponential(value: number, digits: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
  const sign = exponent.startsWith('-') ? '-' : '+';
  const minus = Object.is(value, -0) ? '-' : '';
  return `${minus}${mantissa}e${sign}${exponent.replace(/^[+-]/, '').padStart(3, '0')}`;
}

function general(value: number): string {
  if (value === 0) return '0';
  const text = exponential(value, DEFAULT_DIGITS);
  const [mantissa = '', exponent = ''] = text.split('e');
  const power = Number(exponent);
  if (power < SMALLEST_PLAIN_EXPONENT || power >= DEFAULT_DIGITS)
    return `${mantissa.replace(/\.?0+$/, '')}e${exponent}`;
  const plain = value.toFixed(Math.max(DEFAULT_DIGITS - 1 - power, 0));
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

/** `undefined` when the text is no whole number. An empty text is 0, and so is a sign alone. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^\s*([+-]?)\s*(\d*)\s*$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2] || '0');
  return match[1] === '-' ? -value : value;
}

/** Units and scale of a number with a point; `undefined` when the text is none. */
export function parseDecimal(text: string): { readonly units: bigint; readonly scale: number } | undefined {
  const match = /^\s*([+-]?)\s*(?:(\d+)(?:\.(\d*))?|\.(\d+))\s*$/.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? match[4] ?? '';
  const units = BigInt(`${match[2] ?? ''}${fraction}` || '0');
  return { units: match[1] === '-' ? -units : units, scale: fraction.length };
}

/** With a sign of currency and commas; `undefined` when the text is no amount. */
export function parseMoney(text: string): { readonly units: bigint; readonly scale: number } | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return { units: 0n, scale: 0 };
  const match = /^([+-]?)\s*[$£¥€]?\s*([+-]?)\s*([\d,]*(?:\.\d*)?)$/.exec(trimmed);
  if (match === null || !/\d/.test(match[3]!) || (match[1] !== '' && match[2] !== '')) return undefined;
  return parseDecimal(`${match[1]}${match[2]}${match[3]!.replaceAll(',', '')}`);
}

/** `undefined` when the text is no number. An empty text is 0. */
export function parseFloatText(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 0;
  if (!/^[+-]?\s*(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d*)?$/.test(trimmed)) return undefined;
  return Number(
    trimmed
      .replace(/\s/g, '')
      .replace(/[dD]/, 'e')
      .replace(/[eE][+-]?$/, ''),
  );
}
