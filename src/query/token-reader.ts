/** Walking over tokens, and the errors for those that are not what was expected. */
import { lex } from './lexer.ts';
import { MAX_NESTING, MAX_SHOWN_TOKEN } from './limits.ts';
import { QueryError } from './query-error.ts';
import type { Keyword, Token } from './token.ts';

export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
    this.#tokens = lex(text);
  }

  get token(): Token {
    return this.#tokens[this.#at]!;
  }

  get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.token;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  isSymbol(symbol: string): boolean {
    return this.token.kind === 'symbol' && this.token.symbol === symbol;
  }

  isKeyword(keyword: Keyword): boolean {
    return this.token.kind === 'word' && this.token.keyword === keyword;
  }

  takeSymbol(symbol: string): boolean {
    const is = this.isSymbol(symbol);
    if (is) this.#at += 1;
    return is;
  }

  takeKeyword(keyword: Keyword): boolean {
    const is = this.isKeyword(keyword);
    if (is) this.#at += 1;
    return is;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.expected(`'${symbol}'`);
  }

  /** Runs `read` one level deeper. Throws `QueryError` beyond the limit. */
  nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw this.tooDeep();
    const result = read();
    this.#depth -= 1;
    return result;
  }

  tooDeep(): QueryError {
    return this.fault(this.token.at, `the query is nested more than ${MAX_NESTING} levels deep`);
  }

  /** The error for a token that cannot stand where it stands. */
  expected(what: string): QueryError {
    return this.fault(this.token.at, `expected ${what}, found ${this.#shown()}`);
  }

  fault(at: number, reason: string): QueryError {
    return new QueryError(this.text, at, reason);
  }

  #shown(): string {
    const { kind, at, end } = this.token;
    if (kind === 'end') return 'the end of the query';
    const spelling = this.text.slice(at, Math.min(end, at + MAX_SHOWN_TOKEN));
    return `'${spelling}${end - at > MAX_SHOWN_TOKEN ? '…' : ''}'`;
  }
}
