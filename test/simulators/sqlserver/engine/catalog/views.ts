/** Views that users made. */
import type { QueryExpression } from '../../sql/ast.ts';
import { parseBatch } from '../../sql/parse.ts';
import type { CommonTables } from '../executor/query-scope.ts';
import type { View } from '../storage/database.ts';

export type UserView = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly query: QueryExpression;
  readonly names: readonly string[] | undefined;
  readonly commonTables: CommonTables;
};

const parsed = new WeakMap<View, UserView>();

/** The query behind a view. */
export function findView(view: View): UserView {
  let found = parsed.get(view);
  if (!found) {
    const statement = parseBatch(view.text)[0];
    if (statement?.kind !== 'createView') throw new Error(`${view.name} is no view.`);
    let around: CommonTables = new Map();
    for (const definition of statement.commonTables) {
      around = new Map([...around, [definition.name.toLowerCase(), { definition, around }]]);
    }
    found = { ...view, query: statement.query, names: statement.columns, commonTables: around };
    parsed.set(view, found);
  }
  return found;
}
