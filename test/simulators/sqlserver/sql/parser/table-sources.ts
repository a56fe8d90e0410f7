/** What FROM reads: tables with hints, joins, APPLY, derived tables, CHANGETABLE, OPENJSON. */
import { SqlFailure } from '../../contract.ts';
import type { HintList, OpenJsonColumn, TableSource } from '../ast.ts';
import { parseCondition } from './conditions.ts';
import { parseExpression } from './expressions.ts';
import { isFunctionNext } from './function-calls.ts';
import { parseAlias, parseObjectName, parseTypeName } from './names.ts';
import { isQueryNext, parseQueryExpression } from './queries.ts';
import type { TokenReader } from './token-reader.ts';

const HINTS: ReadonlySet<string> = new Set([
  'NOLOCK',
  'READUNCOMMITTED',
  'READCOMMITTED',
  'READCOMMITTEDLOCK',
  'READPAST',
  'REPEATABLEREAD',
  'SERIALIZABLE',
  'HOLDLOCK',
  'SNAPSHOT',
  'ROWLOCK',
  'PAGLOCK',
  'TABLOCK',
  'TABLOCKX',
  'UPDLOCK',
  'XLOCK',
  'NOWAIT',
  'NOEXPAND',
  'FORCESEEK',
  'FORCESCAN',
  'KEEPIDENTITY',
  'KEEPDEFAULTS',
  'IGNORE_CONSTRAINTS',
  'IGNORE_TRIGGERS',
]);

type Join = Extract<TableSource, { readonly kind: 'join' }>['join'];

export function parseTableSources(reader: TokenReader): readonly TableSource[] {
  return reader.separated(() => parseJoins(reader, parsePrimary(reader)));
}

/** The joins that follow `left`. */
function parseJoins(reader: TokenReader, left: TableSource): TableSource {
  let source = left;
  for (;;) {
    const { line } = reader;
    const join = parseJoinWords(reader);
    if (join === undefined) return source;
    if (join === 'cross' || join === 'crossApply' || join === 'outerApply') {
      source = { kind: 'join', line, join, left: source, right: parsePrimary(reader), on: undefined };
      continue;
    }
    // Joins may nest: `a JOIN b JOIN c ON … ON …`.
    let right = parsePrimary(reader);
    if (!reader.isWord('ON')) right = parseJoins(reader, right);
    reader.expectWord('ON');
    source = { kind: 'join', line, join, left: source, right, on: parseCondition(reader) };
  }
}

function parseJoinWords(reader: TokenReader): Join | undefined {
  if (reader.acceptWord('CROSS')) {
    if (reader.acceptWord('APPLY')) return 'crossApply';
    reader.expectWord('JOIN');
    return 'cross';
  }
  if (reader.acceptWord('OUTER')) {
    reader.expectWord('APPLY');
    return 'outerApply';
  }
  if (reader.acceptWord('JOIN')) return 'inner';
  if (!reader.isAnyWord(['INNER', 'LEFT', 'RIGHT', 'FULL'])) return undefined;
  const word = reader.expectAnyWord(['INNER', 'LEFT', 'RIGHT', 'FULL']);
  if (word !== 'INNER') reader.acceptWord('OUTER');
  if (reader.isAnyWord(['LOOP', 'HASH', 'MERGE', 'REMOTE'])) reader.take();
  reader.expectWord('JOIN');
  return ({ INNER: 'inner', LEFT: 'left', RIGHT: 'right', FULL: 'full' } as const)[word];
}

function parsePrimary(reader: TokenReader): TableSource {
  const { line } = reader;
  if (reader.isOperator('(')) return parseParentheses(reader);
  if (reader.token.kind === 'variable') {
    const name = reader.expectVariable();
    return { kind: 'tableVariable', line, name, alias: parseAlias(reader), columnAliases: undefined };
  }
  if (reader.isWord('CHANGETABLE')) return parseChangeTable(reader);
  if (reader.isWord('OPENJSON')) return parseOpenJson(reader);
  const isFunction = isFunctionNext(reader);
  const name = parseObjectName(reader);
  if (isFunction) {
    reader.expectOperator('(');
    const args = reader.isOperator(')') ? [] : reader.separated(() => parseExpression(reader));
    reader.expectOperator(')');
    return { kind: 'tableFunction', line, name, arguments: args, ...parseAliases(reader) };
  }
  const alias = parseAlias(reader);
  return { kind: 'table', line, name, alias, columnAliases: undefined, hints: parseHints(reader) };
}

/** `WITH (UPDLOCK, HOLDLOCK)`. Throws 321 for an unknown hint. */
export function parseHints(reader: TokenReader): HintList {
  if (!reader.acceptWord('WITH')) return [];
  return reader.list(() => {
    const { token } = reader;
    if (reader.acceptWord('INDEX')) {
      if (reader.acceptOperator('=')) reader.take();
      else reader.list(() => (reader.isName ? reader.expectName() : reader.expectInteger()));
      return 'INDEX';
    }
    if (token.kind === 'word' && HINTS.has(token.upper)) return reader.take().upper;
    if (!reader.isName) throw reader.failure();
    const message = `"${token.text}" is not a recognized table hints option. If it is intended as a parameter to a table-valued function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90.`;
    throw new SqlFailure(321, message, { severity: 15, line: token.line });
  });
}

