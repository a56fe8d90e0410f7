/** Functions that return tables. */
import { SqlFailure } from '../../contract.ts';
import type { TableSource } from '../../sql/ast.ts';
import { compileInputs, computedLeaf } from './computed-source.ts';
import type { Leaf } from './producers.ts';
import type { QueryScope } from './query-scope.ts';
import { addSource } from './sources.ts';

export function bindTableFunction(
  source: Extract<TableSource, { readonly kind: 'tableFunction' }>,
  scope: QueryScope,
): Leaf {
  const name = source.name.name.toUpperCase();
  if (name !== 'STRING_SPLIT' || source.name.schema) {
    const full = source.name.schema ? `${source.name.schema}.${source.name.name}` : source.name.name;
    throw new SqlFailure(208, `Invalid object name '${full}'.`, { line: source.line });
  }
  const { compiled, constant } = compileInputs(source.arguments, scope);
  const type = compiled[0]?.type ?? { kind: 'nvarchar', length: 4000 };
  const collation = compiled[0]?.collation;
  const columns = [{ name: 'value', slot: 0, type, nullable: true, ...(collation ? { collation } : {}) }];
  const bound = addSource(
    scope,
    [source.alias ?? source.name.name],
    columns,
    undefined,
    source.columnAliases,
    source.line,
  );
  return computedLeaf(bound, constant, (env) => {
    const [text, separator] = compiled.map((one) => one.evaluate(env));
    if (typeof text !== 'string') return [];
    if (typeof separator !== 'string' || separator.length !== 1) {
      throw new SqlFailure(214, "Procedure expects parameter 'separator' of type 'nchar(1)/nvarchar(1)'.", {
        line: source.line,
      });
    }
    return text.split(separator).map((part) => [part]);
  });
}
