/** The declaration of parameters that sp_executesql takes: `@a int, @b nvarchar(max) OUTPUT`. */
import { SqlFailure, type SqlType } from '../../contract.ts';
import { parseBatch } from '../../sql/parse.ts';
import { resolveTypeName } from '../../sql/types/type-names.ts';

export type DeclaredParameter = { readonly name: string; readonly type: SqlType; readonly output: boolean };

const parsed = new Map<string, readonly DeclaredParameter[]>();
const MOST_KEPT = 1000;

export function parseParameters(text: string): readonly DeclaredParameter[] {
  if (text.trim() === '') return [];
  const known = parsed.get(text);
  if (known) return known;
  const pieces = splitPieces(text);
  const outputs = pieces.map((piece) => /\s(?:OUTPUT|OUT)\s*$/i.test(piece));
  const plain = pieces.map((piece) => piece.replace(/\s(?:OUTPUT|OUT)\s*$/i, ''));
  const [statement] = parseBatch(`DECLARE ${plain.join(', ')}`);
  if (statement?.kind !== 'declare')
    throw new SqlFailure(102, `Incorrect syntax near '${text}'.`, { severity: 15 });
  const made = statement.variables.map(({ name, type }, at) => ({
    name,
    type: resolveTypeName(type, 'column'),
    output: outputs[at] ?? false,
  }));
  if (parsed.size >= MOST_KEPT) parsed.clear();
  parsed.set(text, made);
  return made;
}

/** Cut at the commas that are not in parentheses. */
function splitPieces(text: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ',' && depth === 0) {
      pieces.push(text.slice(from, at));
      from = at + 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}
