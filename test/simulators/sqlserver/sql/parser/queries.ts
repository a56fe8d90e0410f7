/** Queries: SELECT, set operations, ORDER BY, common tables. */
import { SqlFailure } from '../../contract.ts';
import type {
  AssignmentOperator,
  ChangeTrackingContext,
  CommonTable,
  ObjectName,
  OrderItem,
  QueryBody,
  QueryExpression,
  QueryOption,
  QuerySpecification,
  SelectItem,
  Top,
} from '../ast.ts';
import { notSimulated } from '../failures.ts';
import { parseCondition } from './conditions.ts';
import { parseExpression } from './expressions.ts';
import { literalOf } from './literals.ts';
import { parseObjectName } from './names.ts';
import { parseTableSources } from './table-sources.ts';
import { isName, type TokenReader } from './token-reader.ts';

const ASSIGNMENTS: readonly AssignmentOperator[] = ['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^='];
const PLAIN_OPTIONS = [
  ['RECOMPILE'],
  ['FORCE', 'ORDER'],
  ['LOOP', 'JOIN'],
  ['HASH', 'JOIN'],
  ['MERGE', 'JOIN'],
  ['HASH', 'GROUP'],
  ['ORDER', 'GROUP'],
  ['KEEP', 'PLAN'],
  ['KEEPFIXED', 'PLAN'],
  ['OPTIMIZE', 'FOR', 'UNKNOWN'],
  ['ROBUST', 'PLAN'],
];
const NUMERIC_OPTIONS = ['MAXDOP', 'MAXRECURSION', 'FAST', 'QUERYTRACEON'];

/** Whether a query begins here, perhaps behind parentheses. */
export function isQueryNext(reader: TokenReader): boolean {
  let at = 0;
  while (reader.ahead(at).kind === 'operator' && reader.ahead(at).text === '(') at++;
  return reader.ahead(at).kind === 'word' && reader.ahead(at).upper === 'SELECT';
}

export function parseQueryExpression(reader: TokenReader): QueryExpression {
  const { line } = reader;
  const body = parseBody(reader);
  const orderBy = reader.acceptWord('ORDER', 'BY') ? parseOrderItems(reader) : [];
  const { offset, fetch } =
    orderBy.length > 0 ? parseOffset(reader) : { offset: undefined, fetch: undefined };
  return { line, body, orderBy, offset, fetch };
}

export function parseOrderItems(reader: TokenReader): readonly OrderItem[] {
  return reader.separated(() => {
    const expression = parseExpression(reader);
    const descending = reader.acceptWord('DESC');
    if (!descending) reader.acceptWord('ASC');
    return { expression, descending };
  });
}

function parseOffset(reader: TokenReader): Pick<QueryExpression, 'offset' | 'fetch'> {
  if (!reader.acceptWord('OFFSET')) return { offset: undefined, fetch: undefined };
  const offset = parseExpression(reader);
  reader.expectAnyWord(['ROW', 'ROWS']);
  if (!reader.acceptWord('FETCH')) return { offset, fetch: undefined };
  reader.expectAnyWord(['FIRST', 'NEXT']);
  const fetch = parseExpression(reader);
  reader.expectAnyWord(['ROW', 'ROWS']);
  reader.expectWord('ONLY');
  return { offset, fetch };
}

function parseBody(reader: TokenReader): QueryBody {
  let left = parseIntersect(reader);
  while (reader.isAnyWord(['UNION', 'EXCEPT'])) {
    const { upper, line } = reader.take();
    const all = upper === 'UNION' && reader.acceptWord('ALL');
    const operator = upper === 'EXCEPT' ? 'except' : all ? 'unionAll' : 'union';
    left = { kind: 'setOperation', line, operator, left, right: parseIntersect(reader) };
  }
  return left;
}

function parseIntersect(reader: TokenReader): QueryBody {
  let left = parseTerm(reader);
  while (reader.isWord('INTERSECT')) {
    const { line } = reader.take();
    left = { kind: 'setOperation', line, operator: 'intersect', left, right: parseTerm(reader) };
  }
  return left;
}

function parseTerm(reader: TokenReader): QueryBody {
  const { line } = reader;
  if (!reader.acceptOperator('(')) return parseSpecification(reader);
  const query = parseQueryExpression(reader);
  reader.expectOperator(')');
  return { kind: 'nested', line, query };
}

function parseSpecification(reader: TokenReader): QuerySpecification {
  const { line } = reader;
  reader.expectWord('SELECT');
  const distinct = reader.acceptWord('DISTINCT');
  if (!distinct) reader.acceptWord('ALL');
  const top = parseTop(reader);
  const items = parseSelectItems(reader);
  const into: ObjectName | undefined = reader.acceptWord('INTO') ? parseObjectName(reader) : undefined;
  const from = reader.acceptWord('FROM') ? parseTableSources(reader) : [];
  const where = reader.acceptWord('WHERE') ? parseCondition(reader) : undefined;
  const groupBy = reader.acceptWord('GROUP', 'BY') ? reader.separated(() => parseExpression(reader)) : [];
  const having = reader.acceptWord('HAVING') ? parseCondition(reader) : undefined;
  return { kind: 'specification', line, distinct, top, items, into, from, where, groupBy, having };
}

/** `TOP (n) [PERCENT] [WITH TIES]`. Without parentheses only a constant may follow. */
export function parseTop(reader: TokenReader): Top | undefined {
  if (!reader.acceptWord('TOP')) return undefined;
  let expression = reader.isOperator('(') ? undefined : literalOf(reader.token);
  if (expression !== undefined) reader.take();
  else {
    reader.expectOperator('(');
    expression = parseExpression(reader);
    reader.expectOperator(')');
  }
  const percent = reader.acceptWord('PERCENT');
  return { expression, percent, withTies: reader.acceptWord('WITH', 'TIES') };
}

