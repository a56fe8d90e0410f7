/** Constants, with the types that their notation gives them. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { Expression } from '../ast.ts';
import type { Token } from '../lexer.ts';

const LARGEST_INT = 2_147_483_647n;
const MAXIMAL_PRECISION = 38;
const MAXIMAL_VARCHAR = 8000;
const MAXIMAL_NVARCHAR = 4000;
const MONEY_SCALE = 4;

/** The constant that `token` is; `undefined` when it is none. */
export function literalOf(token: Token): Expression | undefined {
  const line = token.line;
  const literal = (type: SqlType, value: Datum): Expression => ({ kind: 'literal', line, type, value });
  switch (token.kind) {
    case 'string':
      return literal({ kind: 'varchar', length: lengthOf(token.text.length, MAXIMAL_VARCHAR) }, token.text);
    case 'nationalString':
      return literal({ kind: 'nvarchar', length: lengthOf(token.text.length, MAXIMAL_NVARCHAR) }, token.text);
    case 'binary': {
      const bytes = bytesOf(token.text);
      return literal({ kind: 'varbinary', length: lengthOf(bytes.length, MAXIMAL_VARCHAR) }, bytes);
    }
    case 'money':
      return literal({ kind: 'money' }, moneyOf(token.text));
    case 'number':
      return numberOf(token, literal);
    default:
      return undefined;
  }
}

function lengthOf(length: number, maximum: number): number | 'max' {
  return length > maximum ? 'max' : Math.max(length, 1);
}

function numberOf(token: Token, literal: (type: SqlType, value: Datum) => Expression): Expression {
  const text = token.text;
  if (/[eE]/.test(text)) {
    const value = Number(text.replace(/[eE][+-]?$/, ''));
    if (Number.isFinite(value)) return literal({ kind: 'float' }, value);
    const message = `The number '${text}' is out of the range for floating point representation.`;
    throw new SqlFailure(168, message, { severity: 15, line: token.line });
  }
  const [whole = '', fraction = ''] = text.split('.');
  const units = BigInt(`${whole}${fraction}` || '0');
  if (!text.includes('.') && units <= LARGEST_INT) return literal({ kind: 'int' }, units);
  const digits = whole.replace(/^0+/, '').length;
  const precision = Math.max(digits + fraction.length, 1);
  if (precision > MAXIMAL_PRECISION) {
    const message = `The number '${text}' is out of the range for numeric representation (maximum precision ${MAXIMAL_PRECISION}).`;
    throw new SqlFailure(1007, message, { severity: 15, line: token.line });
  }
  return literal({ kind: 'decimal', precision, scale: fraction.length }, units);
}

function bytesOf(text: string): Uint8Array {
  const digits = text.slice(2).replace(/\\\r?\n/g, '');
  return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}

function moneyOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.slice(1).trim().split('.');
  const rounded = BigInt(`${whole || '0'}${fraction.padEnd(MONEY_SCALE + 1, '0').slice(0, MONEY_SCALE + 1)}`);
  return (rounded + 5n) / 10n;
}
