/**
 * Which classes of the models fit the tables as they are now. A class whose table was changed so that it does not fit
 * any more is left out of the mapping, not the whole: for what others need of it (the text of its key) the table as it
 * was takes the place of the present one. Models that never fitted their tables are a mistake, and thrown.
 */
import type { ClassDefinition } from '../../schema/definition.ts';
import { type Catalog, type SourceDialect, type TableInfo, tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import { type ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import { watchedTables } from '../mapping/followed-lists.ts';
import type { ConnectorOptions, MappingOptions } from '../options.ts';
import { columnsOf, type RememberedClass } from './remembered-classes.ts';
import { describeDifference } from './table-difference.ts';

export type FittingContext = {
  readonly options: ConnectorOptions;
  readonly dialect: SourceDialect;
  readonly definitions: ReadonlyMap<string, ClassDefinition>;
  readonly catalog: Catalog;
  readonly remembered: ReadonlyMap<string, RememberedClass>;
  /** Throws `MappingError` for the first class that does not fit. */
  readonly build: (catalog: Catalog, options: MappingOptions) => Mapping;
};

/** Why a class does not run. */
export type Misfit = { readonly table: string; readonly reason: string; readonly remedy: string };

export type Fitting = {
  /** Of the classes that run. */
  readonly mapping: Mapping;
  readonly stopped: ReadonlyMap<string, Misfit>;
  /** Properties that stay in the realm because their column was dropped, with its name, by class. */
  readonly left: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

/** Throws `MappingError` when a class does not fit that never did. */
export async function fitClasses(context: FittingContext): Promise<Fitting> {
  const attempt = new Attempt(context);
  let built = attempt.build();
  built = attempt.refuseUnfilled(built);
  for (;;) {
    const running = built.order.filter(({ className }) => attempt.runs(className));
    const faults = await context.dialect.catalogWatch?.faults(running.flatMap(watchedOf));
    const before = attempt.stopped.size;
    for (const mapped of running) {
      const fault = watchedOf(mapped).flatMap(({ table }) => faults?.get(tableId(table)) ?? [])[0];
      if (fault !== undefined) attempt.stop(mapped.className, fault);
    }
    if (attempt.stopped.size === before) break;
    built = attempt.build();
  }
  return {
    mapping: new Mapping(built.order.filter(({ className }) => attempt.runs(className))),
    stopped: attempt.stopped,
    left: attempt.leftOut(built),
  };
}

/** The tables of a class that the change feed shows. */
function watchedOf({ table, followed }: ClassMapping): TableInfo[] {
  return [table, ...watchedTables([...(followed?.values() ?? [])])];
}

class Attempt {
  readonly stopped = new Map<string, Misfit>();
  readonly #context: FittingContext;
  /** Properties that are left out for want of their column, by class. */
  readonly #left = new Map<string, Set<string>>();

  constructor(context: FittingContext) {
    this.#context = context;
  }

  runs(className: string): boolean {
    return !this.stopped.has(className);
  }

  /** The mapping with every class that was changed beyond fitting as it was before. */
  build(): Mapping {
    for (;;) {
      try {
        const built = this.#build();
        return this.#takeBack() ? this.#build() : built;
      } catch (error) {
        if (!(error instanceof MappingError) || error.className === undefined) throw error;
        if (this.#leaveOut(error.className)) continue;
        this.#stopOrThrow(error.className, error);
      }
    }
  }

  /** Stops the classes whose table now demands a column that no property fills. */
  refuseUnfilled(built: Mapping): Mapping {
    if (this.#context.options.tableOfRealm !== undefined) return built; // which may fill any column
    let changed = false;
    for (const mapped of built.order) {
      const before = this.#context.remembered.get(mapped.className);
      if (before === undefined || !this.runs(mapped.className)) continue;
      const members = built.followedLists.flatMap(({ targetClass, member }) =>
        targetClass === mapped.className ? (member?.column.name ?? []) : [],
      );
      const known = new Set([...unfilled(mapped, before.tables[0]), ...members]);
      const column = unfilled(mapped, mapped.table).find((name) => !known.has(name));
      if (column === undefined) continue;
      this.stop(
        mapped.className,
        new MappingError(
          `column ${tableId(mapped.table.table)}.${column} must be given in every row, but no property of ${mapped.className} fills it`,
          {
            remedy: `add the property to the models, or give the column a DEFAULT or drop its NOT NULL`,
          },
        ),
      );
      changed = true;
    }
    return changed ? this.build() : built;
  }

  stop(className: string, error: Error): void {
    const before = this.#context.remembered.get(className);
    if (before === undefined) throw error;
    const remedy = error instanceof MappingError ? error.remedy : remedyOf(error);
    const reason = remedy === undefined ? error.message : error.message.replace(` — ${remedy}`, '');
    const [table] = before.tables;
    const id = table === undefined ? className : tableId(table.table);
    const changed = table === undefined ? '' : describeDifference(table, this.#context.catalog.get(id));
    this.stopped.set(className, {
      table: id,
      reason: changed === '' ? reason : `${reason} (${changed})`,
      remedy: `change the table back, or ${remedy ?? 'correct the models and start again'}; the class goes on by itself when it fits`,
    });
    this.#left.set(className, new Set(Object.keys(before.left)));
  }

  /** By class, the properties of the models that had a column and have none now. */
  leftOut(built: Mapping): Map<string, Map<string, string>> {
    const left = new Map<string, Map<string, string>>();
    const { options, remembered } = this.#context;
    for (const mapped of built.order) {
      const before = remembered.get(mapped.className);
      if (before === undefined || !this.runs(mapped.className)) continue;
      const columns = columnsOf(mapped);
      const gone = new Map<string, string>();
      const had = { ...Object.fromEntries(firstColumns(before)), ...before.left };
      for (const [property, column] of Object.entries(had)) {
        if (columns.has(property) || !mapped.definition.columns.has(property)) continue;
        if (!options.mapping.ignores(mapped.className, property)) gone.set(property, column);
      }
      if (gone.size > 0) left.set(mapped.className, gone);
    }
    return left;
  }

  #build(): Mapping {
    const { options, build } = this.#context;
    const ignores = (className: string, property: string): boolean =>
      options.mapping.ignores(className, property) || (this.#left.get(className)?.has(property) ?? false);
    return build(this.#catalog(), this.#left.size === 0 ? options.mapping : { ...options.mapping, ignores });
  }

  #catalog(): Catalog {
    if (this.stopped.size === 0) return this.#context.catalog;
    const former = new Map<string, TableInfo>();
    for (const className of this.stopped.keys()) {
      for (const table of this.#context.remembered.get(className)?.tables ?? [])
        former.set(tableId(table.table), table);
    }
    const catalog = new Map(this.#context.catalog);
    for (const [id, table] of catalog) catalog.set(id, this.#withFormerReferences(table, former));
    for (const [id, table] of former) catalog.set(id, table);
    return catalog;
  }

  /** The table with its references to stopped tables as they were, as those tables are. */
  #withFormerReferences(table: TableInfo, former: ReadonlyMap<string, TableInfo>): TableInfo {
    const refersToFormer = table.foreignKeys.some(({ referenced }) => former.has(tableId(referenced)));
    if (!refersToFormer) return table;
    const id = tableId(table.table);
    const before = [...this.#context.remembered.values()]
      .flatMap(({ tables }) => tables)
      .find((candidate) => tableId(candidate.table) === id);
    const foreignKeys = table.foreignKeys.flatMap((key) => {
      if (!former.has(tableId(key.referenced))) return [key];
      return before?.foreignKeys.filter(({ columns }) => columns.join() === key.columns.join()) ?? [];
    });
    return { ...table, foreignKeys };
  }

  /** Leaves the optional properties out whose column is gone; false when there are none that were not left out yet. */
  #leaveOut(className: string): boolean {
    const before = this.#context.remembered.get(className);
    const definition = this.#context.definitions.get(className);
    const table = before?.tables[0];
    if (before === undefined || table === undefined || this.stopped.has(className)) return false;
    const present = new Set(
      this.#context.catalog.get(tableId(table.table))?.columns.map(({ name }) => name) ?? [],
    );
    if (present.size === 0) return false;
    const left = this.#left.get(className) ?? new Set<string>();
    const { size } = left;
    for (const [property, column] of [...firstColumns(before), ...Object.entries(before.left)]) {
      const of = definition?.columns.get(property);
      if (of === undefined || present.has(column)) continue;
      if (of.nullable || of.collection !== 'single') left.add(property);
    }
    this.#left.set(className, left);
    return left.size > size;
  }

  /** What was left out but has a column after all, under another name: one by one. */
  #takeBack(): boolean {
    let changed = false;
    for (const [className, left] of this.#left) {
      if (this.stopped.has(className)) continue;
      for (const property of [...left]) {
        left.delete(property);
        if (this.#builds()) changed = true;
        else left.add(property);
      }
    }
    return changed;
  }

  #builds(): boolean {
    try {
      this.#build();
      return true;
    } catch (error) {
      if (error instanceof MappingError) return false;
      throw error;
    }
  }

  #stopOrThrow(className: string, error: MappingError): void {
    if (this.stopped.has(className) || !this.#context.remembered.has(className)) throw error;
    this.stop(className, error);
  }
}

/** The first column of each property, without the key. */
function firstColumns({ columns }: RememberedClass): [string, string][] {
  return Object.entries(columns).flatMap(([property, [column]]): [string, string][] =>
    property === '' || column === undefined ? [] : [[property, column]],
  );
}

/** Columns that an INSERT must name and that no property writes. */
function unfilled(mapped: ClassMapping, table: TableInfo | undefined): string[] {
  const filled = new Set([...columnsOf(mapped).values()].flat());
  return (table?.columns ?? [])
    .filter(({ nullable, hasDefault, readOnly }) => !nullable && !hasDefault && !readOnly)
    .map(({ name }) => name)
    .filter((name) => !filled.has(name));
}

function remedyOf(error: Error): string | undefined {
  return 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : undefined;
}
