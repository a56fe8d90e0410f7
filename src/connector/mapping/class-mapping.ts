/** How one class and one table stand to each other, resolved once at start; everything after only follows it. */
import type { ClassDefinition, ColumnDefinition } from '../../schema/definition.ts';
import type { LinkValue, PrimaryKey, ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ColumnInfo, SqlText, TableInfo, ValueCodec } from '../dialect.ts';

export type MappedColumn = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly column: ColumnInfo;
  /** Links included: their texts are those of the target's key. */
  readonly codec: ValueCodec;
};

/**
 * A property that is more than one scalar in one column: a collection, an embedded object or a mixed value held by a
 * column as a whole, or a value whose parts stand in several columns.
 */
export type MappedState = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly columns: readonly ColumnInfo[];
  /** From the texts of `columns`, in their order. Throws `DataError`. */
  readonly toRealm: (texts: readonly SqlText[]) => StateValue;
  readonly toSql: (value: StateValue) => readonly SqlText[];
};

export type KeyMapping = {
  readonly columns: readonly string[];
  /** Texts in the order of `columns`. Throws `DataError`. */
  readonly toRealm: (texts: readonly string[]) => PrimaryKey;
  readonly toSql: (key: PrimaryKey) => readonly string[];
};

/** A list of links kept in a table `oid, idx, target`. */
export type ListMapping = {
  readonly property: string;
  readonly table: TableInfo;
  readonly toRealm: (target: string) => LinkValue;
  readonly toSql: (target: ScalarValue) => SqlText;
};

export type ClassMapping = {
  readonly className: string;
  readonly definition: ClassDefinition;
  readonly table: TableInfo;
  readonly key: KeyMapping;
  /** By property name, without the key. */
  readonly properties: ReadonlyMap<string, MappedColumn>;
  /** By property name: those that need more than one scalar. */
  readonly states: ReadonlyMap<string, MappedState>;
  readonly lists: ReadonlyMap<string, ListMapping>;
};

export class Mapping {
  readonly #byClass = new Map<string, ClassMapping>();
  readonly #byTable = new Map<string, ClassMapping>();
  /** Parents before children, as far as foreign keys have no cycle. */
  readonly order: readonly ClassMapping[];

  constructor(classes: readonly ClassMapping[]) {
    this.order = parentsFirst(classes);
    for (const mapped of classes) {
      this.#byClass.set(mapped.className, mapped);
      this.#byTable.set(`${mapped.table.table.schema}.${mapped.table.table.name}`, mapped);
    }
  }

  forClass(className: string): ClassMapping | undefined {
    return this.#byClass.get(className);
  }

  /** `id` as {@link tableId} makes it. */
  forTable(id: string): ClassMapping | undefined {
    return this.#byTable.get(id);
  }
}

function parentsFirst(classes: readonly ClassMapping[]): ClassMapping[] {
  const byTable = new Map(classes.map((mapped) => [nameOf(mapped), mapped]));
  const ordered: ClassMapping[] = [];
  const state = new Map<string, 'visiting' | 'done'>();
  const visit = (mapped: ClassMapping): void => {
    const name = nameOf(mapped);
    if (state.has(name)) return;
    state.set(name, 'visiting');
    for (const foreignKey of mapped.table.foreignKeys) {
      const parent = byTable.get(`${foreignKey.referenced.schema}.${foreignKey.referenced.name}`);
      if (parent !== undefined) visit(parent);
    }
    state.set(name, 'done');
    ordered.push(mapped);
  };
  for (const mapped of classes) visit(mapped);
  return ordered;
}

function nameOf(mapped: ClassMapping): string {
  return `${mapped.table.table.schema}.${mapped.table.table.name}`;
}
