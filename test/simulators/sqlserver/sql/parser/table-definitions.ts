/** What stands between the parentheses of CREATE TABLE: columns, constraints and indexes. */
import { SqlFailure } from '../../contract.ts';
import type {
  ColumnDefinition,
  ConstraintBody,
  IndexDefinition,
  KeyColumn,
  ReferentialAction,
  TableConstraint,
} from '../ast.ts';
import { notSimulated } from '../failures.ts';
import { parseCondition } from './conditions.ts';
import { parseExpression } from './expressions.ts';
import { parseObjectName, parseTypeName } from './names.ts';
import type { TokenReader } from './token-reader.ts';

export type TableElements = {
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly TableConstraint[];
  readonly indexes: readonly IndexDefinition[];
};

/** Options of indexes that change nothing that the simulator shows. */
const INDEX_OPTIONS = [
  'PAD_INDEX',
  'STATISTICS_NORECOMPUTE',
  'ALLOW_ROW_LOCKS',
  'ALLOW_PAGE_LOCKS',
  'OPTIMIZE_FOR_SEQUENTIAL_KEY',
  'SORT_IN_TEMPDB',
  'ONLINE',
  'IGNORE_DUP_KEY',
  'DROP_EXISTING',
];
const CONSTRAINT_WORDS = ['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'FOREIGN', 'CHECK'];

export function parseTableElements(reader: TokenReader): TableElements {
  reader.expectOperator('(');
  const elements = parseElements(reader);
  reader.expectOperator(')');
  return elements;
}

/** Columns and constraints with commas between them; a comma after the last one is allowed, as SQL Server does. */
export function parseElements(reader: TokenReader): TableElements {
  const columns: ColumnDefinition[] = [];
  const constraints: TableConstraint[] = [];
  const indexes: IndexDefinition[] = [];
  do {
    if (reader.isOperator(')')) break;
    if (reader.isAnyWord(CONSTRAINT_WORDS) || reader.isWord('DEFAULT'))
      constraints.push(parseConstraint(reader, undefined));
    else if (reader.isWord('INDEX')) indexes.push(parseInlineIndex(reader));
    else columns.push(parseColumn(reader));
  } while (reader.acceptOperator(','));
  return { columns, constraints, indexes };
}

function parseColumn(reader: TokenReader): ColumnDefinition {
  const { line } = reader;
  const name = reader.expectName();
  if (reader.acceptWord('AS')) return parseComputed(reader, line, name);
  const type = parseTypeName(reader);
  const parts = new ColumnParts();
  while (parts.parse(reader, name));
  return { line, name, type, computed: undefined, ...parts.result() };
}

function parseComputed(reader: TokenReader, line: number, name: string): ColumnDefinition {
  const position = reader.position;
  const expression = parseExpression(reader);
  const text = reader.sourceSince(position);
  const persisted = reader.acceptWord('PERSISTED');
  const parts = new ColumnParts();
  while (parts.parse(reader, name));
  return { line, name, type: undefined, computed: { expression, text, persisted }, ...parts.result() };
}

/** What may follow the type of a column, in any order. */
class ColumnParts {
  readonly #constraints: TableConstraint[] = [];
  #collation: string | undefined;
  #nullable: boolean | undefined;
  #identity: ColumnDefinition['identity'];
  #rowGuid = false;
  #sparse = false;

  /** Takes one part; false when none follows. */
  parse(reader: TokenReader, column: string): boolean {
    if (reader.acceptWord('NULL')) this.#nullable = this.#say(reader, true);
    else if (reader.acceptWord('NOT', 'NULL')) this.#nullable = this.#say(reader, false);
    else if (reader.acceptWord('COLLATE')) this.#collation = reader.expectName();
    else if (reader.acceptWord('IDENTITY')) this.#identity = parseIdentity(reader);
    else if (reader.acceptWord('ROWGUIDCOL')) this.#rowGuid = true;
    else if (reader.acceptWord('SPARSE')) this.#sparse = true;
    else if (reader.isAnyWord([...CONSTRAINT_WORDS, 'DEFAULT', 'REFERENCES']))
      this.#constraints.push(parseConstraint(reader, column));
    else return false;
    return true;
  }

  #say(reader: TokenReader, nullable: boolean): boolean {
    if (this.#nullable !== undefined && this.#nullable !== nullable) throw reader.failure();
    return nullable;
  }

  result(): Omit<ColumnDefinition, 'line' | 'name' | 'type' | 'computed'> {
    return {
      collation: this.#collation,
      nullable: this.#nullable,
      identity: this.#identity,
      rowGuid: this.#rowGuid,
      sparse: this.#sparse,
      constraints: this.#constraints,
    };
  }
}

function parseIdentity(reader: TokenReader): { readonly seed: bigint; readonly increment: bigint } {
  if (!reader.acceptOperator('(')) return { seed: 1n, increment: 1n };
  const seed = reader.expectInteger();
  reader.expectOperator(',');
  const increment = reader.expectInteger();
  reader.expectOperator(')');
  return { seed, increment };
}

/** A constraint of the table, or of `column` when it stands there. */
function parseConstraint(reader: TokenReader, column: string | undefined): TableConstraint {
  const { line } = reader;
  const name = reader.acceptWord('CONSTRAINT') ? reader.expectName() : undefined;
  return { line, name, body: parseConstraintBody(reader, column) };
}

function parseConstraintBody(reader: TokenReader, column: string | undefined): ConstraintBody {
  if (reader.acceptWord('PRIMARY', 'KEY')) return parseKey(reader, 'primaryKey', column);
  if (reader.acceptWord('UNIQUE')) return parseKey(reader, 'unique', column);
  if (reader.isWord('FOREIGN') || (column !== undefined && reader.isWord('REFERENCES')))
    return parseForeignKey(reader, column);
  if (reader.acceptWord('CHECK')) return parseCheck(reader, column);
  reader.expectWord('DEFAULT');
  const position = reader.position;
  const value = parseExpression(reader);
  const text = reader.sourceSince(position);
  if (column !== undefined) return { kind: 'default', column, value, text };
  reader.expectWord('FOR');
  return { kind: 'default', column: reader.expectName(), value, text };
}

function parseKey(
  reader: TokenReader,
  kind: 'primaryKey' | 'unique',
  column: string | undefined,
): ConstraintBody {
  const clustered = parseClustered(reader);
  const columns =
    column !== undefined && !reader.isOperator('(')
      ? [{ name: column, descending: false }]
      : parseKeyColumns(reader);
  parseIndexOptions(reader);
  return { kind, clustered, columns };
}

/** CLUSTERED or NONCLUSTERED; `undefined` when neither is said. */
export function parseClustered(reader: TokenReader): boolean | undefined {
  if (reader.acceptWord('CLUSTERED')) return true;
  return reader.acceptWord('NONCLUSTERED') ? false : undefined;
}

export function parseKeyColumns(reader: TokenReader): readonly KeyColumn[] {
  return reader.list(() => {
    const name = reader.expectName();
    const descending = reader.acceptWord('DESC');
    if (!descending) reader.acceptWord('ASC');
    return { name, descending };
  });
}

/** `WITH (FILLFACTOR = 80, …) ON [PRIMARY]`. Of those that matter only the default is accepted. */
export function parseIndexOptions(reader: TokenReader): void {
  if (reader.isWord('WITH') && reader.ahead(1).text === '(') {
    reader.take();
    reader.list(() => {
      const { line } = reader;
      if (reader.acceptWord('FILLFACTOR')) {
        reader.expectOperator('=');
        return reader.expectInteger();
      }
      if (reader.acceptWord('DATA_COMPRESSION')) {
        reader.expectOperator('=');
        return reader.expectAnyWord(['NONE', 'ROW', 'PAGE']);
      }
      const option = reader.expectAnyWord(INDEX_OPTIONS);
      reader.expectOperator('=');
      const on = reader.expectOnOff();
      if (on && (option === 'IGNORE_DUP_KEY' || option === 'DROP_EXISTING'))
        throw notSimulated(`${option} = ON`, line);
      return on;
    });
  }
  if (reader.isWord('ON') && reader.ahead(1).kind === 'quotedName') parseFileGroup(reader, 'ON');
}

/** `ON [PRIMARY]`, `TEXTIMAGE_ON [PRIMARY]`. */
export function parseFileGroup(reader: TokenReader, word: string): void {
  if (!reader.acceptWord(word)) return;
  const { line } = reader;
  if (reader.expectName().toUpperCase() !== 'PRIMARY')
    throw notSimulated('A file group other than PRIMARY', line);
}

function parseForeignKey(reader: TokenReader, column: string | undefined): ConstraintBody {
  const explicit = reader.acceptWord('FOREIGN', 'KEY');
  const columns =
    explicit && reader.isOperator('(') ? reader.names() : column === undefined ? undefined : [column];
  if (columns === undefined) throw reader.failure();
  const { line } = reader;
  reader.expectWord('REFERENCES');
  const table = parseObjectName(reader);
  const references = reader.isOperator('(') ? reader.names() : undefined;
  if (references !== undefined && references.length !== columns.length) {
    const message = 'Number of referencing columns in foreign key differs from number of referenced columns.';
    throw new SqlFailure(8139, `${message.slice(0, -1)}, table '${table.name}'.`, { line });
  }
  return { kind: 'foreignKey', columns, table, references, ...parseActions(reader) };
}

function parseActions(reader: TokenReader): {
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
} {
  let onDelete: ReferentialAction = 'noAction';
  let onUpdate: ReferentialAction = 'noAction';
  for (;;) {
    if (reader.acceptWord('ON', 'DELETE')) onDelete = parseAction(reader);
    else if (reader.acceptWord('ON', 'UPDATE')) onUpdate = parseAction(reader);
    else if (reader.acceptWord('NOT', 'FOR', 'REPLICATION')) continue;
    else return { onDelete, onUpdate };
  }
}

function parseAction(reader: TokenReader): ReferentialAction {
  if (reader.acceptWord('CASCADE')) return 'cascade';
  if (reader.acceptWord('SET'))
    return reader.expectAnyWord(['NULL', 'DEFAULT']) === 'NULL' ? 'setNull' : 'setDefault';
  reader.expectWord('NO', 'ACTION');
  return 'noAction';
}

function parseCheck(reader: TokenReader, column: string | undefined): ConstraintBody {
  reader.expectOperator('(');
  const position = reader.position;
  const condition = parseCondition(reader);
  const text = reader.sourceSince(position);
  reader.expectOperator(')');
  return { kind: 'check', condition, text, column };
}

/** `INDEX name [UNIQUE] [CLUSTERED] (columns)`. */
function parseInlineIndex(reader: TokenReader): IndexDefinition {
  const { line } = reader.take();
  const name = reader.expectName();
  const unique = reader.acceptWord('UNIQUE');
  const clustered = parseClustered(reader) ?? false;
  return { line, name, unique, clustered, columns: parseKeyColumns(reader), included: [], filter: undefined };
}
