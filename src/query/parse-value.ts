/** Values: literals, lists, paths with their endings, subqueries. */
import { parsePath } from './parse-path.ts';
import type { Substitution } from './substitution.ts';
import type { ListNode, LiteralNode, PredicateNode, Quantifier, ValueNode } from './syntax.ts';
import { KEYWORDS_AS_NAMES } from './token.ts';
import type { TokenReader } from './token-reader.ts';

/** Anything that is a value without parentheses around it. */
export function parsePrimary(
  reader: TokenReader,
  substitution: Substitution,
  predicate: () => PredicateNode,
): ValueNode {
  const { token } = reader;
  switch (token.kind) {
    case 'literal':
    case 'argument':
    case 'variable':
      return parseConstant(reader, substitution);
    case 'objectKey':
      reader.next();
      return { kind: 'objectKey', at: token.at, text: reader.text.slice(token.at, token.end) };
    case 'keyPath':
    case 'operator':
      return parsePath(reader, substitution);
    case 'symbol':
      if (token.symbol === '{') return parseList(reader, substitution);
      throw reader.expected('a value');
    case 'end':
      throw reader.expected('a value');
    case 'word':
      return parseWord(reader, substitution, predicate);
  }
}

function parseWord(
  reader: TokenReader,
  substitution: Substitution,
  predicate: () => PredicateNode,
): ValueNode {
  const { token, following } = reader;
  if (token.kind !== 'word') throw reader.expected('a value');
  const opens = following.kind === 'symbol' && following.symbol === '(';
  switch (token.keyword) {
    case 'any':
    case 'all':
    case 'none':
      return parseQuantified(reader, substitution, token.keyword);
    case 'subquery':
      return parseSubquery(reader, substitution, predicate);
    case 'obj':
      return opens ? parseObject(reader, substitution) : parsePath(reader, substitution);
    case 'binary':
      return opens ? parseBinary(reader) : parsePath(reader, substitution);
    case undefined:
      if (opens) throw reader.fault(token.at, `'${token.name}' is no function`);
      return parsePath(reader, substitution);
    default:
      if (!KEYWORDS_AS_NAMES.has(token.keyword)) throw reader.expected('a value');
      return parsePath(reader, substitution);
  }
}

function parseQuantified(reader: TokenReader, substitution: Substitution, quantifier: Quantifier): ValueNode {
  const { at } = reader.next();
  if (reader.isSymbol('{')) return { ...parseList(reader, substitution), at, quantifier };
  const { token } = reader;
  if (token.kind === 'argument' || token.kind === 'variable' || token.kind === 'literal') {
    const value = parseConstant(reader, substitution);
    if (value.kind === 'list') return { ...value, at, quantifier };
    throw reader.fault(token.at, `${quantifier.toUpperCase()} needs a list, and this is a single value`);
  }
  return { ...parsePath(reader, substitution), at, quantifier };
}

/** A literal, an argument or a variable; the latter two may be lists. */
export function parseConstant(reader: TokenReader, substitution: Substitution): LiteralNode | ListNode {
  const token = reader.next();
  switch (token.kind) {
    case 'literal': {
      const { at, value, decimal, bytes } = token;
      return {
        kind: 'literal',
        at,
        value,
        ...(decimal === undefined ? {} : { decimal }),
        ...(bytes === undefined ? {} : { bytes }),
      };
    }
    case 'argument':
      return substitution.argument(token);
    case 'variable':
      return substitution.variable(token);
    default:
      throw reader.expected('a value');
  }
}

function parseList(reader: TokenReader, substitution: Substitution): ListNode {
  const { at } = reader.next();
  const items: LiteralNode[] = [];
  if (!reader.isSymbol('}')) {
    do items.push(...parseItem(reader, substitution));
    while (reader.takeSymbol(','));
  }
  if (!reader.takeSymbol('}')) throw reader.expected("',' or '}'");
  return { kind: 'list', at, items };
}

/** One element of a list in braces; an argument that is itself a list stands for its elements. */
function parseItem(reader: TokenReader, substitution: Substitution): readonly LiteralNode[] {
  const { token } = reader;
  if (token.kind === 'objectKey') throw reader.fault(token.at, OBJECT_KEY_FAULT);
  if (token.kind === 'word' && token.keyword === 'obj') return [parseObject(reader, substitution)];
  if (token.kind === 'word' && token.keyword === 'binary') return [parseBinary(reader)];
  if (token.kind !== 'literal' && token.kind !== 'argument' && token.kind !== 'variable')
    throw reader.expected('a literal');
  const value = parseConstant(reader, substitution);
  return value.kind === 'list' ? value.items : [value];
}

export const OBJECT_KEY_FAULT =
  'an object key means something inside one client\'s file only; write obj("Class", primary key)';

/** `obj("Class", key)`. */
function parseObject(reader: TokenReader, substitution: Substitution): LiteralNode {
  const { at } = reader.next();
  reader.expectSymbol('(');
  const { token } = reader;
  if (token.kind !== 'literal' || token.value.type !== 'string')
    throw reader.expected('the name of a class in quotes');
  reader.next();
  reader.expectSymbol(',');
  const keyAt = reader.token.at;
  const key = parsePrimary(reader, substitution, () => {
    throw reader.expected('a primary key');
  });
  if (key.kind !== 'literal') throw reader.fault(keyAt, 'expected a primary key');
  reader.expectSymbol(')');
  return { kind: 'literal', at, value: key.value, objectOf: token.value.value };
}

/** `binary("text")` or `binary(B64"…")`. */
function parseBinary(reader: TokenReader): LiteralNode {
  const { at } = reader.next();
  reader.expectSymbol('(');
  const { token } = reader;
  if (token.kind !== 'literal' || token.value.type !== 'string') throw reader.expected('a string');
  reader.next();
  reader.expectSymbol(')');
  const value = token.bytes ?? new Uint8Array(Buffer.from(token.value.value, 'utf8'));
  return { kind: 'literal', at, value: { type: 'data', value } };
}

/** `SUBQUERY(path, $x, predicate).@count`. */
function parseSubquery(
  reader: TokenReader,
  substitution: Substitution,
  predicate: () => PredicateNode,
): ValueNode {
  const { at } = reader.next();
  reader.expectSymbol('(');
  const path = parsePath(reader, substitution);
  if (path.ending !== undefined)
    throw reader.fault(path.ending.at, 'SUBQUERY takes a list of objects, not what is computed of it');
  reader.expectSymbol(',');
  const { token } = reader;
  if (token.kind !== 'word' || !/^\$./.test(token.name)) throw reader.expected('a variable such as $x');
  reader.next();
  reader.expectSymbol(',');
  const inner = reader.nested(predicate);
  reader.expectSymbol(')');
  reader.expectSymbol('.');
  const ending = reader.token;
  if (ending.kind !== 'operator' || ending.name !== 'size') throw reader.expected('@count');
  reader.next();
  return { kind: 'subquery', at, path, variable: token.name, predicate: inner };
}
