/** sp_rename: tables, columns, indexes and constraints. */
import { type Datum, type ResultPart, SqlFailure } from '../../contract.ts';
import { objectNameOf, splitName } from '../catalog/object-names.ts';
import { changing, lockForChange } from '../definitions/change.ts';
import type { Run } from '../executor/environment.ts';
import { objectKey } from '../storage/database.ts';

export function rename(run: Run, given: ReadonlyMap<string, Datum>, line: number): ResultPart {
  const name = String(given.get('@objname') ?? '');
  const wanted = String(given.get('@newname') ?? '');
  const kind =
    given.get('@objtype') === undefined || given.get('@objtype') === null
      ? 'OBJECT'
      : String(given.get('@objtype')).toUpperCase();
  if (kind === 'COLUMN' || kind === 'INDEX') renamePart(run, name, wanted, kind, line);
  else if (kind === 'OBJECT') renameObject(run, name, wanted, line);
  else
    throw new SqlFailure(15249, `Error: Explicit @objtype '${kind}' is unrecognized.`, {
      severity: 11,
      line,
    });
  const message = 'Caution: Changing any part of an object name could break scripts and stored procedures.';
  return { kind: 'message', message: { number: 15477, severity: 0, state: 1, message, line } };
}

function ambiguous(line: number, kind?: string): SqlFailure {
  const what = kind
    ? `, or the claimed @objtype (${kind}) is wrong`
    : ' or the claimed @objtype ((null)) is wrong';
  return new SqlFailure(15248, `Either the parameter @objname is ambiguous${what}.`, { severity: 11, line });
}

function renamePart(run: Run, name: string, wanted: string, kind: 'COLUMN' | 'INDEX', line: number): void {
  const parts = splitName(name) ?? [];
  const part = parts.at(-1) ?? '';
  const parsed =
    parts.length >= 2 ? { line, database: undefined, schema: parts.at(-3), name: parts.at(-2)! } : undefined;
  const found = parsed && run.session.findTable(parsed);
  const target = kind === 'COLUMN' ? found?.column(part) : found?.index(part);
  if (!parsed || !found || !target) throw ambiguous(line, kind);
  const { database, table } = lockForChange(run, found, parsed, line);
  const taken = kind === 'COLUMN' ? table.column(wanted) : table.index(wanted);
  if (taken && taken !== target) {
    throw new SqlFailure(
      15335,
      `Error: The new name '${wanted}' is already in use as a ${kind} name and would cause a duplicate that is not permitted.`,
      { severity: 11, line },
    );
  }
  const before = target.name;
  target.name = wanted;
  changing(
    run,
    database,
    () => {
      target.name = before;
    },
    table,
  );
}

function renameObject(run: Run, name: string, wanted: string, line: number): void {
  const { session } = run;
  const parsed = objectNameOf(name);
  if (!parsed) throw ambiguous(line);
  const found = session.findTable(parsed);
  if (found && !found.temporary) {
    const { database, table } = lockForChange(run, found, parsed, line);
    const [from, to] = [objectKey(table.schema, table.name), objectKey(table.schema, wanted)];
    if (database.tables.has(to) && from !== to) {
      throw new SqlFailure(
        15335,
        `Error: The new name '${wanted}' is already in use as a OBJECT name and would cause a duplicate that is not permitted.`,
        { severity: 11, line },
      );
    }
    const before = table.name;
    database.tables.delete(from);
    table.name = wanted;
    database.tables.set(to, table);
    changing(
      run,
      database,
      () => {
        database.tables.delete(to);
        table.name = before;
        database.tables.set(from, table);
      },
      table,
    );
    return;
  }
  for (const table of run.database.tables.values()) {
    const is = (one: { readonly name: string }) => one.name.toLowerCase() === parsed.name.toLowerCase();
    const constraint =
      table.foreignKeys.find(is) ??
      table.checks.find(is) ??
      table.indexes.find((one) => one.objectId !== undefined && is(one)) ??
      table.columns.flatMap((one) => (one.default ? [one.default] : [])).find(is);
    if (!constraint) continue;
    lockForChange(run, table, { line, database: undefined, schema: table.schema, name: table.name }, line);
    const before = constraint.name;
    constraint.name = wanted;
    changing(
      run,
      run.database,
      () => {
        constraint.name = before;
      },
      table,
    );
    return;
  }
  throw new SqlFailure(
    15225,
    `No item by the name of '${name}' could be found in the current database '${run.database.name}', given that @itemtype was input as '(null)'.`,
    { severity: 11, line },
  );
}
