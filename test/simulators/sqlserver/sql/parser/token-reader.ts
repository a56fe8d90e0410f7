/** Reads tokens one after the other, and says what is wrong with them as SQL Server does. */
import { SqlFailure } from '../../contract.ts';
import { keywordFailure, syntaxFailure } from '../failures.ts';
import { RESERVED_WORDS } from '../keywords.ts';
import { type Token, tokenize } from '../lexer.ts';

export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.text = text;
    this.#tokens = tokenize(text);
  }

  get token(): Token {
    return this.#tokens[this.#at]!;
  }

  get line(): number {
    return this.token.line;
  }

  /** The position that {@link sourceSince} begins at. */
  get position(): number {
    return this.token.start;
  }

  ahead(count: number): Token {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** What was written from `position` up to the last token taken. */
  sourceSince(position: number): string {
    return this.text.slice(position, this.#tokens[this.#at - 1]?.end ?? position);
  }

  get atEnd(): boolean {
    return this.token.kind === 'end';
  }

  /** Whether the next words are these, in upper case. */
  isWord(...words: readonly string[]): boolean {
    for (let index = 0; index < words.length; index++) {
      const token = this.ahead(index);
      if (token.kind !== 'word' || token.upper !== words[index]) return false;
    }
    return true;
  }

  isAnyWord(words: readonly string[]): boolean {
    return this.token.kind === 'word' && words.includes(this.token.upper);
  }

  acceptWord(...words: readonly string[]): boolean {
    if (!this.isWord(...words)) return false;
    this.#at += words.length;
    return true;
  }

  expectWord(...words: readonly string[]): void {
    for (const word of words) if (!this.acceptWord(word)) throw this.failure();
  }

  /** Takes one of the words and gives it, or fails. */
  expectAnyWord<Word extends string>(words: readonly Word[]): Word {
    const found = this.token.kind === 'word' ? words.find((word) => word === this.token.upper) : undefined;
    if (found === undefined) throw this.failure();
    this.take();
    return found;
  }

  isOperator(operator: string): boolean {
    return this.token.kind === 'operator' && this.token.text === operator;
  }

  acceptOperator(operator: string): boolean {
    if (!this.isOperator(operator)) return false;
    this.take();
    return true;
  }

  expectOperator(operator: string): void {
    if (!this.acceptOperator(operator)) throw this.failure();
  }

  /** Whether a name is next: one between brackets or quotes, or a word that is not reserved. */
  get isName(): boolean {
    return isName(this.token);
  }

  expectName(): string {
    if (!this.isName) throw this.failure();
    return this.take().text;
  }

  /** A name or a string, where T-SQL takes both. */
  expectNameOrString(): string {
    if (this.token.kind === 'string' || this.token.kind === 'nationalString') return this.take().text;
    return this.expectName();
  }

  expectString(): string {
    if (this.token.kind !== 'string' && this.token.kind !== 'nationalString') throw this.failure();
    return this.take().text;
  }

  expectVariable(): string {
    if (this.token.kind !== 'variable' || this.token.text.startsWith('@@')) throw this.failure();
    return this.take().text;
  }

  /** A whole number, with its sign. */
  expectInteger(): bigint {
    const negative = this.acceptOperator('-');
    if (!negative) this.acceptOperator('+');
    if (this.token.kind !== 'number' || !/^\d+$/.test(this.token.text)) throw this.failure();
    const value = BigInt(this.take().text);
    return negative ? -value : value;
  }

  /** `ON` or `OFF`. */
  expectOnOff(): boolean {
    return this.expectAnyWord(['ON', 'OFF']) === 'ON';
  }

  /** `( item, item … )`. */
  list<Item>(item: () => Item): readonly Item[] {
    this.expectOperator('(');
    const items = this.separated(item);
    this.expectOperator(')');
    return items;
  }

  /** `item, item …`. */
  separated<Item>(item: () => Item): readonly Item[] {
    const items = [item()];
    while (this.acceptOperator(',')) items.push(item());
    return items;
  }

  names(): readonly string[] {
    return this.list(() => this.expectName());
  }

  /** The failure for the next token: 156 for a reserved word, 102 for anything else. */
  failure(token: Token = this.token): SqlFailure {
    if (token.kind === 'end') {
      const last = this.#tokens.at(-2);
      if (last === undefined) return syntaxFailure('', token.line);
      return isReserved(last) ? keywordFailure(last.text, last.line) : syntaxFailure(last.text, last.line);
    }
    return isReserved(token) ? keywordFailure(token.text, token.line) : syntaxFailure(token.text, token.line);
  }

  conditionExpected(): SqlFailure {
    const near = this.atEnd ? (this.#tokens.at(-2)?.text ?? '') : this.token.text;
    const message = `An expression of non-boolean type specified in a context where a condition is expected, near '${near}'.`;
    return new SqlFailure(4145, message, { severity: 15, line: this.line });
  }
}

export function isName(token: Token): boolean {
  return token.kind === 'quotedName' || (token.kind === 'word' && !isReserved(token));
}

export function isReserved(token: Token): boolean {
  return token.kind === 'word' && RESERVED_WORDS.has(token.upper);
}
