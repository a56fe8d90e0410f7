/** Flow of control, variables and transactions. */
import type { Expression, Statement } from '../ast.ts';
import { parseCondition } from './conditions.ts';
import { parseExpression } from './expressions.ts';
import { literalOf } from './literals.ts';
import { parseTypeName } from './names.ts';
import { parseStatement, parseStatements } from './statements.ts';
import { parseTableElements } from './table-definitions.ts';
import type { TokenReader } from './token-reader.ts';

export function parseIf(reader: TokenReader): Statement {
  const { line } = reader.take();
  const condition = parseCondition(reader);
  const body = parseStatement(reader);
  const semicolon = reader.isOperator(';') && reader.ahead(1).upper === 'ELSE';
  if (semicolon) reader.take();
  const otherwise = reader.acceptWord('ELSE') ? parseStatement(reader) : undefined;
  return { kind: 'if', line, condition, body, otherwise };
}

export function parseWhile(reader: TokenReader): Statement {
  const { line } = reader.take();
  return { kind: 'while', line, condition: parseCondition(reader), body: parseStatement(reader) };
}

/** `BEGIN TRY`, `BEGIN TRAN` or a block. */
export function parseBegin(reader: TokenReader): Statement {
  const { line } = reader.take();
  if (reader.acceptWord('TRAN') || reader.acceptWord('TRANSACTION'))
    return { kind: 'beginTransaction', line, name: parseTransactionName(reader) };
  if (reader.acceptWord('TRY')) return parseTry(reader, line);
  const statements = parseStatements(reader, ['END']);
  reader.expectWord('END');
  if (statements.length === 0) throw reader.failure();
  return { kind: 'block', line, statements };
}

function parseTry(reader: TokenReader, line: number): Statement {
  const attempt = parseStatements(reader, ['END']);
  reader.expectWord('END', 'TRY');
  if (attempt.length === 0) throw reader.failure();
  reader.acceptOperator(';');
  reader.expectWord('BEGIN', 'CATCH');
  const handler = parseStatements(reader, ['END']);
  reader.expectWord('END', 'CATCH');
  return { kind: 'tryCatch', line, attempt, handler };
}

/** COMMIT, ROLLBACK and SAVE. */
export function parseTransactionEnd(reader: TokenReader): Statement {
  const { upper, line } = reader.take();
  if (upper === 'SAVE') {
    reader.expectAnyWord(['TRAN', 'TRANSACTION']);
    const name = parseTransactionName(reader);
    if (name === undefined) throw reader.failure();
    return { kind: 'saveTransaction', line, name };
  }
  const named = reader.acceptWord('TRAN') || reader.acceptWord('TRANSACTION');
  if (!named) reader.acceptWord('WORK');
  const name = named ? parseTransactionName(reader) : undefined;
  return { kind: upper === 'COMMIT' ? 'commitTransaction' : 'rollbackTransaction', line, name };
}

function parseTransactionName(reader: TokenReader): string | undefined {
  if (reader.token.kind === 'variable') return reader.expectVariable();
  return reader.isName ? reader.expectName() : undefined;
}

export function parseThrow(reader: TokenReader): Statement {
  const { line } = reader.take();
  if (reader.atEnd || reader.isOperator(';') || reader.token.kind === 'word')
    return { kind: 'throw', line, error: undefined };
  const number = parseConstantOrVariable(reader);
  reader.expectOperator(',');
  const message = parseConstantOrVariable(reader);
  reader.expectOperator(',');
  return { kind: 'throw', line, error: { number, message, state: parseConstantOrVariable(reader) } };
}

/** `RAISERROR (message, severity, state [, argument …]) [WITH NOWAIT]`. */
export function parseRaiserror(reader: TokenReader): Statement {
  const { line } = reader.take();
  const [message, severity, state, ...args] = reader.list(() => parseConstantOrVariable(reader));
  if (message === undefined || severity === undefined || state === undefined) throw reader.failure();
  const options = reader.acceptWord('WITH')
    ? reader.separated(() => reader.expectAnyWord(['NOWAIT', 'LOG', 'SETERROR']))
    : [];
  return { kind: 'raiserror', line, message, severity, state, arguments: args, options };
}

function parseConstantOrVariable(reader: TokenReader): Expression {
  const { line } = reader;
  if (reader.token.kind === 'variable') {
    const name = reader.take().text;
    return name.startsWith('@@')
      ? { kind: 'globalVariable', line, name: name.toUpperCase() }
      : { kind: 'variable', line, name };
  }
  const negative = reader.acceptOperator('-');
  const literal = literalOf(reader.token);
  if (literal === undefined) throw reader.failure();
  reader.take();
  return negative ? { kind: 'unary', line, operator: '-', operand: literal } : literal;
}

export function parseReturn(reader: TokenReader): Statement {
  const { line } = reader.take();
  const { token } = reader;
  const startsValue =
    token.kind !== 'end' && token.kind !== 'word' && token.kind !== 'quotedName' && !reader.isOperator(';');
  return { kind: 'return', line, value: startsValue ? parseExpression(reader) : undefined };
}

export function parseWaitfor(reader: TokenReader): Statement {
  const { line } = reader.take();
  const until = reader.expectAnyWord(['DELAY', 'TIME']) === 'DELAY' ? 'delay' : 'time';
  return { kind: 'waitfor', line, until, value: parseConstantOrVariable(reader) };
}

export function parseDeclare(reader: TokenReader): Statement {
  const { line } = reader.take();
  const afterName = reader.ahead(1).upper === 'AS' ? reader.ahead(2) : reader.ahead(1);
  if (afterName.kind === 'word' && afterName.upper === 'TABLE') {
    const name = reader.expectVariable();
    reader.acceptWord('AS');
    reader.expectWord('TABLE');
    const { columns, constraints, indexes } = parseTableElements(reader);
    if (indexes.length > 0) throw reader.failure();
    return { kind: 'declareTable', line, name, columns, constraints };
  }
  return { kind: 'declare', line, variables: reader.separated(() => parseVariable(reader)) };
}

function parseVariable(
  reader: TokenReader,
): Extract<Statement, { readonly kind: 'declare' }>['variables'][number] {
  const { line } = reader;
  const name = reader.expectVariable();
  reader.acceptWord('AS');
  const type = parseTypeName(reader);
  const value = reader.acceptOperator('=') ? parseExpression(reader) : undefined;
  return { name, type, value, line };
}
