/** The entrance to the parser. */
import type { Statement } from './ast.ts';
import { parseWholeBatch } from './parser/statements.ts';
import { TokenReader } from './parser/token-reader.ts';

/** Programs send the same few texts again and again: so many of their trees are kept … */
const KEPT_BATCHES = 500;
/** … of texts up to this length. */
const LONGEST_KEPT_TEXT = 20_000;
const kept = new Map<string, readonly Statement[]>();

/**
 * Parses one batch. Throws `SqlFailure` 102, 105, 156 … with the line for whatever the subset does not know; nothing
 * is ever skipped. The same text gives the same tree.
 */
export function parseBatch(text: string): readonly Statement[] {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const statements = parseWholeBatch(new TokenReader(text));
  if (text.length > LONGEST_KEPT_TEXT) return statements;
  const [oldest] = kept.keys();
  if (kept.size >= KEPT_BATCHES && oldest !== undefined) kept.delete(oldest);
  kept.set(text, statements);
  return statements;
}
