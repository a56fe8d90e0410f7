/**
 * `money`: amounts whose unit is that of the locale in which the database's own sessions write them. Our sessions read
 * and write the `C` locale, in which every amount has two decimals; `places` says how many it truly has.
 */

import { decimalFromText } from '../../../src/connector/codec/decimal-text.ts';
import { misplaced } from '../../../src/connector/codec/misplaced.ts';
import { wholeDigits } from '../../../src/connector/codec/number-text.ts';
import type { ValueCodec } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { decimalToText } from '../../../src/schema/decimal128.ts';
import type { ValueType } from '../../../src/schema/value.ts';
import { doubleCodec } from './number-codecs.ts';

const AMOUNT = /^(-?)\$?([\d,]+)\.(\d\d)$/;
const NUMBER = /^[+-]?\d[\d,]*(?:\.\d+)?$/;
const C_PLACES = 2;
const SMALLEST = -(1n << 63n);
const LARGEST = (1n << 63n) - 1n;

/** Undefined for types that an amount cannot be. A string is the plain number, without currency sign or commas. */
export function moneyCodec(type: ValueType, places: number): ValueCodec | undefined {
  switch (type) {
    case 'decimal128':
      return {
        toRealm: (text) => decimalFromText(numberText(text, places)),
        toSql: (value) => {
          if (value.type !== type) throw misplaced(value.type);
          return amountText(decimalToText(value), places);
        },
      };
    case 'double': {
      const plain = doubleCodec('numeric');
      return {
        toRealm: (text) => plain.toRealm(numberText(text, places)),
        toSql: (value) => amountText(plain.toSql(value) ?? '', places),
      };
    }
    case 'string':
      return {
        toRealm: (text) => ({ type, value: numberText(text, places) }),
        toSql: (value) => {
          if (value.type !== type) throw misplaced(value.type);
          const bare = value.value.trim().replace('$', '');
          if (!NUMBER.test(bare)) throw new DataError('it is no amount of money');
          return amountText(bare.replaceAll(',', ''), places);
        },
      };
    default:
      return undefined;
  }
}

function numberText(text: string, places: number): string {
  const match = AMOUNT.exec(text);
  if (match === null) throw new DataError('it is no amount of money in the C locale');
  const [, sign, whole = '', cents] = match;
  return `${sign}${withPoint(`${whole.replaceAll(',', '')}${cents}`, places)}`;
}

function amountText(number: string, places: number): string {
  const digits = wholeDigits(`${number}e${places}`.replace(/e([+-]?\d+)e(\d+)$/i, sumOfExponents));
  if (digits === undefined) throw new DataError(`an amount of money has ${places} decimals here`);
  const units = BigInt(digits);
  if (units < SMALLEST || units > LARGEST) throw new DataError('beyond the range of money');
  const sign = units < 0n ? '-' : '';
  return sign + withPoint(String(units).replace('-', ''), C_PLACES);
}

function sumOfExponents(_: string, own: string, added: string): string {
  return `e${Number(own) + Number(added)}`;
}

/** The digits of a whole number with a point before the last `places` of them, without zeros at the front. */
function withPoint(digits: string, places: number): string {
  const padded = digits.replace(/^0+/, '').padStart(places + 1, '0');
  return places === 0 ? padded : `${padded.slice(0, -places)}.${padded.slice(-places)}`;
}
