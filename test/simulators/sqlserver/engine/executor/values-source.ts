/** `(VALUES (…), (…)) AS t (a, b)`. */
import { SqlFailure } from '../../contract.ts';
import type { TableSource } from '../../sql/ast.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { commonType } from '../../sql/types/precedence.ts';
import { compileInputs, computedLeaf } from './computed-source.ts';
import type { Leaf } from './producers.ts';
import type { QueryScope, SourceColumn } from './query-scope.ts';
import { addSource } from './sources.ts';

export function bindValues(
  source: Extract<TableSource, { readonly kind: 'values' }>,
  scope: QueryScope,
): Leaf {
  const width = source.rows[0]?.length ?? 0;
  if (source.rows.some((row) => row.length !== width)) {
    throw new SqlFailure(
      10709,
      'The number of columns for each row in a table value constructor must be the same.',
      { line: source.line },
    );
  }
  const { compiled, constant } = compileInputs(source.rows.flat(), scope);
  const rows = source.rows.map((_row, at) => compiled.slice(at * width, (at + 1) * width));
  const columns = Array.from({ length: width }, (_unused, at): SourceColumn => {
    const cells = rows.map((row) => row[at]!);
    const typed = cells.filter((cell) => !cell.untypedNull);
    const type = typed.map((cell) => cell.type).reduce(commonType, (typed[0] ?? cells[0]!).type);
    const collation = typed.find((cell) => cell.collation)?.collation;
    return {
      name: '',
      slot: at,
      type,
      nullable: cells.some((cell) => cell.nullable),
      ...(collation ? { collation } : {}),
    };
  });
  const bound = addSource(
    scope,
    source.alias ? [source.alias] : [],
    columns,
    undefined,
    source.columnAliases,
    source.line,
  );
  return computedLeaf(bound, constant, (env) =>
    rows.map((row) =>
      row.map((cell, at) => {
        const value = cell.evaluate(env);
        return value === null
          ? null
          : convertDatum(value, cell.type, columns[at]!.type, env.run.session.conversion);
      }),
    ),
  );
}
