/** Which conversions exist: by themselves, only through CAST and CONVERT, or not at all. */
import { SqlFailure, type SqlType } from '../../contract.ts';
import { notAllowed } from './conversion-context.ts';
import {
  isApproximate,
  isBinary,
  isCharacter,
  isDateOrTime,
  isLargeObject,
  isMoney,
  isNumeric,
  isOldDateTime,
} from './families.ts';
import { messageName } from './type-names.ts';

export type Convertibility = 'implicit' | 'explicit' | 'no';

/** Families between which the rules are the same. */
type Family =
  | 'number'
  | 'approximate'
  | 'money'
  | 'character'
  | 'binary'
  | 'oldDate'
  | 'newDate'
  | 'rowversion'
  | 'uniqueidentifier'
  | 'text'
  | 'image'
  | 'xml'
  | 'sql_variant'
  | 'hierarchyid';

function familyOf(type: SqlType): Family {
  if (isApproximate(type)) return 'approximate';
  if (isMoney(type)) return 'money';
  if (isNumeric(type)) return 'number';
  if (isCharacter(type)) return 'character';
  if (isBinary(type)) return 'binary';
  if (isOldDateTime(type)) return 'oldDate';
  if (isDateOrTime(type)) return 'newDate';
  if (isLargeObject(type)) return type.kind === 'image' ? 'image' : 'text';
  return type.kind as Family;
}

const IMPLICIT: Readonly<Record<Family, readonly Family[]>> = {
  number: ['number', 'approximate', 'money', 'character', 'binary', 'oldDate', 'rowversion', 'sql_variant'],
  approximate: ['number', 'approximate', 'money', 'character', 'oldDate', 'sql_variant'],
  money: ['number', 'approximate', 'money', 'binary', 'oldDate', 'rowversion', 'sql_variant'],
  character: [
    'number',
    'approximate',
    'money',
    'character',
    'oldDate',
    'newDate',
    'uniqueidentifier',
    'text',
    'image',
    'xml',
    'sql_variant',
    'hierarchyid',
  ],
  binary: [
    'number',
    'money',
    'character',
    'binary',
    'oldDate',
    'rowversion',
    'uniqueidentifier',
    'image',
    'xml',
    'sql_variant',
    'hierarchyid',
  ],
  oldDate: ['character', 'oldDate', 'newDate', 'sql_variant'],
  newDate: ['character', 'oldDate', 'newDate', 'sql_variant'],
  rowversion: ['number', 'money', 'character', 'binary', 'oldDate', 'rowversion', 'image'],
  uniqueidentifier: ['character', 'binary', 'uniqueidentifier', 'sql_variant'],
  text: ['character', 'text', 'xml'],
  image: ['binary', 'rowversion', 'image'],
  xml: ['xml'],
  sql_variant: ['sql_variant'],
  hierarchyid: ['hierarchyid'],
};
const EXPLICIT: Readonly<Record<Family, readonly Family[]>> = {
  number: [],
  approximate: ['binary'],
  money: ['character'],
  character: ['binary', 'rowversion'],
  binary: ['newDate'],
  oldDate: ['number', 'approximate', 'money', 'binary', 'rowversion'],
  newDate: ['binary'],
  rowversion: [],
  uniqueidentifier: [],
  text: [],
  image: ['xml'],
  xml: ['character', 'binary'],
  sql_variant: [
    'number',
    'approximate',
    'money',
    'character',
    'binary',
    'oldDate',
    'newDate',
    'uniqueidentifier',
  ],
  hierarchyid: ['character', 'binary'],
};

export function canConvert(from: SqlType, to: SqlType): Convertibility {
  if ((from.kind === 'date' && to.kind === 'time') || (from.kind === 'time' && to.kind === 'date'))
    return 'no';
  if (to.kind === 'sql_variant' && 'length' in from && from.length === 'max') return 'no';
  const [source, target] = [familyOf(from), familyOf(to)];
  if (IMPLICIT[source].includes(target)) return 'implicit';
  return EXPLICIT[source].includes(target) ? 'explicit' : 'no';
}

/** Throws 529 where not even CAST helps. */
export function checkExplicit(from: SqlType, to: SqlType, line: number): void {
  if (canConvert(from, to) !== 'no') return;
  const { number, message, state } = notAllowed(from, to);
  throw new SqlFailure(number, message, { state, line });
}

/** Throws 257 where CONVERT would be needed, 206 where nothing helps. */
export function checkImplicit(from: SqlType, to: SqlType, line: number): void {
  const found = canConvert(from, to);
  if (found === 'implicit') return;
  const [source, target] = [messageName(from), messageName(to)];
  if (found === 'no')
    throw new SqlFailure(206, `Operand type clash: ${source} is incompatible with ${target}`, {
      state: 2,
      line,
    });
  const message = `Implicit conversion from data type ${source} to ${target} is not allowed. Use the CONVERT function to run this query.`;
  throw new SqlFailure(257, message, { state: 3, line });
}
