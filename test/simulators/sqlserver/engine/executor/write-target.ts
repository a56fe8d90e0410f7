/** The table that INSERT, UPDATE or DELETE writes. */
import { SqlFailure } from '../../contract.ts';
import type { WriteTarget } from '../../sql/ast.ts';
import { systemView } from '../catalog/system-views.ts';
import type { Session } from '../session/session.ts';
import type { Table } from '../storage/table.ts';

export function resolveTarget(
  target: WriteTarget,
  session: Session,
): { readonly table: Table; readonly hints: readonly string[] } {
  if (target.kind === 'variable')
    return { table: session.tableVariable(target.name, target.line), hints: [] };
  if (systemView(target.name, session)) {
    throw new SqlFailure(259, 'Ad hoc updates to system catalogs are not allowed.', {
      line: target.name.line,
    });
  }
  return { table: session.requireTable(target.name), hints: target.hints };
}
