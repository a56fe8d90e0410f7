/** The views of `sys` and INFORMATION_SCHEMA. */
import { SqlFailure } from '../../contract.ts';
import type { ObjectName } from '../../sql/ast.ts';
import type { Session } from '../session/session.ts';
import { columnViews } from './column-views.ts';
import { constraintViews } from './constraint-views.ts';
import { informationViews } from './information-views.ts';
import { objectViews } from './object-views.ts';
import { securityViews } from './security-views.ts';
import { serverViews } from './server-views.ts';
import type { CatalogView } from './view-definition.ts';

const system: ReadonlyMap<string, CatalogView> = new Map(
  Object.entries({ ...objectViews, ...columnViews, ...constraintViews, ...securityViews, ...serverViews }),
);
const information: ReadonlyMap<string, CatalogView> = new Map(Object.entries(informationViews));

export type BoundView = {
  readonly columns: CatalogView['columns'];
  readonly rows: (session: Session) => ReturnType<CatalogView['rows']>;
};

/** The catalog's view of that name; undefined for names that are none of its. */
export function systemView(name: ObjectName, session: Session): BoundView | undefined {
  const schema = name.schema?.toLowerCase();
  const legacy =
    name.name.toLowerCase() === 'sysdatabases' &&
    (schema === 'dbo' || schema === undefined || schema === 'sys');
  const views =
    schema === 'sys' || legacy ? system : schema === 'information_schema' ? information : undefined;
  if (!views) return undefined;
  const found = views.get(legacy ? 'databases' : name.name.toLowerCase());
  if (!found) {
    const full = [name.database, name.schema, name.name].filter((part) => part !== undefined).join('.');
    throw new SqlFailure(208, `Invalid object name '${full}'.`, { line: name.line });
  }
  const database = session.databaseNamed(name.database, name.line);
  return { columns: found.columns, rows: (at) => found.rows(at, database) };
}
