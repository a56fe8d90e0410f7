/** Text to tokens: the longest spelling wins, as in the lexer of the SDKs. */
import { decimalFromText } from '../schema/decimal128.ts';
import { NULL, type ScalarValue } from '../schema/value.ts';
import { ValueError } from '../schema/value-error.ts';
import { MAX_TEXT_LENGTH } from './limits.ts';
import { dateValue, numberValue } from './literal-text.ts';
import { QueryError } from './query-error.ts';
import { quotedText } from './quoted-text.ts';
import { keywordOf, type LiteralToken, type Token } from './token.ts';

const BLANK = /[ \t\r\n]+/y;
const WORD = /[a-zA-Z_$\u0080-\uffff](?:[a-zA-Z_\-$0-9\u0080-\uffff]|\\[ nrt])*/y;
const DATE = /T[+-]?\d+:[+-]?\d+|\d+-\d+-\d+[@T]\d+:\d+:\d+(?::\d+)?/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?f?/y;
const SIGNED_SPECIAL = /[+-](?:infinity|inf|nan)(?![a-zA-Z_\-$0-9])/iy;
const SYMBOL = /==|!=|<>|<=|=<|>=|=>|&&|\|\||[=<>!+\-*/[\],(){}.]/y;
const CASELESS = /\[c\]/y;
const OPERATOR = /@[a-zA-Z]+/y;
const BASE64 = /B64"([a-zA-Z0-9/+=]*)"/y;
const TYPED_LINK = /L\d+:\d+/y;
const UUID = /uuid\(([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\)/y;
const OBJECT_ID = /oid\(([0-9a-fA-F]{24})\)/y;
const DECIMAL = /decimal128\(([0-9a-zA-Z.+-]+)\)/y;
const VARIABLE = /%%[a-zA-Z_][a-zA-Z_0-9]*(?:\.[a-zA-Z_][a-zA-Z_\-0-9]*)*/y;

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['count', 'size'],
  ['size', 'size'],
  ['max', 'max'],
  ['min', 'min'],
  ['sum', 'sum'],
  ['avg', 'avg'],
  ['links', 'links'],
  ['type', 'type'],
  ['keys', 'keys'],
  ['values', 'values'],
]);

const SPELLED: ReadonlyMap<string, string> = new Map([
  ['=', '=='],
  ['<>', '!='],
  ['=<', '<='],
  ['=>', '>='],
]);

const WORD_VALUES: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ['null', NULL],
  ['nil', NULL],
  ['inf', { type: 'double', value: Number.POSITIVE_INFINITY }],
  ['infinity', { type: 'double', value: Number.POSITIVE_INFINITY }],
  ['nan', { type: 'double', value: Number.NaN }],
]);

/** Throws `QueryError` at the first character that begins no token. The last token is of kind `end`. */
export function lex(text: string): Token[] {
  if (text.length > MAX_TEXT_LENGTH)
    throw new QueryError(text, MAX_TEXT_LENGTH, `the query is longer than ${MAX_TEXT_LENGTH} characters`);
  const tokens: Token[] = [];
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at, tokens.at(-1));
    tokens.push(token);
    at = skipBlank(text, token.end);
  }
  tokens.push({ kind: 'end', at: text.length, end: text.length });
  return tokens;
}

