/** Paths such as `owner.dogs[FIRST].@links.Vet.patients.@count`. */
import type { Substitution } from './substitution.ts';
import type { AggregateOperator, PathElement, PathEnding, PathNode } from './syntax.ts';
import { KEYWORDS_AS_NAMES, type Token } from './token.ts';
import type { TokenReader } from './token-reader.ts';

export function parsePath(reader: TokenReader, substitution: Substitution): PathNode {
  const { at } = reader.token;
  const elements: PathElement[] = [...firstElements(reader, substitution)];
  for (;;) {
    if (reader.isSymbol('[')) {
      const element = bracket(reader, substitution);
      if (element === undefined) return { kind: 'path', at, elements, ending: sizeInBrackets(reader) };
      elements.push(element);
      continue;
    }
    if (!reader.takeSymbol('.')) return { kind: 'path', at, elements };
    const ending = endingAt(reader);
    if (ending !== undefined) return { kind: 'path', at, elements, ending };
    elements.push(dotted(reader));
  }
}

function firstElements(reader: TokenReader, substitution: Substitution): readonly PathElement[] {
  const { token } = reader;
  if (token.kind === 'keyPath') {
    reader.next();
    return substitution.keyPath(token).map((name) => named(name, token.at));
  }
  if (token.kind === 'operator') {
    if (token.name !== 'links') throw reader.expected('the name of a property');
    reader.next();
    return [{ kind: 'links', at: token.at }];
  }
  if (token.kind !== 'word' || (token.keyword !== undefined && !canBeName(token)))
    throw reader.expected('the name of a property');
  reader.next();
  return [{ kind: 'name', at: token.at, name: token.name }];
}

function canBeName(token: Extract<Token, { kind: 'word' }>): boolean {
  return token.keyword === undefined || token.keyword === 'obj' || KEYWORDS_AS_NAMES.has(token.keyword);
}

function named(name: string, at: number): PathElement {
  switch (name) {
    case '@links':
      return { kind: 'links', at };
    case '@keys':
      return { kind: 'keys', at };
    case '@values':
      return { kind: 'values', at };
    default:
      return { kind: 'name', at, name };
  }
}

/** Behind a dot every word is a name. */
function dotted(reader: TokenReader): PathElement {
  const { token } = reader;
  if (token.kind === 'word') {
    reader.next();
    return { kind: 'name', at: token.at, name: token.name };
  }
  if (
    token.kind === 'operator' &&
    (token.name === 'links' || token.name === 'keys' || token.name === 'values')
  ) {
    reader.next();
    return { kind: token.name, at: token.at };
  }
  throw reader.expected('the name of a property');
}

function endingAt(reader: TokenReader): PathEnding | undefined {
  const { token } = reader;
  if (token.kind !== 'operator') return undefined;
  const { at, name } = token;
  switch (name) {
    case 'size':
    case 'type':
      reader.next();
      if (reader.isSymbol('.')) throw reader.expected('a comparison operator');
      return { kind: name, at };
    case 'min':
    case 'max':
    case 'sum':
    case 'avg':
      reader.next();
      return aggregate(reader, at, name);
    default:
      return undefined;
  }
}

function aggregate(reader: TokenReader, at: number, operator: AggregateOperator): PathEnding {
  if (!reader.takeSymbol('.')) return { kind: 'aggregate', at, operator };
  const { token } = reader;
  if (token.kind !== 'word') throw reader.expected('the name of a property');
  reader.next();
  if (reader.isSymbol('.')) throw reader.expected('a comparison operator');
  return { kind: 'aggregate', at, operator, property: token.name };
}

/** An element in brackets, or undefined for `[SIZE]`, which is still to be read. */
function bracket(reader: TokenReader, substitution: Substitution): PathElement | undefined {
  const { following } = reader;
  if (following.kind === 'word' && following.keyword === 'size') return undefined;
  reader.next();
  const element = bracketed(reader, substitution);
  reader.expectSymbol(']');
  return element;
}

function sizeInBrackets(reader: TokenReader): PathEnding {
  const { at } = reader.next();
  reader.next();
  reader.expectSymbol(']');
  return { kind: 'size', at };
}

function bracketed(reader: TokenReader, substitution: Substitution): PathElement {
  const { token } = reader;
  const { at } = token;
  if (reader.takeSymbol('*')) return { kind: 'every', at };
  if (reader.takeKeyword('first')) return { kind: 'index', at, index: 0 };
  if (reader.takeKeyword('last')) return { kind: 'index', at, index: -1 };
  if (token.kind === 'argument') {
    reader.next();
    const index = substitution.index(token);
    return typeof index === 'number' ? { kind: 'index', at, index } : { kind: 'key', at, key: index };
  }
  if (token.kind === 'literal' && token.value.type === 'string') {
    reader.next();
    return { kind: 'key', at, key: token.value.value };
  }
  if (token.kind === 'literal' && token.value.type === 'int') {
    const { value } = token.value;
    if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw reader.fault(at, 'an index is at least 0');
    reader.next();
    return { kind: 'index', at, index: Number(value) };
  }
  throw reader.expected('an index, a key in quotes, FIRST, LAST, SIZE or *');
}
