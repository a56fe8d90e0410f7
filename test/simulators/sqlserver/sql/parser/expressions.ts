/** Scalar expressions by precedence: `~` and signs, then `* / %`, then `+ - & ^ |`. */
import type { BinaryOperator, Condition, Expression } from '../ast.ts';
import { parseNode } from './conditions.ts';
import {
  isFunctionNext,
  isStaticMethodNext,
  parseFunction,
  parseMethod,
  parseReservedFunction,
  parseStaticMethod,
} from './function-calls.ts';
import { literalOf } from './literals.ts';
import { parseDottedName } from './names.ts';
import { isQueryNext, parseQueryExpression } from './queries.ts';
import type { TokenReader } from './token-reader.ts';

export type Node = Expression | Condition;

const CONDITION_KINDS: ReadonlySet<string> = new Set<Condition['kind']>([
  'comparison',
  'and',
  'or',
  'not',
  'isNull',
  'like',
  'between',
  'inList',
  'inQuery',
  'exists',
  'quantified',
]);

export function isCondition(node: Node): node is Condition {
  return CONDITION_KINDS.has(node.kind);
}

/** A scalar expression; a condition in its place is a syntax error. */
export function parseExpression(reader: TokenReader): Expression {
  return scalar(reader, parseOperand(reader));
}

export function scalar(reader: TokenReader, node: Node): Expression {
  if (isCondition(node)) throw reader.failure();
  return node;
}

/** What stands on either side of a comparison; a condition only when it stands alone in parentheses. */
export function parseOperand(reader: TokenReader): Node {
  return parseBinary(reader, SUMS, parseProduct);
}

const SUMS: readonly BinaryOperator[] = ['+', '-', '&', '^', '|'];
const PRODUCTS: readonly BinaryOperator[] = ['*', '/', '%'];

function parseProduct(reader: TokenReader): Node {
  return parseBinary(reader, PRODUCTS, parseUnary);
}

function parseBinary(
  reader: TokenReader,
  operators: readonly BinaryOperator[],
  operand: (reader: TokenReader) => Node,
): Node {
  let left = operand(reader);
  while (reader.token.kind === 'operator') {
    const operator = operators.find((each) => reader.isOperator(each));
    if (operator === undefined) return left;
    const checked = scalar(reader, left);
    const { line } = reader.take();
    left = { kind: 'binary', line, operator, left: checked, right: scalar(reader, operand(reader)) };
  }
  return left;
}

const SIGNS = ['-', '+', '~'] as const;

function parseUnary(reader: TokenReader): Node {
  const { line } = reader;
  const operator =
    reader.token.kind === 'operator' ? SIGNS.find((each) => each === reader.token.text) : undefined;
  if (operator === undefined) return parsePostfix(reader);
  reader.take();
  return { kind: 'unary', line, operator, operand: scalar(reader, parseUnary(reader)) };
}

/** `x COLLATE c`, `x AT TIME ZONE z`. */
function parsePostfix(reader: TokenReader): Node {
  let node = parsePrimary(reader);
  for (;;) {
    const { line } = reader;
    if (reader.acceptWord('COLLATE')) {
      node = { kind: 'collate', line, operand: scalar(reader, node), collation: reader.expectName() };
    } else if (reader.acceptWord('AT', 'TIME', 'ZONE')) {
      const zone = scalar(reader, parsePrimary(reader));
      node = { kind: 'atTimeZone', line, operand: scalar(reader, node), zone };
    } else return node;
  }
}

function parsePrimary(reader: TokenReader): Node {
  const { token, line } = reader;
  const literal = literalOf(token);
  if (literal !== undefined) {
    reader.take();
    return literal;
  }
  if (token.kind === 'variable') {
    reader.take();
    if (token.text.startsWith('@@')) return { kind: 'globalVariable', line, name: token.text.toUpperCase() };
    const variable: Expression = { kind: 'variable', line, name: token.text };
    return reader.isOperator('.') ? parseMethod(reader, variable) : variable;
  }
  if (reader.isOperator('(')) return parseParentheses(reader);
  if (reader.acceptWord('NULL')) return { kind: 'null', line };
  if (reader.isWord('CASE')) return parseCase(reader);
  if (reader.acceptWord('NEXT', 'VALUE', 'FOR'))
    return { kind: 'nextValueFor', line, sequence: parseDottedName(reader) };
  const reserved = parseReservedFunction(reader);
  if (reserved !== undefined) return reserved;
  if (isFunctionNext(reader)) return parseFunction(reader);
  if (isStaticMethodNext(reader)) return parseStaticMethod(reader);
  return { kind: 'column', line, parts: parseDottedName(reader) };
}

function parseParentheses(reader: TokenReader): Node {
  const { line } = reader;
  reader.expectOperator('(');
  const node: Node = isQueryNext(reader)
    ? { kind: 'subquery', line, query: parseQueryExpression(reader) }
    : parseNode(reader);
  reader.expectOperator(')');
  return node;
}

function parseCase(reader: TokenReader): Expression {
  const { line } = reader.take();
  if (reader.isWord('WHEN')) {
    const branches = parseBranches(reader, () => {
      const node = parseNode(reader);
      if (!isCondition(node)) throw reader.conditionExpected();
      return node;
    });
    return { kind: 'searchedCase', line, branches, otherwise: parseElse(reader) };
  }
  const operand = parseExpression(reader);
  const branches = parseBranches(reader, () => parseExpression(reader));
  return { kind: 'case', line, operand, branches, otherwise: parseElse(reader) };
}

function parseBranches<When>(reader: TokenReader, when: () => When): { when: When; result: Expression }[] {
  const branches: { when: When; result: Expression }[] = [];
  do {
    reader.expectWord('WHEN');
    const test = when();
    reader.expectWord('THEN');
    branches.push({ when: test, result: parseExpression(reader) });
  } while (reader.isWord('WHEN'));
  return branches;
}

function parseElse(reader: TokenReader): Expression | undefined {
  const otherwise = reader.acceptWord('ELSE') ? parseExpression(reader) : undefined;
  reader.expectWord('END');
  return otherwise;
}
