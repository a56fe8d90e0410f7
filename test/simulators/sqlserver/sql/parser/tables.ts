/** CREATE, ALTER, DROP and TRUNCATE of tables and indexes. */
import type { AlterTableAction, Statement } from '../ast.ts';
import { parseCondition } from './conditions.ts';
import { parseObjectName, parseTypeName } from './names.ts';
import {
  parseClustered,
  parseElements,
  parseFileGroup,
  parseIndexOptions,
  parseKeyColumns,
  parseTableElements,
} from './table-definitions.ts';
import type { TokenReader } from './token-reader.ts';

/** After `CREATE TABLE`. */
export function parseCreateTable(reader: TokenReader, line: number): Statement {
  const name = parseObjectName(reader);
  const elements = parseTableElements(reader);
  parseFileGroup(reader, 'ON');
  parseFileGroup(reader, 'TEXTIMAGE_ON');
  parseIndexOptions(reader);
  return { kind: 'createTable', line, name, ...elements };
}

/** After `ALTER TABLE`. */
export function parseAlterTable(reader: TokenReader, line: number): Statement {
  const name = parseObjectName(reader);
  return { kind: 'alterTable', line, name, action: parseAction(reader) };
}

function parseAction(reader: TokenReader): AlterTableAction {
  const withCheck = reader.acceptWord('WITH') ? reader.expectAnyWord(['CHECK', 'NOCHECK']) : undefined;
  if (reader.acceptWord('ADD')) return parseAdd(reader, withCheck !== 'NOCHECK');
  if (reader.isAnyWord(['CHECK', 'NOCHECK'])) return parseCheckConstraint(reader, withCheck === 'CHECK');
  if (withCheck !== undefined) throw reader.failure();
  if (reader.acceptWord('ALTER', 'COLUMN')) return parseAlterColumn(reader);
  if (reader.acceptWord('DROP')) return parseDropItems(reader);
  if (reader.acceptWord('ENABLE', 'CHANGE_TRACKING'))
    return { kind: 'enableChangeTracking', trackColumns: parseTrackColumns(reader) };
  if (reader.acceptWord('DISABLE', 'CHANGE_TRACKING')) return { kind: 'disableChangeTracking' };
  if (reader.acceptWord('SWITCH', 'TO')) return { kind: 'switch', target: parseObjectName(reader) };
  throw reader.failure();
}

function parseAdd(reader: TokenReader, check: boolean): AlterTableAction {
  const { columns, constraints, indexes } = parseElements(reader);
  if (indexes.length > 0 || columns.length + constraints.length === 0) throw reader.failure();
  return { kind: 'add', check, columns, constraints, withValues: reader.acceptWord('WITH', 'VALUES') };
}

function parseAlterColumn(reader: TokenReader): AlterTableAction {
  const name = reader.expectName();
  const type = parseTypeName(reader);
  const collation = reader.acceptWord('COLLATE') ? reader.expectName() : undefined;
  const nullable = reader.acceptWord('NULL') ? true : reader.acceptWord('NOT', 'NULL') ? false : undefined;
  return { kind: 'alterColumn', name, type, collation, nullable };
}

/** `DROP CONSTRAINT a, COLUMN b, c`: the word holds for what follows it. */
function parseDropItems(reader: TokenReader): AlterTableAction {
  let kind: 'column' | 'constraint' = 'constraint';
  const items = reader.separated(() => {
    const word = reader.isAnyWord(['COLUMN', 'CONSTRAINT']) ? reader.take().upper : undefined;
    if (word !== undefined) kind = word === 'COLUMN' ? 'column' : 'constraint';
    const ifExists = word !== undefined && reader.acceptWord('IF', 'EXISTS');
    return { kind, name: reader.expectName(), ifExists };
  });
  return { kind: 'drop', items };
}

function parseCheckConstraint(reader: TokenReader, verify: boolean): AlterTableAction {
  const enabled = reader.expectAnyWord(['CHECK', 'NOCHECK']) === 'CHECK';
  reader.expectWord('CONSTRAINT');
  const names = reader.acceptWord('ALL') ? undefined : reader.separated(() => reader.expectName());
  return { kind: 'checkConstraint', verify, enabled, names };
}

function parseTrackColumns(reader: TokenReader): boolean {
  if (!reader.acceptWord('WITH')) return false;
  reader.expectOperator('(');
  reader.expectWord('TRACK_COLUMNS_UPDATED');
  reader.expectOperator('=');
  const on = reader.expectOnOff();
  reader.expectOperator(')');
  return on;
}

/** After `TRUNCATE`. */
export function parseTruncate(reader: TokenReader): Statement {
  const { line } = reader.take();
  reader.expectWord('TABLE');
  return { kind: 'truncateTable', line, name: parseObjectName(reader) };
}

/** After `CREATE`, at UNIQUE, CLUSTERED, NONCLUSTERED or INDEX. */
export function parseCreateIndex(reader: TokenReader, line: number): Statement {
  const unique = reader.acceptWord('UNIQUE');
  const clustered = parseClustered(reader) ?? false;
  reader.expectWord('INDEX');
  const name = reader.expectName();
  reader.expectWord('ON');
  const table = parseObjectName(reader);
  const columns = parseKeyColumns(reader);
  const included = reader.acceptWord('INCLUDE') ? reader.names() : [];
  const filter = parseFilter(reader);
  parseIndexOptions(reader);
  return {
    kind: 'createIndex',
    line,
    table,
    index: { line, name, unique, clustered, columns, included, filter },
  };
}

function parseFilter(
  reader: TokenReader,
): Extract<Statement, { readonly kind: 'createIndex' }>['index']['filter'] {
  if (!reader.acceptWord('WHERE')) return undefined;
  const position = reader.position;
  const condition = parseCondition(reader);
  return { condition, text: reader.sourceSince(position) };
}

/** After `ALTER INDEX`. */
export function parseAlterIndex(reader: TokenReader, line: number): Statement {
  const name = reader.acceptWord('ALL') ? undefined : reader.expectName();
  reader.expectWord('ON');
  const table = parseObjectName(reader);
  const word = reader.expectAnyWord(['REBUILD', 'DISABLE', 'REORGANIZE']);
  const action = ({ REBUILD: 'rebuild', DISABLE: 'disable', REORGANIZE: 'reorganize' } as const)[word];
  return { kind: 'alterIndex', line, name, table, action };
}

/** After `DROP INDEX`. */
export function parseDropIndex(reader: TokenReader, line: number): Statement {
  const ifExists = reader.acceptWord('IF', 'EXISTS');
  const indexes = reader.separated(() => {
    const name = reader.expectName();
    reader.expectWord('ON');
    return { name, table: parseObjectName(reader) };
  });
  return { kind: 'dropIndex', line, ifExists, indexes };
}
