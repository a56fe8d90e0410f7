/** CREATE, ALTER and DROP, by what follows them. */
import { SqlFailure } from '../../contract.ts';
import type { DataDefinition, Statement } from '../ast.ts';
import { parseAlterDatabase, parseCreateDatabase } from './databases.ts';
import { parseObjectName, parseTypeName } from './names.ts';
import { parseAlterRole, parseLogin, parseUser } from './principals.ts';
import { parseQueryExpression, parseWithClause } from './queries.ts';
import {
  parseAlterIndex,
  parseAlterTable,
  parseCreateIndex,
  parseCreateTable,
  parseDropIndex,
} from './tables.ts';
import type { TokenReader } from './token-reader.ts';

type Dropped = Extract<DataDefinition, { readonly kind: 'drop' }>['what'];
const DROPPED: Readonly<Record<string, Dropped>> = {
  TABLE: 'table',
  SCHEMA: 'schema',
  DATABASE: 'database',
  USER: 'user',
  LOGIN: 'login',
  ROLE: 'role',
  SEQUENCE: 'sequence',
  VIEW: 'view',
};

/** `first`: nothing stands before it in the batch, as CREATE SCHEMA and CREATE VIEW want. */
export function parseCreate(reader: TokenReader, first: boolean): Statement {
  const position = reader.position;
  const { line } = reader.take();
  if (reader.acceptWord('TABLE')) return parseCreateTable(reader, line);
  if (reader.isAnyWord(['UNIQUE', 'CLUSTERED', 'NONCLUSTERED', 'INDEX']))
    return parseCreateIndex(reader, line);
  if (reader.isWord('SCHEMA')) return parseCreateSchema(reader, line, first);
  if (reader.isWord('VIEW')) return parseCreateView(reader, line, position, first);
  if (reader.acceptWord('DATABASE')) return parseCreateDatabase(reader, line);
  if (reader.acceptWord('LOGIN')) return parseLogin(reader, line, 'createLogin');
  if (reader.acceptWord('USER')) return parseUser(reader, line, 'createUser');
  if (reader.acceptWord('ROLE')) return { kind: 'createRole', line, name: reader.expectName() };
  if (reader.acceptWord('SEQUENCE')) return parseCreateSequence(reader, line);
  throw reader.failure();
}

function checkFirst(reader: TokenReader, first: boolean): void {
  if (first) return;
  const message = `'CREATE ${reader.token.upper}' must be the first statement in a query batch.`;
  throw new SqlFailure(111, message, { severity: 15, line: reader.line });
}

function parseCreateSchema(reader: TokenReader, line: number, first: boolean): Statement {
  checkFirst(reader, first);
  reader.take();
  const name = reader.isWord('AUTHORIZATION') ? undefined : reader.expectName();
  const owner = reader.acceptWord('AUTHORIZATION') ? reader.expectName() : undefined;
  reader.acceptOperator(';');
  if (!reader.atEnd) throw reader.failure();
  return { kind: 'createSchema', line, name: name ?? owner ?? '', owner };
}

function parseCreateView(reader: TokenReader, line: number, position: number, first: boolean): Statement {
  checkFirst(reader, first);
  reader.take();
  const name = parseObjectName(reader);
  const columns = reader.isOperator('(') ? reader.names() : undefined;
  reader.expectWord('AS');
  const commonTables = reader.acceptWord('WITH') ? parseWithClause(reader).commonTables : [];
  const query = parseQueryExpression(reader);
  const text = reader.sourceSince(position);
  reader.acceptOperator(';');
  if (!reader.atEnd) throw reader.failure();
  return { kind: 'createView', line, name, columns, query, commonTables, text };
}

function parseCreateSequence(reader: TokenReader, line: number): Statement {
  const name = parseObjectName(reader);
  const type = reader.acceptWord('AS') ? parseTypeName(reader) : undefined;
  let start: bigint | undefined;
  let increment: bigint | undefined;
  for (;;) {
    if (reader.acceptWord('START', 'WITH')) start = reader.expectInteger();
    else if (reader.acceptWord('INCREMENT', 'BY')) increment = reader.expectInteger();
    else return { kind: 'createSequence', line, name, type, start, increment };
  }
}

export function parseAlter(reader: TokenReader): Statement {
  const { line } = reader.take();
  if (reader.acceptWord('TABLE')) return parseAlterTable(reader, line);
  if (reader.acceptWord('DATABASE')) return parseAlterDatabase(reader, line);
  if (reader.acceptWord('INDEX')) return parseAlterIndex(reader, line);
  if (reader.acceptWord('LOGIN')) return parseLogin(reader, line, 'alterLogin');
  if (reader.acceptWord('USER')) return parseUser(reader, line, 'alterUser');
  if (reader.acceptWord('ROLE')) return parseAlterRole(reader, line, 'database');
  if (reader.acceptWord('SERVER', 'ROLE')) return parseAlterRole(reader, line, 'server');
  throw reader.failure();
}

export function parseDrop(reader: TokenReader): Statement {
  const { line } = reader.take();
  if (reader.acceptWord('INDEX')) return parseDropIndex(reader, line);
  const what = DROPPED[reader.token.upper];
  if (what === undefined) throw reader.failure();
  reader.take();
  const ifExists = what !== 'login' && reader.acceptWord('IF', 'EXISTS');
  const names = reader.separated(() => parseObjectName(reader));
  return { kind: 'drop', line, what, names, ifExists };
}
