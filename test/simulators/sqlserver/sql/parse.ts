/** The entrance to the parser. */
import type { Statement } from './ast.ts';

/**
 * Parses one batch. Throws `SqlFailure` 102, 105, 156 … with the line for whatever the subset does not know; nothing
 * is ever skipped.
 */
export function parseBatch(_text: string): readonly Statement[] {
  throw new Error('not here yet');
}
