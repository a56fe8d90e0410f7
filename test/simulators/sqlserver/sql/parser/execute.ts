/** EXECUTE of procedures and of text. Its arguments are constants and variables, never expressions. */
import type { ExecuteArgument, ExecuteStatement, Expression, ValueOrDefault } from '../ast.ts';
import { parseExpression } from './expressions.ts';
import { literalOf } from './literals.ts';
import { parseObjectName } from './names.ts';
import type { TokenReader } from './token-reader.ts';

export function parseExecute(reader: TokenReader): ExecuteStatement {
  const { line } = reader;
  reader.expectAnyWord(['EXEC', 'EXECUTE']);
  if (reader.acceptOperator('(')) {
    const text = parseExpression(reader);
    reader.expectOperator(')');
    return { kind: 'executeText', line, text };
  }
  let returnTo: string | undefined;
  if (reader.token.kind === 'variable') {
    returnTo = reader.expectVariable();
    reader.expectOperator('=');
  }
  return parseProcedureCall(reader, line, returnTo);
}

/** `procedure argument, …`, as it may also begin a batch. */
export function parseProcedureCall(reader: TokenReader, line: number, returnTo?: string): ExecuteStatement {
  const procedure = parseObjectName(reader);
  const args = isArgumentNext(reader) ? reader.separated(() => parseArgument(reader)) : [];
  return { kind: 'execute', line, procedure, arguments: args, returnTo };
}

function isArgumentNext(reader: TokenReader): boolean {
  const { token } = reader;
  if (reader.isName) return true;
  if (token.kind === 'operator') return token.text === '-' || token.text === '+';
  return (
    token.kind !== 'end' && (token.kind !== 'word' || token.upper === 'NULL' || token.upper === 'DEFAULT')
  );
}

function parseArgument(reader: TokenReader): ExecuteArgument {
  const next = reader.ahead(1);
  let name: string | undefined;
  if (reader.token.kind === 'variable' && next.kind === 'operator' && next.text === '=') {
    name = reader.expectVariable();
    reader.expectOperator('=');
  }
  const value = parseArgumentValue(reader);
  const output = value.kind === 'variable' && (reader.acceptWord('OUTPUT') || reader.acceptWord('OUT'));
  return { name, value, output };
}

function parseArgumentValue(reader: TokenReader): ValueOrDefault {
  const { line } = reader;
  if (reader.acceptWord('DEFAULT')) return { kind: 'default', line };
  if (reader.acceptWord('NULL')) return { kind: 'null', line };
  if (reader.isName) return bareWord(reader);
  const operator = (['-', '+'] as const).find((each) => reader.acceptOperator(each));
  if (operator === undefined && reader.token.kind === 'variable') {
    const name = reader.take().text;
    return name.startsWith('@@')
      ? { kind: 'globalVariable', line, name: name.toUpperCase() }
      : { kind: 'variable', line, name };
  }
  const literal = literalOf(reader.token);
  if (literal === undefined) throw reader.failure();
  reader.take();
  return operator === undefined ? literal : { kind: 'unary', line, operator, operand: literal };
}

/** A name without quotes is a string. */
function bareWord(reader: TokenReader): Expression {
  const { line, text } = reader.take();
  return { kind: 'literal', line, type: { kind: 'nvarchar', length: text.length }, value: text };
}
