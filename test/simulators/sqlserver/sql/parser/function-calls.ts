/** Function calls, and those that have a syntax of their own: CAST, CONVERT, IIF, COUNT(*), DATEADD, TRIM, STRING_AGG. */
import { SqlFailure } from '../../contract.ts';
import type { Expression, FunctionCall, OrderItem, Window } from '../ast.ts';
import { parseCondition } from './conditions.ts';
import { dateWord } from './date-words.ts';
import { parseExpression } from './expressions.ts';
import { parseDottedName, parseTypeName } from './names.ts';
import { parseOrderItems } from './queries.ts';
import { isName, type TokenReader } from './token-reader.ts';

/** Functions whose names are reserved words. */
const RESERVED_FUNCTIONS = ['LEFT', 'RIGHT', 'COALESCE', 'NULLIF'];
const FUNCTIONS_WITHOUT_PARENTHESES = [
  'CURRENT_TIMESTAMP',
  'CURRENT_USER',
  'SESSION_USER',
  'SYSTEM_USER',
  'USER',
];
const FUNCTIONS_OF_DATE_WORDS = new Set([
  'DATEADD',
  'DATEDIFF',
  'DATEDIFF_BIG',
  'DATEPART',
  'DATENAME',
  'DATETRUNC',
]);

/** A function whose name is a reserved word; `undefined` when there is none. */
export function parseReservedFunction(reader: TokenReader): Expression | undefined {
  const { line } = reader;
  if (reader.isAnyWord(['CONVERT', 'TRY_CONVERT'])) return parseConvert(reader);
  if (reader.isAnyWord(FUNCTIONS_WITHOUT_PARENTHESES)) return call(reader.take().upper, line, []);
  if (!reader.isAnyWord(RESERVED_FUNCTIONS)) return undefined;
  const name = reader.take().upper;
  return call(name, line, parseArguments(reader));
}

/** Whether a name, perhaps with a schema, and an opening parenthesis are next. */
export function isFunctionNext(reader: TokenReader): boolean {
  let at = 0;
  while (isName(reader.ahead(at))) {
    const after = reader.ahead(at + 1);
    if (after.kind !== 'operator') return false;
    if (after.text === '(') return true;
    if (after.text !== '.') return false;
    at += 2;
  }
  return false;
}

/** `hierarchyid::Parse(…)`. */
export function isStaticMethodNext(reader: TokenReader): boolean {
  return reader.isName && reader.ahead(1).kind === 'operator' && reader.ahead(1).text === '::';
}

/** `@v.Method(…)`: a function `.METHOD` with the value before its arguments. */
export function parseMethod(reader: TokenReader, value: Expression): Expression {
  const { line } = reader;
  reader.expectOperator('.');
  const name = reader.expectName().toUpperCase();
  return call(`.${name}`, line, [value, ...parseArguments(reader)]);
}

export function parseStaticMethod(reader: TokenReader): Expression {
  const { line } = reader;
  const type = reader.expectName();
  reader.expectOperator('::');
  return call(`${type}::${reader.expectName()}`.toUpperCase(), line, parseArguments(reader));
}

export function parseFunction(reader: TokenReader): Expression {
  const { line } = reader;
  const parts = parseDottedName(reader);
  const name = parts.join('.').toUpperCase();
  if (parts.length > 1) return call(name, line, parseArguments(reader));
  switch (name) {
    case 'CAST':
    case 'TRY_CAST':
      return parseCast(reader, name === 'TRY_CAST', line);
    case 'IIF':
      return parseIif(reader, line);
    case 'TRIM':
      return parseTrim(reader, line);
    default:
      return FUNCTIONS_OF_DATE_WORDS.has(name)
        ? parseDateFunction(reader, name, line)
        : parseGeneral(reader, name, line);
  }
}

function call(
  name: string,
  line: number,
  args: readonly Expression[],
  more: Partial<FunctionCall> = {},
): FunctionCall {
  return {
    kind: 'function',
    line,
    name,
    arguments: args,
    star: false,
    distinct: false,
    word: undefined,
    over: undefined,
    withinGroup: undefined,
    ...more,
  };
}

