/** Brings what a look at the tables found into the replica store: which classes stop, go on, or are to be compared. */
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { type TableVersion, tableId } from '../dialect.ts';
import { type ClassState, classStates, setClassState } from './class-states.ts';
import type { Fitting } from './fitting.ts';
import { reasonToCompare } from './reasons-to-compare.ts';
import { forget, memoryOf, remember, rememberedClasses } from './remembered-classes.ts';

export type TableVersions = ReadonlyMap<string, TableVersion>;

export type Finding = {
  readonly fitting: Fitting;
  /** As found, and after the feed was told to follow all tables. */
  readonly found: TableVersions;
  readonly now: TableVersions;
  /** Columns without a property count, because they may decide about the realm of a row. */
  readonly allColumns: boolean;
  /** Tables (by id) and columns (`id.column`) that we made just now, which nothing can be missing from. */
  readonly made: ReadonlySet<string>;
  /** Classes of the models; what is remembered of others is forgotten. */
  readonly classes: ReadonlySet<string>;
};

/** What became of one class. */
export type Turn =
  | {
      readonly kind: 'stopped';
      readonly className: string;
      readonly table: string;
      readonly reason: string;
      readonly remedy: string;
    }
  | { readonly kind: 'resumed'; readonly className: string; readonly table: string }
  | {
      readonly kind: 'comparing';
      readonly className: string;
      readonly table: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'left' | 'regained';
      readonly className: string;
      readonly table: string;
      readonly property: string;
      readonly column: string;
    };

/** Call inside the store's transaction. Nothing is compared of classes when none was remembered: they were never loaded, or never watched. */
export function takeOver(store: ReplicaStore, finding: Finding, now: Date): Turn[] {
  const { fitting, classes } = finding;
  const remembered = rememberedClasses(store);
  const states = classStates(store);
  const turns: Turn[] = [];
  for (const className of new Set([...remembered.keys(), ...states.keys()])) {
    if (classes.has(className)) continue;
    forget(store, className);
    setClassState(store, className, undefined);
  }
  for (const [className, misfit] of fitting.stopped) {
    const before = states.get(className);
    if (before?.state === 'stopped' && before.reason === misfit.reason) continue;
    setClassState(store, className, { state: 'stopped', ...misfit, since: now.toISOString() });
    turns.push({ kind: 'stopped', className, ...misfit });
  }
  for (const mapped of fitting.mapping.order) {
    const { className } = mapped;
    const table = tableId(mapped.table.table);
    const before = remembered.get(className);
    const state = states.get(className);
    const left = fitting.left.get(className) ?? new Map<string, string>();
    for (const [property, column] of left)
      if (before?.left[property] === undefined)
        turns.push({ kind: 'left', className, table, property, column });
    for (const [property, column] of Object.entries(before?.left ?? {}))
      if (!left.has(property)) turns.push({ kind: 'regained', className, table, property, column });
    const reason = reasonOf(className, state);
    if (state?.state === 'stopped') turns.push({ kind: 'resumed', className, table });
    if (reason !== undefined) {
      const first = before === undefined || (state?.state === 'comparing' && state.first);
      const run = Math.max(now.getTime(), state?.state === 'comparing' ? state.run + 1 : 0);
      setClassState(store, className, {
        state: 'comparing',
        table,
        reason,
        run,
        first,
        since: now.toISOString(),
      });
      turns.push({ kind: 'comparing', className, table, reason });
    }
    remember(store, className, memoryOf(mapped, finding.now.get(table), left));
  }
  return turns;

  function reasonOf(className: string, state: ClassState | undefined): string | undefined {
    if (state?.state === 'stopped') return 'the table fits again';
    const mapped = fitting.mapping.forClass(className);
    const before = remembered.get(className);
    if (mapped === undefined) return undefined;
    const table = tableId(mapped.table.table);
    if (before === undefined) {
      const isKnown = remembered.size === 0 || finding.made.has(table);
      return isKnown ? undefined : 'the table was not synced before';
    }
    const versions = { found: finding.found.get(table), now: finding.now.get(table) };
    const reason = reasonToCompare(withMade(before, table), mapped, versions, finding.allColumns);
    return reason;
  }

  /** The memory as if the columns that we made just now had always been there. */
  function withMade(before: NonNullable<ReturnType<typeof remembered.get>>, table: string): typeof before {
    const version = finding.now.get(table);
    if (finding.made.size === 0 || before.version === undefined || version === undefined) return before;
    const columns = { ...before.version.columns };
    for (const [name, text] of Object.entries(version.columns))
      if (finding.made.has(`${table}.${name}`)) columns[name] = text;
    const known: Record<string, readonly string[]> = { ...before.columns };
    for (const mapped of fitting.mapping.order) {
      if (tableId(mapped.table.table) !== table) continue;
      for (const { property, column } of mapped.properties.values())
        if (finding.made.has(`${table}.${column.name}`)) known[property] ??= [column.name];
    }
    return { ...before, columns: known, version: { ...before.version, columns } };
  }
}
