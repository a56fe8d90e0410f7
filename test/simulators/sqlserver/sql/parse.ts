/** The entrance to the parser. */
import type { Statement } from './ast.ts';
import { parseWholeBatch } from './parser/statements.ts';
import { TokenReader } from './parser/token-reader.ts';

/**
 * Parses one batch. Throws `SqlFailure` 102, 105, 156 … with the line for whatever the subset does not know; nothing
 * is ever skipped.
 */
export function parseBatch(text: string): readonly Statement[] {
  return parseWholeBatch(new TokenReader(text));
}