function parseArguments(reader: TokenReader): readonly Expression[] {
  reader.expectOperator('(');
  if (reader.acceptOperator(')')) return [];
  const args = reader.separated(() => parseExpression(reader));
  reader.expectOperator(')');
  return args;
}

function parseGeneral(reader: TokenReader, name: string, line: number): Expression {
  reader.expectOperator('(');
  if (reader.acceptOperator('*')) {
    reader.expectOperator(')');
    return call(name, line, [], { star: true, over: parseOver(reader) });
  }
  const distinct = reader.acceptWord('DISTINCT');
  if (!distinct) reader.acceptWord('ALL');
  const args = !distinct && reader.isOperator(')') ? [] : reader.separated(() => parseExpression(reader));
  reader.expectOperator(')');
  const withinGroup = parseWithinGroup(reader);
  return call(name, line, args, { distinct, withinGroup, over: parseOver(reader) });
}

function parseWithinGroup(reader: TokenReader): readonly OrderItem[] | undefined {
  if (!reader.acceptWord('WITHIN')) return undefined;
  reader.expectWord('GROUP');
  reader.expectOperator('(');
  reader.expectWord('ORDER', 'BY');
  const order = parseOrderItems(reader);
  reader.expectOperator(')');
  return order;
}

function parseOver(reader: TokenReader): Window | undefined {
  if (!reader.acceptWord('OVER')) return undefined;
  reader.expectOperator('(');
  const partitionBy = reader.acceptWord('PARTITION', 'BY')
    ? reader.separated(() => parseExpression(reader))
    : [];
  const orderBy = reader.acceptWord('ORDER', 'BY') ? parseOrderItems(reader) : [];
  reader.expectOperator(')');
  return { partitionBy, orderBy };
}

function parseCast(reader: TokenReader, attempt: boolean, line: number): Expression {
  reader.expectOperator('(');
  const operand = parseExpression(reader);
  reader.expectWord('AS');
  const type = parseTypeName(reader);
  reader.expectOperator(')');
  return { kind: 'convert', line, operand, type, style: undefined, attempt };
}

function parseConvert(reader: TokenReader): Expression {
  const { upper, line } = reader.take();
  reader.expectOperator('(');
  const type = parseTypeName(reader);
  reader.expectOperator(',');
  const operand = parseExpression(reader);
  const style = reader.acceptOperator(',') ? parseExpression(reader) : undefined;
  reader.expectOperator(')');
  return { kind: 'convert', line, operand, type, style, attempt: upper === 'TRY_CONVERT' };
}

function parseIif(reader: TokenReader, line: number): Expression {
  reader.expectOperator('(');
  const when = parseCondition(reader);
  reader.expectOperator(',');
  const result = parseExpression(reader);
  reader.expectOperator(',');
  const otherwise = parseExpression(reader);
  reader.expectOperator(')');
  return { kind: 'searchedCase', line, branches: [{ when, result }], otherwise };
}

/** `TRIM(s)` and `TRIM(characters FROM s)`: the string first, then the characters. */
function parseTrim(reader: TokenReader, line: number): Expression {
  reader.expectOperator('(');
  const first = parseExpression(reader);
  const args = reader.acceptWord('FROM') ? [parseExpression(reader), first] : [first];
  reader.expectOperator(')');
  return call('TRIM', line, args);
}

function parseDateFunction(reader: TokenReader, name: string, line: number): Expression {
  reader.expectOperator('(');
  const written = reader.expectName();
  const word = dateWord(written);
  if (word === undefined) {
    const message = `'${written}' is not a recognized ${name.toLowerCase()} option.`;
    throw new SqlFailure(155, message, { severity: 15, line });
  }
  const args: Expression[] = [];
  while (reader.acceptOperator(',')) args.push(parseExpression(reader));
  reader.expectOperator(')');
  return call(name, line, args, { word });
}
