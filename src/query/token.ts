/** What the lexer makes of a text. */
import type { ScalarValue } from '../schema/value.ts';

/** A bare word, which may turn out a keyword or a name; `name` has its escapes resolved. */
export type WordToken = {
  readonly kind: 'word';
  readonly name: string;
  readonly keyword: Keyword | undefined;
};
export type SymbolToken = { readonly kind: 'symbol'; readonly symbol: string };
/** A literal with its value. `decimal` is the spelling of a number that can be read as decimal128 as well. */
export type LiteralToken = {
  readonly kind: 'literal';
  readonly value: ScalarValue;
  readonly decimal?: string;
  /** What a string in base64 stands for where data is wanted. */
  readonly bytes?: Uint8Array;
};
/** `@count` and the like, without the `@`. */
export type OperatorToken = { readonly kind: 'operator'; readonly name: string };
/** `$0`. */
export type ArgumentToken = { readonly kind: 'argument'; readonly index: number };
/** `$K0`. */
export type KeyPathToken = { readonly kind: 'keyPath'; readonly index: number };
/** `%%user.custom_data.team`. */
export type VariableToken = { readonly kind: 'variable'; readonly path: readonly string[] };
/** `O12` and `L3:12`, which mean an object inside one client's file only. */
export type ObjectKeyToken = { readonly kind: 'objectKey' };
export type EndToken = { readonly kind: 'end' };

export type Token = { readonly at: number; readonly end: number } & (
  | WordToken
  | SymbolToken
  | LiteralToken
  | OperatorToken
  | ArgumentToken
  | KeyPathToken
  | VariableToken
  | ObjectKeyToken
  | EndToken
);

export type Keyword =
  | 'and'
  | 'or'
  | 'not'
  | 'in'
  | 'any'
  | 'all'
  | 'none'
  | 'beginswith'
  | 'endswith'
  | 'contains'
  | 'like'
  | 'text'
  | 'between'
  | 'geowithin'
  | 'truepredicate'
  | 'falsepredicate'
  | 'sort'
  | 'distinct'
  | 'limit'
  | 'binary'
  | 'obj'
  | 'ascending'
  | 'descending'
  | 'subquery'
  | 'first'
  | 'last'
  | 'size';

/** Spelled in any mixture of cases. */
const ANY_CASE: ReadonlyMap<string, Keyword> = new Map([
  ['and', 'and'],
  ['or', 'or'],
  ['beginswith', 'beginswith'],
  ['endswith', 'endswith'],
  ['contains', 'contains'],
  ['like', 'like'],
  ['text', 'text'],
  ['between', 'between'],
  ['geowithin', 'geowithin'],
  ['truepredicate', 'truepredicate'],
  ['falsepredicate', 'falsepredicate'],
  ['sort', 'sort'],
  ['distinct', 'distinct'],
  ['limit', 'limit'],
  ['bin', 'binary'],
  ['binary', 'binary'],
  ['obj', 'obj'],
  ['asc', 'ascending'],
  ['ascending', 'ascending'],
  ['desc', 'descending'],
  ['descending', 'descending'],
  ['subquery', 'subquery'],
] satisfies [string, Keyword][]);

/** Spelled all in small or all in capital letters; in a mixture they are names. */
const UNIFORM_CASE: ReadonlyMap<string, Keyword> = new Map([
  ['in', 'in'],
  ['not', 'not'],
  ['any', 'any'],
  ['some', 'any'],
  ['all', 'all'],
  ['none', 'none'],
  ['first', 'first'],
  ['last', 'last'],
  ['size', 'size'],
] satisfies [string, Keyword][]);

/** Keywords that name a property where no operator can stand. */
export const KEYWORDS_AS_NAMES: ReadonlySet<Keyword> = new Set<Keyword>([
  'beginswith',
  'endswith',
  'contains',
  'like',
  'between',
  'sort',
  'distinct',
  'limit',
  'ascending',
  'descending',
  'in',
  'text',
  'binary',
  'first',
  'last',
  'size',
  'geowithin',
]);

export function keywordOf(word: string): Keyword | undefined {
  const lower = word.toLowerCase();
  const inAnyCase = ANY_CASE.get(lower);
  if (inAnyCase !== undefined) return inAnyCase;
  const uniform = UNIFORM_CASE.get(lower);
  return uniform !== undefined && (word === lower || word === word.toUpperCase()) ? uniform : undefined;
}
