/** Cuts a batch into tokens: names, strings, numbers, variables and operators, without comments and white space. */
import { SqlFailure } from '../contract.ts';
import { syntaxFailure } from './failures.ts';

export type Token = {
  readonly kind:
    | 'word'
    | 'quotedName'
    | 'string'
    | 'nationalString'
    | 'number'
    | 'money'
    | 'binary'
    | 'variable'
    | 'operator'
    | 'end';
  /** Words, variables, numbers and operators as written; names and strings without their quotes. */
  readonly text: string;
  /** Of a word in upper case, otherwise the text. */
  readonly upper: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
};

const MAXIMAL_NAME_LENGTH = 128;
const WORD_START = /[\p{L}_#]/u;
const WORD = /[\p{L}\p{Nd}_@#$]+/uy;
const OPERATORS = ['<>', '<=', '>=', '!=', '!<', '!>', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '::'];
const SINGLE_OPERATORS = '+-*/%&|^~=<>(),.;:';
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d*)?/y;
const MONEY = /[$£¥€][ ]*(?:\d+(?:\.\d*)?|\.\d+)?/y;
const BINARY = /0[xX](?:[0-9A-Fa-f]|\\\r?\n)*/y;
const BLANKS = /[\s\ufeff]+/y;

/** The tokens of `text`, the last one of kind `end`. */
export function tokenize(text: string): readonly Token[] {
  return new Lexer(text).tokens();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): readonly Token[] {
    for (;;) {
      this.#skipBlanks();
      if (this.#at >= this.#text.length) break;
      this.#token();
    }
    this.#push('end', '', this.#at);
    return this.#tokens;
  }

  #push(kind: Token['kind'], text: string, start: number, line = this.#line): void {
    const upper = kind === 'word' ? text.toUpperCase() : text;
    this.#tokens.push({ kind, text, upper, line, start, end: this.#at });
  }

  #skipBlanks(): void {
    while (this.#at < this.#text.length) {
      BLANKS.lastIndex = this.#at;
      const blanks = BLANKS.exec(this.#text)?.[0];
      if (blanks !== undefined) this.#advance(this.#at + blanks.length);
      else if (this.#text.startsWith('--', this.#at)) this.#skipLine();
      else if (this.#text.startsWith('/*', this.#at)) this.#skipComment();
      else return;
    }
  }

  /** Goes on to `end`, and counts the lines between. */
  #advance(end: number): void {
    for (;;) {
      const feed = this.#text.indexOf('\n', this.#at);
      if (feed < 0 || feed >= end) break;
      this.#line++;
      this.#at = feed + 1;
    }
    this.#at = end;
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #skipComment(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      if (this.#text.startsWith('/*', this.#at)) {
        depth++;
        this.#at += 2;
      } else if (this.#text.startsWith('*/', this.#at)) {
        depth--;
        this.#at += 2;
        if (depth === 0) return;
      } else {
        if (this.#text[this.#at] === '\n') this.#line++;
        this.#at++;
      }
    }
    throw new SqlFailure(113, "Missing end comment mark '*/'.", { severity: 15, line: this.#line });
  }

  #token(): void {
    const start = this.#at;
    const character = this.#text[start]!;
    const next = this.#text[start + 1] ?? '';
    if (character === "'") this.#quoted("'", 'string', start);
    else if ((character === 'N' || character === 'n') && next === "'") {
      this.#at++;
      this.#quoted("'", 'nationalString', start);
    } else if (character === '[') this.#quoted(']', 'quotedName', start);
    else if (character === '"') this.#quoted('"', 'quotedName', start);
    else if (character === '@') this.#word('variable', start);
    else if (WORD_START.test(character)) this.#word('word', start);
    else if (character === '0' && (next === 'x' || next === 'X')) this.#match(BINARY, 'binary', start);
    else if (/\d/.test(character) || (character === '.' && /\d/.test(next) && !this.#afterName()))
      this.#match(NUMBER, 'number', start);
    else if (/[$£¥€]/.test(character)) this.#match(MONEY, 'money', start);
    else this.#operator(start);
  }

  /** Whether a name ended right here, so that a dot goes on with it. */
  #afterName(): boolean {
    const last = this.#tokens.at(-1);
    return (
      last !== undefined && last.end === this.#at && (last.kind === 'word' || last.kind === 'quotedName')
    );
  }

  #quoted(close: string, kind: 'string' | 'nationalString' | 'quotedName', start: number): void {
    const line = this.#line;
    const from = this.#at + 1;
    let content = '';
    let at = from;
    for (;;) {
      const end = this.#text.indexOf(close, at);
      if (end < 0) throw this.#unclosed(this.#text.slice(from), line);
      content += this.#text.slice(at, end);
      at = end + 1;
      if (this.#text[at] !== close) break;
      content += close;
      at++;
    }
    if (kind === 'quotedName') this.#checkName(content, line);
    if (content.includes('\n')) this.#advance(at);
    else this.#at = at;
    this.#push(kind, content, start, line);
  }

  #unclosed(content: string, line: number): SqlFailure {
    const message = `Unclosed quotation mark after the character string '${content}'.`;
    return new SqlFailure(105, message, { severity: 15, line });
  }

  #checkName(name: string, line: number): void {
    if (name === '')
      throw new SqlFailure(
        1038,
        'An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as "" or [] are not allowed. Change the alias to a valid name.',
        { severity: 15, line },
      );
    if (name.length <= MAXIMAL_NAME_LENGTH) return;
    const shown = name.slice(0, MAXIMAL_NAME_LENGTH);
    const message = `The identifier that starts with '${shown}' is too long. Maximum length is ${MAXIMAL_NAME_LENGTH}.`;
    throw new SqlFailure(103, message, { severity: 15, line });
  }

  #word(kind: 'word' | 'variable', start: number): void {
    WORD.lastIndex = start;
    const text = WORD.exec(this.#text)![0];
    this.#at = start + text.length;
    this.#checkName(text, this.#line);
    this.#push(kind, text, start);
  }

  #match(pattern: RegExp, kind: 'number' | 'money' | 'binary', start: number): void {
    pattern.lastIndex = start;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    this.#at = start + text.length;
    this.#push(kind, text, start);
  }

  #operator(start: number): void {
    const double = OPERATORS.find((operator) => this.#text.startsWith(operator, start));
    const text = double ?? this.#text[start]!;
    if (double === undefined && !SINGLE_OPERATORS.includes(text)) throw syntaxFailure(text, this.#line);
    this.#at = start + text.length;
    this.#push('operator', text, start);
  }
}
