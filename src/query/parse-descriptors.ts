/** `SORT`, `DISTINCT` and `LIMIT` behind the predicate, as many and in whatever order. */
import { parsePath } from './parse-path.ts';
import type { Substitution } from './substitution.ts';
import type { DescriptorNode, PathNode, SortKey } from './syntax.ts';
import type { TokenReader } from './token-reader.ts';

export function parseDescriptors(reader: TokenReader, substitution: Substitution): DescriptorNode[] {
  const descriptors: DescriptorNode[] = [];
  for (;;) {
    const { at } = reader.token;
    if (reader.takeKeyword('sort'))
      descriptors.push({ kind: 'sort', at, keys: sortKeys(reader, substitution) });
    else if (reader.takeKeyword('distinct'))
      descriptors.push({
        kind: 'distinct',
        at,
        paths: inParentheses(reader, () => plainPath(reader, substitution)),
      });
    else if (reader.takeKeyword('limit')) descriptors.push({ kind: 'limit', at, count: limit(reader) });
    else return descriptors;
  }
}

function inParentheses<T>(reader: TokenReader, item: () => T): T[] {
  reader.expectSymbol('(');
  const items: T[] = [];
  do items.push(item());
  while (reader.takeSymbol(','));
  reader.expectSymbol(')');
  return items;
}

function sortKeys(reader: TokenReader, substitution: Substitution): SortKey[] {
  return inParentheses(reader, () => {
    const path = plainPath(reader, substitution);
    if (reader.takeKeyword('ascending')) return { path, ascending: true };
    if (reader.takeKeyword('descending')) return { path, ascending: false };
    throw reader.expected('ASC or DESC');
  });
}

function plainPath(reader: TokenReader, substitution: Substitution): PathNode {
  const path = parsePath(reader, substitution);
  if (path.ending !== undefined) throw reader.fault(path.ending.at, 'only a property can be sorted by');
  return path;
}

function limit(reader: TokenReader): number {
  reader.expectSymbol('(');
  const { token } = reader;
  const spelling = reader.text.slice(token.at, token.end);
  if (token.kind !== 'literal' || !/^\d{1,15}$/.test(spelling)) throw reader.expected('a number of objects');
  reader.next();
  reader.expectSymbol(')');
  return Number(spelling);
}
