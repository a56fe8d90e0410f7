/** INSERT, UPDATE, DELETE and INSERT BULK. */
import { SqlFailure } from '../../contract.ts';
import type {
  ChangeTrackingContext,
  CommonTable,
  InsertStatement,
  OutputClause,
  SetClause,
  Statement,
  ValueOrDefault,
  WriteTarget,
} from '../ast.ts';
import { parseCondition } from './conditions.ts';
import { parseExecute } from './execute.ts';
import { parseExpression } from './expressions.ts';
import { parseObjectName, parseTypeName } from './names.ts';
import {
  isQueryNext,
  parseAssignmentOperator,
  parseOptions,
  parseQueryExpression,
  parseSelectItems,
  parseTop,
} from './queries.ts';
import { parseHints, parseTableSources } from './table-sources.ts';
import type { TokenReader } from './token-reader.ts';

/** What stood before the statement. */
export type Prefix = {
  readonly changeContext: ChangeTrackingContext | undefined;
  readonly commonTables: readonly CommonTable[];
};

/** Rows that one table value constructor of an INSERT may have. */
const MAXIMAL_VALUE_ROWS = 1000;
const BULK_OPTIONS = [
  'KEEP_NULLS',
  'CHECK_CONSTRAINTS',
  'FIRE_TRIGGERS',
  'TABLOCK',
  'KEEPIDENTITY',
  'KEEP_IDENTITY',
];

export function parseInsert(reader: TokenReader, prefix: Prefix): Statement {
  const { line } = reader;
  reader.expectWord('INSERT');
  if (reader.acceptWord('BULK')) return parseInsertBulk(reader, line);
  const top = parseTop(reader);
  reader.acceptWord('INTO');
  const target = parseTarget(reader);
  const columns = reader.isOperator('(') && !isQueryNext(reader) ? parseColumns(reader) : undefined;
  const output = parseOutput(reader);
  const source = parseInsertSource(reader);
  checkValues(source, columns, line);
  return {
    kind: 'insert',
    line,
    ...prefix,
    top,
    target,
    columns,
    output,
    source,
    options: parseOptions(reader),
  };
}

function parseColumns(reader: TokenReader): readonly string[] {
  return reader.list(() => {
    let name = reader.expectName();
    while (reader.acceptOperator('.')) name = reader.expectName();
    return name;
  });
}

function parseInsertSource(reader: TokenReader): InsertStatement['source'] {
  if (reader.acceptWord('DEFAULT', 'VALUES')) return { kind: 'defaultValues' };
  if (reader.acceptWord('VALUES'))
    return { kind: 'values', rows: reader.separated(() => reader.list(() => parseValueOrDefault(reader))) };
  if (reader.isAnyWord(['EXEC', 'EXECUTE'])) return { kind: 'execute', statement: parseExecute(reader) };
  if (!isQueryNext(reader)) throw reader.failure();
  return { kind: 'query', query: parseQueryExpression(reader) };
}

export function parseValueOrDefault(reader: TokenReader): ValueOrDefault {
  const { line } = reader;
  return reader.acceptWord('DEFAULT') ? { kind: 'default', line } : parseExpression(reader);
}

function checkValues(
  source: InsertStatement['source'],
  columns: readonly string[] | undefined,
  line: number,
): void {
  if (source.kind !== 'values') return;
  const width = source.rows[0]!.length;
  if (source.rows.length > MAXIMAL_VALUE_ROWS)
    throw new SqlFailure(
      10738,
      `The number of row value expressions in the INSERT statement exceeds the maximum allowed number of ${MAXIMAL_VALUE_ROWS} row values.`,
      { severity: 15, line },
    );
  if (source.rows.some((row) => row.length !== width))
    throw new SqlFailure(
      10709,
      'The number of columns for each row in a table value constructor must be the same.',
      { line },
    );
  if (columns === undefined || columns.length === width) return;
  const [number, more] = columns.length > width ? ([109, 'more'] as const) : ([110, 'fewer'] as const);
  const message = `There are ${more} columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.`;
  throw new SqlFailure(number, message, { severity: 15, line });
}

function parseInsertBulk(reader: TokenReader, line: number): Statement {
  const target = parseObjectName(reader);
  const columns = reader.list(() => ({
    name: reader.expectName(),
    type: parseTypeName(reader),
    collation: reader.acceptWord('COLLATE') ? reader.expectName() : undefined,
  }));
  const options = reader.acceptWord('WITH') ? reader.list(() => reader.expectAnyWord(BULK_OPTIONS)) : [];
  return { kind: 'insertBulk', line, target, columns, options };
}

function parseTarget(reader: TokenReader): WriteTarget {
  const { line } = reader;
  if (reader.token.kind === 'variable') return { kind: 'variable', line, name: reader.expectVariable() };
  const name = parseObjectName(reader);
  return { kind: 'name', name, hints: parseHints(reader) };
}

export function parseUpdate(reader: TokenReader, prefix: Prefix): Statement {
  const { line } = reader;
  reader.expectWord('UPDATE');
  const top = parseTop(reader);
  const target = parseTarget(reader);
  reader.expectWord('SET');
  const set = reader.separated(() => parseSetClause(reader));
  const output = parseOutput(reader);
  const from = reader.acceptWord('FROM') ? parseTableSources(reader) : [];
  const where = reader.acceptWord('WHERE') ? parseCondition(reader) : undefined;
  return {
    kind: 'update',
    line,
    ...prefix,
    top,
    target,
    set,
    output,
    from,
    where,
    options: parseOptions(reader),
  };
}

function parseSetClause(reader: TokenReader): SetClause {
  const { line } = reader;
  if (reader.token.kind !== 'variable') {
    const column = [reader.expectName()];
    while (reader.acceptOperator('.')) column.push(reader.expectName());
    const operator = parseAssignmentOperator(reader);
    return { line, column, variable: undefined, operator, value: parseValueOrDefault(reader) };
  }
  const variable = reader.expectVariable();
  const operator = parseAssignmentOperator(reader);
  const second = reader.ahead(1);
  if (operator === '=' && reader.isName && second.kind === 'operator' && second.text === '=') {
    const column = [reader.expectName()];
    reader.expectOperator('=');
    return { line, column, variable, operator, value: parseExpression(reader) };
  }
  return { line, column: undefined, variable, operator, value: parseExpression(reader) };
}

export function parseDelete(reader: TokenReader, prefix: Prefix): Statement {
  const { line } = reader;
  reader.expectWord('DELETE');
  const top = parseTop(reader);
  reader.acceptWord('FROM');
  const target = parseTarget(reader);
  const output = parseOutput(reader);
  const from = reader.acceptWord('FROM') ? parseTableSources(reader) : [];
  const where = reader.acceptWord('WHERE') ? parseCondition(reader) : undefined;
  return { kind: 'delete', line, ...prefix, top, target, output, from, where, options: parseOptions(reader) };
}

function parseOutput(reader: TokenReader): OutputClause | undefined {
  const { line } = reader;
  if (!reader.acceptWord('OUTPUT')) return undefined;
  const items = parseSelectItems(reader);
  if (!reader.acceptWord('INTO')) return { line, items, into: undefined };
  const target = parseTarget(reader);
  const columns = reader.isOperator('(') && !isQueryNext(reader) ? reader.names() : undefined;
  return { line, items, into: { target, columns } };
}