function skipBlank(text: string, at: number): number {
  return at + (matchAt(BLANK, text, at)?.[0].length ?? 0);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function tokenAt(text: string, at: number, before: Token | undefined): Token {
  const first = text[at]!;
  if (first === '"' || first === "'") return quoted(text, at);
  if (first === '@') return operator(text, at);
  if (first === '%') return variable(text, at);
  if (/[0-9.+-]/.test(first)) return numeric(text, at, before) ?? symbol(text, at);
  if (/[a-zA-Z_$\u0080-\uffff]/.test(first)) return word(text, at);
  return symbol(text, at);
}

function quoted(text: string, at: number): Token {
  const { value, end } = quotedText(text, at);
  return literal(at, end, { type: 'string', value });
}

function literal(at: number, end: number, value: ScalarValue, decimal?: string): Token & LiteralToken {
  return { kind: 'literal', at, end, value, ...(decimal === undefined ? {} : { decimal }) };
}

function operator(text: string, at: number): Token {
  const found = matchAt(OPERATOR, text, at)?.[0] ?? '@';
  const name = OPERATORS.get(found.slice(1));
  if (name === undefined)
    throw new QueryError(text, at, `'${found}' is none of @${[...OPERATORS.keys()].join(', @')}`);
  return { kind: 'operator', at, end: at + found.length, name };
}

/** `%%user.custom_data['my team']`: names by dots or in brackets. */
function variable(text: string, at: number): Token {
  const found = matchAt(VARIABLE, text, at)?.[0];
  if (found === undefined)
    throw new QueryError(text, at, "'%' begins a variable such as %%user.id, which this is not");
  const path = found.slice(2).split('.');
  let end = at + found.length;
  while (text[end] === '[' && (text[end + 1] === '"' || text[end + 1] === "'")) {
    const key = quotedText(text, end + 1);
    if (text[key.end] !== ']') throw new QueryError(text, key.end, "expected ']'");
    path.push(key.value);
    end = key.end + 1;
    const more = matchAt(/(?:\.[a-zA-Z_][a-zA-Z_\-0-9]*)+/y, text, end)?.[0];
    if (more !== undefined) {
      path.push(...more.slice(1).split('.'));
      end += more.length;
    }
  }
  return { kind: 'variable', at, end, path };
}

/** A sign belongs to the number where a value is expected, and is an operator behind a value. */
function numeric(text: string, at: number, before: Token | undefined): Token | undefined {
  const date = matchAt(DATE, text, at)?.[0];
  if (date !== undefined) return dateToken(text, at, date);
  if (/[+-]/.test(text[at]!) && before !== undefined && endsValue(before)) return undefined;
  const special = matchAt(SIGNED_SPECIAL, text, at)?.[0];
  if (special !== undefined) return specialNumber(at, special);
  const found = matchAt(NUMBER, text, at)?.[0];
  if (found === undefined) return undefined;
  const number = numberValue(found);
  if (number === undefined) throw new QueryError(text, at, `'${found}' is no 64-bit integer`);
  return literal(at, at + found.length, number.value, number.decimal);
}

function endsValue(token: Token): boolean {
  if (token.kind === 'symbol') return token.symbol === ')' || token.symbol === ']' || token.symbol === '}';
  return token.kind !== 'word' || token.keyword === undefined;
}

function specialNumber(at: number, spelling: string): Token {
  const value = /nan/i.test(spelling)
    ? Number.NaN
    : spelling.startsWith('-')
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY;
  return literal(at, at + spelling.length, { type: 'double', value });
}

function dateToken(text: string, at: number, spelling: string): Token {
  const value = dateValue(spelling);
  if (typeof value === 'string') throw new QueryError(text, at, value);
  return literal(at, at + spelling.length, value);
}

function word(text: string, at: number): Token {
  const special = beginsLiteral(text, at);
  if (special !== undefined) return special;
  const found = matchAt(WORD, text, at)![0];
  const end = at + found.length;
  if (text[end] === '(') {
    const value = wrappedLiteral(text, at, found);
    if (value !== undefined) return value;
  }
  if (/^O\d+$/.test(found)) return { kind: 'objectKey', at, end };
  const argument = /^\$(K?)(\d+)$/.exec(found);
  if (argument !== null)
    return { kind: argument[1] === '' ? 'argument' : 'keyPath', at, end, index: Number(argument[2]) };
  const value = wordValue(found);
  if (value !== undefined) return literal(at, end, value);
  return { kind: 'word', at, end, name: unescaped(found), keyword: keywordOf(found) };
}

/** Literals that begin like a word: `B64"…"`, `T1:2`, `L3:12`. */
function beginsLiteral(text: string, at: number): Token | undefined {
  switch (text[at]) {
    case 'B': {
      const base64 = matchAt(BASE64, text, at);
      return base64 === null ? undefined : base64String(text, at, base64);
    }
    case 'T': {
      const date = matchAt(DATE, text, at)?.[0];
      return date === undefined ? undefined : dateToken(text, at, date);
    }
    case 'L': {
      const link = matchAt(TYPED_LINK, text, at)?.[0];
      return link === undefined ? undefined : { kind: 'objectKey', at, end: at + link.length };
    }
    default:
      return undefined;
  }
}

function wordValue(found: string): ScalarValue | undefined {
  if (found === 'true' || found === 'TRUE') return { type: 'bool', value: true };
  if (found === 'false' || found === 'FALSE') return { type: 'bool', value: false };
  return WORD_VALUES.get(found.toLowerCase());
}

function unescaped(name: string): string {
  if (!name.includes('\\')) return name;
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return name.replace(/\\(.)/g, (_, letter: string) => letters[letter] ?? letter);
}

function base64String(text: string, at: number, match: RegExpExecArray): Token {
  const encoded = match[1]!;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, ''))
    throw new QueryError(text, at, 'this is no valid base64');
  return { ...literal(at, at + match[0].length, { type: 'string', value: bytes.toString('utf8') }), bytes };
}

/** `uuid(…)`, `oid(…)` and `decimal128(…)`. */
function wrappedLiteral(text: string, at: number, name: string): Token | undefined {
  if (name === 'uuid') {
    const match = matchAt(UUID, text, at);
    if (match === null)
      throw new QueryError(text, at, 'a UUID has 32 hexadecimal digits in the form 8-4-4-4-12');
    return literal(at, at + match[0].length, { type: 'uuid', value: match[1]!.toLowerCase() });
  }
  if (name === 'oid') {
    const match = matchAt(OBJECT_ID, text, at);
    if (match === null) throw new QueryError(text, at, 'an ObjectId has 24 hexadecimal digits');
    return literal(at, at + match[0].length, { type: 'objectId', value: match[1]!.toLowerCase() });
  }
  if (name !== 'decimal128') return undefined;
  const match = matchAt(DECIMAL, text, at);
  return literal(at, at + (match?.[0].length ?? 0), decimal(text, at, match?.[1] ?? ''));
}

function decimal(text: string, at: number, digits: string): ScalarValue {
  try {
    return decimalFromText(digits);
  } catch (cause) {
    if (cause instanceof ValueError) throw new QueryError(text, at, cause.message);
    throw cause;
  }
}

function symbol(text: string, at: number): Token {
  const caseless = matchAt(CASELESS, text, at)?.[0];
  if (caseless !== undefined) return { kind: 'symbol', at, end: at + 3, symbol: '[c]' };
  const found = matchAt(SYMBOL, text, at)?.[0];
  if (found === undefined)
    throw new QueryError(
      text,
      at,
      `${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))} begins nothing that a query can contain`,
    );
  return { kind: 'symbol', at, end: at + found.length, symbol: SPELLED.get(found) ?? found };
}
