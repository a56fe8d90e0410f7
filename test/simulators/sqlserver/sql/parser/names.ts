/** Names of objects and types. */
import type { ObjectName, TypeName } from '../ast.ts';
import { notSimulated } from '../failures.ts';
import type { TokenReader } from './token-reader.ts';

/** `name`, `schema.name`, `database.schema.name`, `database..name`. */
export function parseObjectName(reader: TokenReader): ObjectName {
  const line = reader.line;
  const parts: (string | undefined)[] = [reader.expectName()];
  while (reader.acceptOperator('.')) {
    if (reader.isOperator('.')) parts.push(undefined);
    else parts.push(reader.expectName());
  }
  if (parts.length > 3) throw notSimulated('A name with a server in it', line);
  const [name, schema, database] = parts.reverse();
  if (name === undefined) throw reader.failure();
  return { line, database, schema, name };
}

/** `a.b.c`, as columns and functions have it. */
export function parseDottedName(reader: TokenReader): readonly string[] {
  const parts = [reader.expectName()];
  while (reader.isOperator('.') && !(reader.ahead(1).kind === 'operator' && reader.ahead(1).text === '*')) {
    reader.take();
    parts.push(reader.expectName());
  }
  return parts;
}

const TWO_WORD_TYPES: Readonly<Record<string, readonly [string, string][]>> = {
  DOUBLE: [['PRECISION', 'float']],
  CHAR: [['VARYING', 'varchar']],
  CHARACTER: [['VARYING', 'varchar']],
  BINARY: [['VARYING', 'varbinary']],
};
const NATIONAL_TYPES: Readonly<Record<string, string>> = { CHAR: 'nchar', CHARACTER: 'nchar', TEXT: 'ntext' };

/** A type with its parameters: `decimal(10, 2)`, `nvarchar(max)`, `[sys].[int]`. */
export function parseTypeName(reader: TokenReader): TypeName {
  const line = reader.line;
  const { schema, name } = parseTypeWords(reader);
  const parameters = reader.isOperator('(')
    ? reader.list(() => (reader.acceptWord('MAX') ? ('max' as const) : Number(reader.expectInteger())))
    : [];
  return { line, schema, name, parameters };
}

function parseTypeWords(reader: TokenReader): { readonly schema: string | undefined; readonly name: string } {
  if (reader.acceptWord('NATIONAL')) {
    const word = reader.take();
    const name = NATIONAL_TYPES[word.upper];
    if (name === undefined) throw reader.failure(word);
    return { schema: undefined, name: reader.acceptWord('VARYING') ? 'nvarchar' : name };
  }
  const first = reader.isWord('DOUBLE') ? reader.take() : undefined;
  const word = first?.upper ?? reader.token.upper;
  const name = first?.text ?? reader.expectName();
  for (const [second, type] of TWO_WORD_TYPES[word] ?? [])
    if (reader.acceptWord(second)) return { schema: undefined, name: type };
  if (first !== undefined) throw reader.failure();
  if (reader.acceptOperator('.')) return { schema: name, name: reader.expectName() };
  return { schema: undefined, name };
}

/** `AS alias`, or just `alias`. */
export function parseAlias(reader: TokenReader): string | undefined {
  if (reader.acceptWord('AS')) return reader.expectName();
  return reader.isName ? reader.take().text : undefined;
}
