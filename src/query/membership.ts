/** Whether a value is among constants, by hash: lists of ten thousand values come from clients. */
import { isSpecialDecimal } from '../schema/decimal128.ts';
import { keyToken, type ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { isInt64 } from './literal-text.ts';
import { approximate, compareNumbers, type NumericValue } from './numbers.ts';
import { foldCase } from './text-matching.ts';
import { equalValues, isNumeric } from './values.ts';

export type Membership = (value: StateValue) => boolean;

/** `caseless` compares strings and data without regard to case. */
export function membership(values: readonly ScalarValue[], caseless: boolean): Membership {
  const [only] = values;
  if (only !== undefined && values.length === 1 && !caseless) return single(only);
  const numbers = values.filter(isNumeric);
  const others = new Set(values.filter((value) => !isNumeric(value)).map((value) => token(value, caseless)));
  const isNumber = numbers.length === 0 ? () => false : numericMembership(numbers);
  const strings = new Set<string>();
  for (const value of values)
    if (value.type === 'string') strings.add(caseless ? foldCase(value.value) : value.value);
  return (value) => {
    if (value.type === 'string') return strings.has(caseless ? foldCase(value.value) : value.value);
    if (isNumeric(value)) return isNumber(value);
    return others.size > 0 && others.has(token(value, caseless));
  };
}

function single(constant: ScalarValue): Membership {
  switch (constant.type) {
    case 'null':
      return (value) => value.type === 'null';
    case 'string':
    case 'bool':
    case 'objectId':
    case 'uuid': {
      const { type, value: wanted } = constant;
      return (value) => value.type === type && value.value === wanted;
    }
    case 'int': {
      const wanted = constant.value;
      return (value) => (value.type === 'int' ? value.value === wanted : equalValues(value, constant));
    }
    default:
      return (value) => equalValues(value, constant);
  }
}

function numericMembership(numbers: readonly NumericValue[]): (value: NumericValue) => boolean {
  const integers = new Set<bigint>();
  const fractions = new Map<number, NumericValue[]>();
  for (const number of numbers) {
    const integer = asInteger(number);
    if (integer !== undefined) integers.add(integer);
    else {
      const nearest = approximate(number);
      fractions.set(nearest, [...(fractions.get(nearest) ?? []), number]);
    }
  }
  return (value) => {
    if (value.type === 'int') return integers.has(value.value);
    const integer = asInteger(value);
    if (integer !== undefined) return integers.has(integer);
    return fractions.get(approximate(value))?.some((number) => compareNumbers(number, value) === 0) ?? false;
  };
}

/** The number as an int64, if it is one exactly. */
export function asInteger(value: NumericValue): bigint | undefined {
  if (value.type === 'int') return value.value;
  const nearest = approximate(value);
  if (!Number.isInteger(nearest)) return undefined;
  // A decimal may lie beside its nearest double, by less than the distance of doubles.
  if (value.type !== 'decimal128') return isInt64(BigInt(nearest)) ? BigInt(nearest) : undefined;
  if (Math.abs(nearest) > 2 ** 63) return undefined;
  const { coefficient, exponent, negative } = value;
  const power = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && coefficient % power !== 0n) return undefined;
  const magnitude = exponent < 0 ? coefficient / power : coefficient * power;
  const integer = negative ? -magnitude : magnitude;
  return isInt64(integer) ? integer : undefined;
}

/** Equal for equal values that are no numbers. */
function token(value: StateValue, caseless: boolean): string {
  switch (value.type) {
    case 'null':
      return 'n';
    case 'bool':
      return value.value ? 't' : 'f';
    case 'string':
      return `s${caseless ? foldCase(value.value) : value.value}`;
    case 'objectId':
      return `o${value.value}`;
    case 'uuid':
      return `u${value.value}`;
    case 'date':
      return `d${value.seconds}:${value.nanoseconds}`;
    case 'data': {
      const text = Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength).toString(
        'latin1',
      );
      return `b${caseless ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text}`;
    }
    case 'link':
      return `l${value.table}\0${keyToken(value.key)}`;
    default:
      return 'x';
  }
}

/** Equal for equal values of any kind, including all NaN: what DISTINCT tells values apart by. */
export function identity(value: StateValue): string {
  if (!isNumeric(value)) return token(value, false);
  const integer = asInteger(value);
  if (integer !== undefined) return `#${integer}`;
  if (value.type !== 'decimal128') return `#${value.value}`;
  const nearest = approximate(value);
  const isDouble = isSpecialDecimal(value) || compareNumbers(value, { type: 'double', value: nearest }) === 0;
  return isDouble ? `#${nearest}` : decimalIdentity(value);
}

function decimalIdentity({
  coefficient,
  exponent,
  negative,
}: Extract<NumericValue, { type: 'decimal128' }>): string {
  let digits = coefficient;
  let power = exponent;
  while (digits !== 0n && digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return `#${negative ? '-' : ''}${digits}e${power}`;
}
