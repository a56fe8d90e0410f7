/** Statements by the word that they begin with. */
import { SqlFailure } from '../../contract.ts';
import type { Statement } from '../ast.ts';
import {
  parseBegin,
  parseDeclare,
  parseIf,
  parseRaiserror,
  parseReturn,
  parseThrow,
  parseTransactionEnd,
  parseWaitfor,
  parseWhile,
} from './control.ts';
import { parseAlter, parseCreate, parseDrop } from './definitions.ts';
import { parseExecute, parseProcedureCall } from './execute.ts';
import { parseExpression } from './expressions.ts';
import { type Prefix, parseDelete, parseInsert, parseUpdate } from './modifications.ts';
import { parsePermission } from './principals.ts';
import { parseOptions, parseQueryExpression, parseWithClause } from './queries.ts';
import { parseExecuteAs, parseKill, parseSet, parseUse } from './session.ts';
import { parseTruncate } from './tables.ts';
import type { TokenReader } from './token-reader.ts';

const NO_PREFIX: Prefix = { changeContext: undefined, commonTables: [] };

/** A whole batch: its first statement may be the call of a procedure without EXECUTE. */
export function parseWholeBatch(reader: TokenReader): readonly Statement[] {
  skipSemicolons(reader);
  const first = parseFirst(reader);
  const rest = parseStatements(reader, [], first.length === 0 || reader.acceptOperator(';'));
  if (!reader.atEnd) throw reader.failure();
  return [...first, ...rest];
}

function parseFirst(reader: TokenReader): readonly Statement[] {
  if (reader.atEnd) return [];
  if (reader.isWord('CREATE')) return [parseCreate(reader, true)];
  if (reader.isName && !reader.isWord('THROW')) return [parseProcedureCall(reader, reader.line)];
  return [parseStatement(reader)];
}

function skipSemicolons(reader: TokenReader): boolean {
  let any = false;
  while (reader.acceptOperator(';')) any = true;
  return any;
}

/** Statements up to one of `ends`, or the end of the batch. `terminated`: a semicolon or nothing stands before the first. */
export function parseStatements(
  reader: TokenReader,
  ends: readonly string[],
  terminated = true,
): readonly Statement[] {
  const statements: Statement[] = [];
  let separated = skipSemicolons(reader) || terminated;
  while (!reader.atEnd && !reader.isAnyWord(ends)) {
    if (!separated) checkTerminated(reader);
    statements.push(parseStatement(reader));
    separated = skipSemicolons(reader);
  }
  return statements;
}

/** WITH and THROW need a semicolon before them. */
function checkTerminated(reader: TokenReader): void {
  if (reader.isWord('THROW')) throw reader.failure();
  if (!reader.isWord('WITH')) return;
  const message =
    "Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an xmlnamespaces clause or a change tracking context clause, the previous statement must be terminated with a semicolon.";
  throw new SqlFailure(319, message, { severity: 15, line: reader.line });
}

export function parseStatement(reader: TokenReader): Statement {
  const { token, line } = reader;
  if (reader.isOperator('(')) return parseSelect(reader, NO_PREFIX);
  if (token.kind !== 'word') throw reader.failure();
  switch (token.upper) {
    case 'SELECT':
      return parseSelect(reader, NO_PREFIX);
    case 'WITH':
      return parsePrefixed(reader);
    case 'INSERT':
      return parseInsert(reader, NO_PREFIX);
    case 'UPDATE':
      return parseUpdate(reader, NO_PREFIX);
    case 'DELETE':
      return parseDelete(reader, NO_PREFIX);
    case 'CREATE':
      return parseCreate(reader, false);
    case 'ALTER':
      return parseAlter(reader);
    case 'DROP':
      return parseDrop(reader);
    case 'TRUNCATE':
      return parseTruncate(reader);
    case 'GRANT':
    case 'DENY':
    case 'REVOKE':
      return parsePermission(reader);
    case 'SET':
      return parseSet(reader);
    case 'USE':
      return parseUse(reader);
    case 'KILL':
      return parseKill(reader);
    case 'EXEC':
    case 'EXECUTE':
      return reader.ahead(1).upper === 'AS' ? parseExecuteAs(reader) : parseExecute(reader);
    case 'REVERT':
      reader.take();
      return { kind: 'revert', line };
    case 'PRINT':
      reader.take();
      return { kind: 'print', line, value: parseExpression(reader) };
    default:
      return parseControl(reader);
  }
}

function parseControl(reader: TokenReader): Statement {
  const { line } = reader;
  switch (reader.token.upper) {
    case 'IF':
      return parseIf(reader);
    case 'WHILE':
      return parseWhile(reader);
    case 'BEGIN':
      return parseBegin(reader);
    case 'BREAK':
    case 'CONTINUE':
      return { kind: reader.take().upper === 'BREAK' ? 'break' : 'continue', line };
    case 'RETURN':
      return parseReturn(reader);
    case 'THROW':
      return parseThrow(reader);
    case 'RAISERROR':
      return parseRaiserror(reader);
    case 'WAITFOR':
      return parseWaitfor(reader);
    case 'DECLARE':
      return parseDeclare(reader);
    case 'COMMIT':
    case 'ROLLBACK':
    case 'SAVE':
      return parseTransactionEnd(reader);
    default:
      throw reader.failure();
  }
}

function parseSelect(reader: TokenReader, prefix: Prefix): Statement {
  const { line } = reader;
  const query = parseQueryExpression(reader);
  return { kind: 'select', line, ...prefix, query, options: parseOptions(reader) };
}

function parsePrefixed(reader: TokenReader): Statement {
  reader.expectWord('WITH');
  const prefix = parseWithClause(reader);
  if (reader.isWord('INSERT')) return parseInsert(reader, prefix);
  if (reader.isWord('UPDATE')) return parseUpdate(reader, prefix);
  if (reader.isWord('DELETE')) return parseDelete(reader, prefix);
  if (prefix.changeContext !== undefined) {
    const message = 'The WITH CHANGE_TRACKING_CONTEXT clause cannot be used with a SELECT statement.';
    throw new SqlFailure(22108, message, { line: prefix.changeContext.line });
  }
  return parseSelect(reader, prefix);
}
