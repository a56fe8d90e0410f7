/** How one class and one table stand to each other, resolved once at start; everything after only follows it. */
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import type { LinkValue, NullValue, PrimaryKey, ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { ColumnInfo, KeyLookup, SqlText, TableInfo, ValueCodec } from '../dialect.ts';
import type { FollowedList } from './followed-lists.ts';
import { requireOwnTable } from './names.ts';

export type MappedColumn = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly column: ColumnInfo;
  /** Links included: their texts are those of the target's key. */
  readonly codec: ValueCodec;
  /**
   * Set for a link whose column holds the key that the database made for the target: the codec writes the key of the
   * object, which the writer looks up, and reads the key of the row, for which the directory knows the object.
   */
  readonly lookup?: KeyLookup;
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
  /** The classes of the models as the columns know them: without the properties that stay in the realm. */
  readonly schema: RealmSchema;
  /** By column name, for links inside the value that are as {@link MappedColumn.lookup} says. */
  readonly lookups?: ReadonlyMap<string, KeyLookup>;
};

/** A collection kept in a table of its own: `oid, idx, target` for lists, `oid, key, target` for dictionaries, `oid, target` for sets. */
export type ItemTableMapping = {
  readonly property: string;
  readonly definition: ColumnDefinition;
  readonly table: TableInfo;
  /** The columns after `oid`. */
  readonly columns: readonly string[];
  /** From rows of `columns`, in the order of the table's key. Throws `DataError`. */
  readonly toRealm: (rows: readonly (readonly SqlText[])[]) => StateValue;
  readonly toSql: (value: StateValue) => readonly (readonly SqlText[])[];
  /** Set where `target` holds the key that the database made. */
  readonly targetLookup?: KeyLookup;
};

/**
 * How the database tells the rows of a class apart, where that is not the key of the class: by a key that it makes
 * itself (`RealmId` beside an identity column). Texts are those of `column`.
 */
export type RowKey = {
  readonly column: string;
  readonly lookup: KeyLookup;
  /** Nothing but those who write keeps two rows from having the same key of the class. */
  readonly unguarded?: boolean;
  /** A key for a row that came without one, as the text of the class's key column; undefined where none can be made. */
  readonly generate: (() => string) | undefined;
  /** From the directory; undefined for rows that it does not know. */
  readonly keyOf: (row: string) => PrimaryKey | undefined;
  readonly rowOf: (key: PrimaryKey) => string | undefined;
};

export type KeyMapping = {
  /** Set when the table's rows have a key of their own, which the database makes. */
  readonly row?: RowKey;
  readonly columns: readonly string[];
  /** Texts in the order of `columns`. Throws `DataError`. */
  readonly toRealm: (texts: readonly string[]) => PrimaryKey;
  readonly toSql: (key: PrimaryKey) => readonly string[];
};

/** A list of links kept in a table `oid, idx, target`. */
export type ListMapping = {
  readonly property: string;
  readonly table: TableInfo;
  /** A target of which the directory knows no object is null. */
  readonly toRealm: (target: string) => LinkValue | NullValue;
  readonly toSql: (target: ScalarValue) => SqlText;
  /** Set where `target` holds the key that the database made. */
  readonly targetLookup?: KeyLookup;
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
  /** By property name: other collections with tables of their own, written whole and read when loading. */
  readonly itemTables: ReadonlyMap<string, ItemTableMapping>;
  /** By property name: lists that are kept from both sides. Those with a table are among `lists`, too. */
  readonly followed?: ReadonlyMap<string, FollowedList>;
};

export class Mapping {
  readonly #byClass = new Map<string, ClassMapping>();
  readonly #byTable = new Map<string, ClassMapping>();
  /** Parents before children, as far as foreign keys have no cycle. */
  readonly order: readonly ClassMapping[];
  /** The lists that are kept from both sides, as far as both of their classes are mapped. */
  readonly followedLists: readonly FollowedList[];

  constructor(classes: readonly ClassMapping[]) {
    this.order = parentsFirst(classes);
    const names = new Set(classes.map(({ className }) => className));
    this.followedLists = classes.flatMap(({ followed }) =>
      [...(followed?.values() ?? [])].filter(({ targetClass }) => names.has(targetClass)),
    );
    const owners = new Map<string, string>();
    for (const mapped of classes) {
      this.#byClass.set(mapped.className, mapped);
      requireOwnTable(nameOf(mapped), mapped.className, owners);
      this.#byTable.set(nameOf(mapped), mapped);
    }
  }

  followedList(className: string, property: string): FollowedList | undefined {
    return this.followedLists.find((list) => list.ownerClass === className && list.property === property);
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
  const parents = referencesOf(classes);
  const ordered: ClassMapping[] = [];
  const visited = new Set<ClassMapping>();
  const visit = (mapped: ClassMapping): void => {
    if (visited.has(mapped)) return;
    visited.add(mapped);
    for (const { parent, firm } of parents.get(mapped) ?? []) {
      // Where tables refer to one another, a reference that may be empty first does not decide the order.
      if (firm || !reaches(parent, mapped, parents)) visit(parent);
    }
    ordered.push(mapped);
  };
  for (const mapped of classes) visit(mapped);
  return ordered;
}

/** `firm`: a row cannot be there before the one that it refers to. */
type Reference = { readonly parent: ClassMapping; readonly firm: boolean };

function referencesOf(classes: readonly ClassMapping[]): Map<ClassMapping, readonly Reference[]> {
  const byTable = new Map(classes.map((mapped) => [nameOf(mapped), mapped]));
  const references = new Map<ClassMapping, Reference[]>();
  for (const mapped of classes) {
    const found: Reference[] = [];
    const add = (name: string, firm: boolean): void => {
      const parent = byTable.get(name);
      if (parent !== undefined && parent !== mapped) found.push({ parent, firm });
    };
    const nullable = new Set(
      mapped.table.columns.filter((column) => column.nullable).map(({ name }) => name),
    );
    for (const { columns, referenced } of mapped.table.foreignKeys) {
      add(`${referenced.schema}.${referenced.name}`, !columns.some((name) => nullable.has(name)));
    }
    // A key that the database makes is there only after its row.
    for (const { lookup, column } of mapped.properties.values()) {
      if (lookup !== undefined) add(nameOf(lookup), !column.nullable);
    }
    references.set(mapped, found);
  }
  return references;
}

function reaches(
  from: ClassMapping,
  to: ClassMapping,
  references: ReadonlyMap<ClassMapping, readonly Reference[]>,
): boolean {
  const seen = new Set([from]);
  for (const each of seen) {
    if (each === to) return true;
    for (const { parent } of references.get(each) ?? []) seen.add(parent);
  }
  return false;
}

function nameOf(mapped: { readonly table: TableInfo }): string {
  return `${mapped.table.table.schema}.${mapped.table.table.name}`;
}
