/** What a conversion depends on besides the value and its types, and the failures that conversions share. */
import { SqlFailure, type SqlType } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import type { DateFormat } from './date-parse.ts';
import { messageName } from './type-names.ts';

export type ConversionContext = {
  /** Of the character type converted to, or from when the target has none. */
  readonly collation: string;
  readonly dateFormat: DateFormat;
  /** The third argument of CONVERT. */
  readonly style?: number | undefined;
};

export function conversionFailure(number: number, message: string, state = 1): SqlFailure {
  return new SqlFailure(number, message, { state, line: LINE_OF_STATEMENT });
}

/** 8115: the value does not fit; `source` is the source's type, or `expression`. */
export function overflow(source: SqlType | 'expression', target: SqlType): SqlFailure {
  const from = source === 'expression' ? source : messageName(source);
  return conversionFailure(
    8115,
    `Arithmetic overflow error converting ${from} to data type ${messageName(target)}.`,
    2,
  );
}

/** 8114: the text is not of the target's form. */
export function errorConverting(source: SqlType, target: SqlType): SqlFailure {
  return conversionFailure(
    8114,
    `Error converting data type ${messageName(source)} to ${messageName(target)}.`,
    5,
  );
}

/** 529: there is no such conversion. */
export function notAllowed(source: SqlType, target: SqlType): SqlFailure {
  const message = `Explicit conversion from data type ${messageName(source)} to ${messageName(target)} is not allowed.`;
  return conversionFailure(529, message, 2);
}
