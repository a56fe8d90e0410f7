/**
 * List tables `oid, idx, target`: indexes stay zero-based, contiguous and unique. Changes are collected per list. One
 * change is one or two statements; several are worked out here and written as the difference, because moving the rows
 * behind each of them would cost the length of the list every time. The statements themselves are the dialect's.
 */
import { type ApplyStatement, type SqlText, type TableInfo, tableId } from '../dialect.ts';

export type ListStatement = Extract<
  ApplyStatement,
  { kind: 'listInsert' | 'listSet' | 'listErase' | 'listClear' }
>;

export type ListStep =
  | { readonly kind: 'insert'; readonly index: number; readonly targets: SqlText[] }
  | { readonly kind: 'set'; readonly index: number; readonly target: SqlText }
  | { readonly kind: 'erase'; readonly index: number };

/** What happens to one list. */
export type ListChanges = {
  readonly table: TableInfo;
  readonly oid: string;
  /** Emptied before the steps. */
  cleared: boolean;
  steps: ListStep[];
};

export type ListRow = { readonly index: number; readonly target: SqlText };

/** What the steps make of a list, in the order in which it has to be written. */
export type ListDifference = {
  /** The table had gaps: it is emptied before `appended` is written. */
  readonly rewritten: boolean;
  readonly changed: readonly ListRow[];
  /** How many items remain when the list becomes shorter. */
  readonly cutTo: number | undefined;
  readonly appended: { readonly index: number; readonly targets: readonly SqlText[] };
};

export function isListStatement(statement: ApplyStatement): statement is ListStatement {
  return statement.kind.startsWith('list');
}

/** Collects statements by list; lists do not depend on one another, so their order does not matter. */
export function addListChange(lists: Map<string, ListChanges>, statement: ListStatement): void {
  const { table, oid } = statement;
  const id = `${tableId(table.table)}\0${oid}`;
  let changes = lists.get(id);
  if (changes === undefined) {
    changes = { table, oid, cleared: false, steps: [] };
    lists.set(id, changes);
  }
  switch (statement.kind) {
    case 'listInsert': {
      const last = changes.steps.at(-1);
      const follows = last?.kind === 'insert' && last.index + last.targets.length === statement.index;
      if (follows) last.targets.push(statement.target);
      else changes.steps.push({ kind: 'insert', index: statement.index, targets: [statement.target] });
      return;
    }
    case 'listSet':
      changes.steps.push({ kind: 'set', index: statement.index, target: statement.target });
      return;
    case 'listErase':
      changes.steps.push({ kind: 'erase', index: statement.index });
      return;
    case 'listClear':
      changes.cleared = true;
      changes.steps = [];
  }
}

/** Turns `rows`, by index, into what the steps make of them. */
export function listDifference({ steps }: ListChanges, rows: readonly ListRow[]): ListDifference {
  const before = rows.map(({ target }) => target);
  const after = afterSteps(before, steps);
  const contiguous = rows.every(({ index }, place) => index === place);
  if (!contiguous) {
    return { rewritten: true, changed: [], cutTo: undefined, appended: { index: 0, targets: after } };
  }
  const changed = after.flatMap((target, index) =>
    index < before.length && target !== before[index] ? [{ index, target }] : [],
  );
  return {
    rewritten: false,
    changed,
    cutTo: after.length < before.length ? after.length : undefined,
    appended: { index: before.length, targets: after.slice(before.length) },
  };
}

function afterSteps(before: readonly SqlText[], steps: readonly ListStep[]): SqlText[] {
  const items = [...before];
  for (const step of steps) {
    if (step.kind === 'insert') insertInto(items, step.index, step.targets);
    else if (step.kind === 'erase') items.splice(step.index, 1);
    else if (step.index < items.length) items[step.index] = step.target;
  }
  return items;
}

/** Arguments are limited in number, so long runs are not spread into one `splice`. */
function insertInto(items: SqlText[], index: number, targets: readonly SqlText[]): void {
  const tail = items.splice(index);
  for (const target of targets) items.push(target);
  for (const target of tail) items.push(target);
}