function parseAliases(reader: TokenReader): {
  readonly alias: string | undefined;
  readonly columnAliases: readonly string[] | undefined;
} {
  const alias = parseAlias(reader);
  const columnAliases = alias !== undefined && reader.isOperator('(') ? reader.names() : undefined;
  return { alias, columnAliases };
}

function requiredAliases(reader: TokenReader): ReturnType<typeof parseAliases> {
  const aliases = parseAliases(reader);
  if (aliases.alias === undefined) throw reader.failure();
  return aliases;
}

function parseParentheses(reader: TokenReader): TableSource {
  const { line } = reader;
  const next = reader.ahead(1);
  if (next.kind === 'word' && next.upper === 'VALUES') {
    reader.expectOperator('(');
    reader.expectWord('VALUES');
    const rows = reader.separated(() => reader.list(() => parseExpression(reader)));
    reader.expectOperator(')');
    return { kind: 'values', line, rows, ...requiredAliases(reader) };
  }
  if (isQueryNext(reader) && !isParenthesisedJoin(reader)) {
    reader.expectOperator('(');
    const query = parseQueryExpression(reader);
    reader.expectOperator(')');
    return { kind: 'derived', line, query, ...requiredAliases(reader) };
  }
  reader.expectOperator('(');
  const source = parseJoins(reader, parsePrimary(reader));
  if (source.kind !== 'join') throw reader.failure();
  reader.expectOperator(')');
  return source;
}

/** `((SELECT …) AS a JOIN …)`: a name follows the inner closing parenthesis. */
function isParenthesisedJoin(reader: TokenReader): boolean {
  if (!(reader.ahead(1).kind === 'operator' && reader.ahead(1).text === '(')) return false;
  let depth = 0;
  for (let at = 1; ; at++) {
    const token = reader.ahead(at);
    if (token.kind === 'end') return false;
    if (token.kind !== 'operator') continue;
    if (token.text === '(') depth++;
    if (token.text !== ')') continue;
    depth--;
    if (depth > 0) continue;
    const after = reader.ahead(at + 1);
    return (
      after.kind === 'quotedName' ||
      (after.kind === 'word' && !['UNION', 'EXCEPT', 'INTERSECT', 'ORDER'].includes(after.upper))
    );
  }
}

function parseChangeTable(reader: TokenReader): TableSource {
  const { line } = reader.take();
  reader.expectOperator('(');
  const version = reader.expectAnyWord(['CHANGES', 'VERSION']) === 'VERSION';
  const table = parseObjectName(reader);
  reader.expectOperator(',');
  if (version) {
    const keyColumns = reader.names();
    reader.expectOperator(',');
    const keyValues = reader.list(() => parseExpression(reader));
    reader.expectOperator(')');
    return { kind: 'version', line, table, keyColumns, keyValues, ...changeAliases(reader, line) };
  }
  const since = parseExpression(reader);
  if (!isConstantOrVariable(since)) throw reader.failure();
  const forceSeek = reader.acceptOperator(',');
  if (forceSeek) reader.expectWord('FORCESEEK');
  reader.expectOperator(')');
  return { kind: 'changes', line, table, since, forceSeek, ...changeAliases(reader, line) };
}

/** The version is no expression: a constant, perhaps with a sign, a variable or NULL. */
function isConstantOrVariable(since: ReturnType<typeof parseExpression>): boolean {
  if (since.kind === 'unary') return since.operand.kind === 'literal';
  return since.kind === 'literal' || since.kind === 'variable' || since.kind === 'null';
}

function changeAliases(reader: TokenReader, line: number): ReturnType<typeof parseAliases> {
  const aliases = parseAliases(reader);
  if (aliases.alias !== undefined) return aliases;
  throw new SqlFailure(22104, 'A table returned by the CHANGETABLE function must be aliased.', { line });
}

function parseOpenJson(reader: TokenReader): TableSource {
  const { line } = reader.take();
  reader.expectOperator('(');
  const text = parseExpression(reader);
  const path = reader.acceptOperator(',') ? parseExpression(reader) : undefined;
  reader.expectOperator(')');
  const columns = reader.acceptWord('WITH') ? reader.list(() => parseOpenJsonColumn(reader)) : undefined;
  return { kind: 'openJson', line, text, path, columns, ...parseAliases(reader) };
}

function parseOpenJsonColumn(reader: TokenReader): OpenJsonColumn {
  const { line } = reader;
  const name = reader.expectName();
  const type = parseTypeName(reader);
  const { kind } = reader.token;
  const path = kind === 'string' || kind === 'nationalString' ? reader.take().text : undefined;
  const asJson = reader.acceptWord('AS', 'JSON');
  return { line, name, type, path, asJson };
}
