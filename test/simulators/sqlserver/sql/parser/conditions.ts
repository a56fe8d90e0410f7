/** Conditions: AND, OR, NOT and the predicates. */
import type { ComparisonOperator, Condition, Expression } from '../ast.ts';
import { isCondition, type Node, parseExpression, parseOperand, scalar } from './expressions.ts';
import { isQueryNext, parseQueryExpression } from './queries.ts';
import type { TokenReader } from './token-reader.ts';

const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '!>': '<=',
  '>': '>',
  '>=': '>=',
  '!<': '>=',
};

/** A condition; throws 4145 for a scalar. */
export function parseCondition(reader: TokenReader): Condition {
  return condition(reader, parseNode(reader));
}

/** A condition or a scalar: between parentheses one learns only later which of them it is. */
export function parseNode(reader: TokenReader): Node {
  let left = parseAnd(reader);
  while (reader.isWord('OR')) {
    const checked = condition(reader, left);
    const { line } = reader.take();
    left = { kind: 'or', line, left: checked, right: condition(reader, parseAnd(reader)) };
  }
  return left;
}

function parseAnd(reader: TokenReader): Node {
  let left = parseNot(reader);
  while (reader.isWord('AND')) {
    const checked = condition(reader, left);
    const { line } = reader.take();
    left = { kind: 'and', line, left: checked, right: condition(reader, parseNot(reader)) };
  }
  return left;
}

function parseNot(reader: TokenReader): Node {
  const { line } = reader;
  if (!reader.acceptWord('NOT')) return parsePredicate(reader);
  return { kind: 'not', line, operand: condition(reader, parseNot(reader)) };
}

function condition(reader: TokenReader, node: Node): Condition {
  if (isCondition(node)) return node;
  throw reader.conditionExpected();
}

function parsePredicate(reader: TokenReader): Node {
  const { line } = reader;
  if (reader.acceptWord('EXISTS')) return { kind: 'exists', line, query: parseInParentheses(reader) };
  const left = parseOperand(reader);
  if (isCondition(left)) return left;
  if (reader.token.kind === 'operator' && reader.token.text in COMPARISONS)
    return parseComparison(reader, left);
  if (reader.acceptWord('IS')) {
    const negated = reader.acceptWord('NOT');
    reader.expectWord('NULL');
    return { kind: 'isNull', line, operand: left, negated };
  }
  const negated = reader.isWord('NOT') && ['LIKE', 'IN', 'BETWEEN'].includes(reader.ahead(1).upper);
  if (negated) reader.take();
  if (reader.acceptWord('LIKE')) return parseLike(reader, left, negated, line);
  if (reader.acceptWord('IN')) return parseIn(reader, left, negated, line);
  if (reader.acceptWord('BETWEEN')) {
    const low = parseExpression(reader);
    reader.expectWord('AND');
    return { kind: 'between', line, operand: left, low, high: parseExpression(reader), negated };
  }
  return left;
}

function parseInParentheses(reader: TokenReader): ReturnType<typeof parseQueryExpression> {
  reader.expectOperator('(');
  const query = parseQueryExpression(reader);
  reader.expectOperator(')');
  return query;
}

function parseComparison(reader: TokenReader, left: Expression): Condition {
  const { line, text } = reader.take();
  const operator = COMPARISONS[text]!;
  if (reader.isAnyWord(['ALL', 'ANY', 'SOME'])) {
    const quantifier = reader.take().upper === 'ALL' ? 'all' : 'any';
    return {
      kind: 'quantified',
      line,
      operator,
      quantifier,
      operand: left,
      query: parseInParentheses(reader),
    };
  }
  return { kind: 'comparison', line, operator, left, right: scalar(reader, parseOperand(reader)) };
}

function parseLike(reader: TokenReader, operand: Expression, negated: boolean, line: number): Condition {
  const pattern = parseExpression(reader);
  const escapedBy = reader.acceptWord('ESCAPE') ? parseExpression(reader) : undefined;
  return { kind: 'like', line, operand, pattern, escape: escapedBy, negated };
}

function parseIn(reader: TokenReader, operand: Expression, negated: boolean, line: number): Condition {
  reader.expectOperator('(');
  if (isQueryNext(reader)) {
    const query = parseQueryExpression(reader);
    reader.expectOperator(')');
    return { kind: 'inQuery', line, operand, query, negated };
  }
  const list = reader.separated(() => parseExpression(reader));
  reader.expectOperator(')');
  return { kind: 'inList', line, operand, list, negated };
}