export function parseSelectItems(reader: TokenReader): readonly SelectItem[] {
  return reader.separated(() => parseSelectItem(reader));
}

function parseSelectItem(reader: TokenReader): SelectItem {
  const { line } = reader;
  const star = parseStar(reader);
  if (star !== undefined) return { kind: 'star', line, qualifier: star };
  const assignment = parseAssignment(reader);
  if (assignment !== undefined)
    return { kind: 'assign', line, ...assignment, expression: parseExpression(reader) };
  const second = reader.ahead(1);
  const alias =
    isName(reader.token) || reader.token.kind === 'string' || reader.token.kind === 'nationalString';
  if (alias && second.kind === 'operator' && second.text === '=') {
    const name = reader.expectNameOrString();
    reader.expectOperator('=');
    return { kind: 'expression', line, expression: parseExpression(reader), alias: name };
  }
  const expression = parseExpression(reader);
  return { kind: 'expression', line, expression, alias: parseColumnAlias(reader) };
}

function parseColumnAlias(reader: TokenReader): string | undefined {
  if (reader.acceptWord('AS')) return reader.expectNameOrString();
  const { kind } = reader.token;
  return reader.isName || kind === 'string' || kind === 'nationalString' ? reader.take().text : undefined;
}

/** `*` or `a.b.*`: gives the qualifier. */
function parseStar(reader: TokenReader): readonly string[] | undefined {
  const qualifier: string[] = [];
  let at = 0;
  while (
    isName(reader.ahead(at)) &&
    reader.ahead(at + 1).kind === 'operator' &&
    reader.ahead(at + 1).text === '.'
  ) {
    qualifier.push(reader.ahead(at).text);
    at += 2;
  }
  const star = reader.ahead(at);
  if (star.kind !== 'operator' || star.text !== '*') return undefined;
  for (let i = 0; i <= at; i++) reader.take();
  return qualifier;
}

function parseAssignment(
  reader: TokenReader,
): { variable: string; operator: AssignmentOperator } | undefined {
  const second = reader.ahead(1);
  if (reader.token.kind !== 'variable' || second.kind !== 'operator') return undefined;
  const operator = ASSIGNMENTS.find((each) => each === second.text);
  if (operator === undefined) return undefined;
  const variable = reader.expectVariable();
  reader.take();
  return { variable, operator };
}

/** `=`, `+=` … */
export function parseAssignmentOperator(reader: TokenReader): AssignmentOperator {
  const operator = ASSIGNMENTS.find((each) => reader.isOperator(each));
  if (operator === undefined) throw reader.failure();
  reader.take();
  return operator;
}

/** What follows WITH before a statement: at most one context, and common tables. */
export function parseWithClause(reader: TokenReader): {
  readonly changeContext: ChangeTrackingContext | undefined;
  readonly commonTables: readonly CommonTable[];
} {
  let changeContext: ChangeTrackingContext | undefined;
  const commonTables: CommonTable[] = [];
  do {
    const { line } = reader;
    if (reader.isWord('CHANGE_TRACKING_CONTEXT')) {
      if (changeContext !== undefined) throw reader.failure();
      reader.take();
      reader.expectOperator('(');
      changeContext = { line, value: parseExpression(reader) };
      reader.expectOperator(')');
    } else commonTables.push(parseCommonTable(reader));
  } while (reader.acceptOperator(','));
  checkNames(commonTables);
  return { changeContext, commonTables };
}

function parseCommonTable(reader: TokenReader): CommonTable {
  const { line } = reader;
  const name = reader.expectName();
  const columns = reader.isOperator('(') ? reader.names() : undefined;
  reader.expectWord('AS');
  reader.expectOperator('(');
  const query = parseQueryExpression(reader);
  reader.expectOperator(')');
  if (namesTable(query, name.toLowerCase())) throw recursion(name, query, line);
  return { line, name, columns, query };
}

/** Whether a tree has a table of that name without a schema. */
function namesTable(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('kind' in node && node.kind === 'table' && 'name' in node) {
    const table = node.name as ObjectName;
    if (table.schema === undefined && table.name.toLowerCase() === name) return true;
  }
  return Object.values(node).some((child) => namesTable(child, name));
}

function recursion(name: string, query: QueryExpression, line: number): SqlFailure {
  const { body } = query;
  if (body.kind === 'setOperation' && body.operator === 'unionAll')
    return notSimulated('A recursive common table', line);
  const message = `Recursive common table expression '${name}' does not contain a top-level UNION ALL operator.`;
  return new SqlFailure(252, message, { line });
}

function checkNames(tables: readonly CommonTable[]): void {
  const seen = new Set<string>();
  for (const { name, line } of tables) {
    if (seen.has(name.toLowerCase()))
      throw new SqlFailure(239, `Duplicate common table expression name '${name}' was specified.`, { line });
    seen.add(name.toLowerCase());
  }
}

/** `OPTION (RECOMPILE, MAXDOP 1)`. */
export function parseOptions(reader: TokenReader): readonly QueryOption[] {
  if (!reader.acceptWord('OPTION')) return [];
  return reader.list(() => {
    const plain = PLAIN_OPTIONS.find((words) => reader.isWord(...words));
    if (plain !== undefined) {
      reader.acceptWord(...plain);
      return { name: plain.join(' '), value: undefined };
    }
    const name = reader.expectAnyWord(NUMERIC_OPTIONS);
    return { name, value: parseExpression(reader) };
  });
}
