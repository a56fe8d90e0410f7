/** SET, USE, KILL, EXECUTE AS and REVERT. */
import type { IsolationLevel } from '../../contract.ts';
import type { Expression, SessionStatement, Statement } from '../ast.ts';
import { parseExpression } from './expressions.ts';
import { literalOf } from './literals.ts';
import { parseObjectName } from './names.ts';
import { parseAssignmentOperator } from './queries.ts';
import type { TokenReader } from './token-reader.ts';

const ON_OFF_OPTIONS = [
  'ANSI_DEFAULTS',
  'ANSI_NULLS',
  'ANSI_NULL_DFLT_ON',
  'ANSI_NULL_DFLT_OFF',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'ARITHABORT',
  'ARITHIGNORE',
  'CONCAT_NULL_YIELDS_NULL',
  'CURSOR_CLOSE_ON_COMMIT',
  'FMTONLY',
  'FORCEPLAN',
  'IMPLICIT_TRANSACTIONS',
  'NOCOUNT',
  'NOEXEC',
  'NUMERIC_ROUNDABORT',
  'PARSEONLY',
  'QUOTED_IDENTIFIER',
  'REMOTE_PROC_TRANSACTIONS',
  'XACT_ABORT',
];
type ValueName = Extract<SessionStatement, { readonly kind: 'setValue' }>['name'];
const VALUE_OPTIONS: readonly ValueName[] = [
  'LOCK_TIMEOUT',
  'TEXTSIZE',
  'LANGUAGE',
  'DATEFIRST',
  'DATEFORMAT',
  'DEADLOCK_PRIORITY',
  'ROWCOUNT',
  'CONTEXT_INFO',
];

export function parseSet(reader: TokenReader): Statement {
  const { line } = reader.take();
  if (reader.token.kind === 'variable') {
    const name = reader.expectVariable();
    const operator = parseAssignmentOperator(reader);
    return { kind: 'setVariable', line, name, operator, value: parseExpression(reader) };
  }
  if (reader.acceptWord('TRANSACTION')) {
    reader.expectWord('ISOLATION', 'LEVEL');
    return { kind: 'setIsolation', line, level: parseIsolation(reader) };
  }
  if (reader.acceptWord('IDENTITY_INSERT')) {
    const table = parseObjectName(reader);
    return { kind: 'setIdentityInsert', line, table, on: reader.expectOnOff() };
  }
  if (reader.isAnyWord(VALUE_OPTIONS)) {
    const name = reader.expectAnyWord(VALUE_OPTIONS);
    return { kind: 'setValue', line, name, value: parseSetting(reader) };
  }
  const names = reader.separated(() => reader.expectAnyWord(ON_OFF_OPTIONS));
  return { kind: 'setOptions', line, names, on: reader.expectOnOff() };
}

function parseIsolation(reader: TokenReader): IsolationLevel {
  if (reader.acceptWord('READ'))
    return reader.expectAnyWord(['COMMITTED', 'UNCOMMITTED']) === 'COMMITTED'
      ? 'read committed'
      : 'read uncommitted';
  if (reader.acceptWord('REPEATABLE')) {
    reader.expectWord('READ');
    return 'repeatable read';
  }
  return reader.expectAnyWord(['SERIALIZABLE', 'SNAPSHOT']) === 'SNAPSHOT' ? 'snapshot' : 'serializable';
}

/** A constant, a variable, or a word such as `mdy`, which becomes a string. */
function parseSetting(reader: TokenReader): Expression {
  const { line } = reader;
  if (reader.isName) {
    const word = reader.take().text.toLowerCase();
    return { kind: 'literal', line, type: { kind: 'varchar', length: word.length }, value: word };
  }
  if (reader.token.kind === 'variable') return { kind: 'variable', line, name: reader.expectVariable() };
  const negative = reader.acceptOperator('-');
  const literal = literalOf(reader.token);
  if (literal === undefined) throw reader.failure();
  reader.take();
  return negative ? { kind: 'unary', line, operator: '-', operand: literal } : literal;
}

export function parseUse(reader: TokenReader): Statement {
  const { line } = reader.take();
  return { kind: 'use', line, database: reader.expectName() };
}

export function parseKill(reader: TokenReader): Statement {
  const { line } = reader.take();
  return { kind: 'kill', line, session: parseSetting(reader) };
}

/** `EXECUTE AS USER = 'name'`. */
export function parseExecuteAs(reader: TokenReader): Statement {
  const { line } = reader.take();
  reader.expectWord('AS');
  if (reader.acceptWord('CALLER')) return { kind: 'executeAs', line, principal: 'caller', name: undefined };
  const principal = reader.expectAnyWord(['USER', 'LOGIN']) === 'USER' ? 'user' : 'login';
  reader.expectOperator('=');
  return { kind: 'executeAs', line, principal, name: reader.expectString() };
}
