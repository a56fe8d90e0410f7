/** The classes and columns of realms, with the numbers that stand for them in stored objects. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type {
  ClassDefinition,
  CollectionKind,
  ColumnDefinition,
  PrimaryKeyDefinition,
} from '../../schema/definition.ts';
import type { PrimaryKeyType, ValueType } from '../../schema/value.ts';
import type { ClassLayout, ColumnLayout } from '../state/layout.ts';
import { IndexTable } from './index-table.ts';

/** A class as stored. Changes with the methods of {@link SchemaTable}. */
export type StoredClass = ClassLayout & {
  readonly id: bigint;
  readonly definition: ClassDefinition;
  readonly byName: Map<string, ColumnLayout>;
  readonly byId: (ColumnLayout | undefined)[];
  /** Columns with an index; see {@link IndexTable}. */
  readonly indexes: IndexedColumn[];
};

export type IndexedColumn = {
  readonly layout: ColumnLayout;
  /** Every object is in the index. Until then it is kept up to date, but not read. */
  complete: boolean;
};

export class SchemaTable {
  readonly indexes: IndexTable;
  readonly #classes: StatementSync;
  readonly #columns: StatementSync;
  readonly #addClass: StatementSync;
  readonly #eraseClass: StatementSync;
  readonly #eraseColumns: StatementSync;
  readonly #addColumn: StatementSync;
  readonly #countColumn: StatementSync;
  readonly #eraseColumn: StatementSync;

  constructor(database: DatabaseSync) {
    this.indexes = new IndexTable(database);
    this.#classes = database.prepare('SELECT * FROM classes WHERE realm = ? ORDER BY id');
    this.#columns = database.prepare('SELECT * FROM columns WHERE class = ? ORDER BY id');
    this.#addClass = database.prepare(`INSERT INTO classes
      (realm, name, kind, key_field, key_type, key_nullable, next_column) VALUES (?, ?, ?, ?, ?, ?, 0)`);
    this.#eraseClass = database.prepare('DELETE FROM classes WHERE id = ?');
    this.#eraseColumns = database.prepare('DELETE FROM columns WHERE class = ?');
    this.#addColumn = database.prepare(`INSERT INTO columns
      (class, id, name, type, nullable, collection, link_target) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#countColumn = database.prepare(
      'UPDATE classes SET next_column = next_column + 1 WHERE id = ? RETURNING next_column - 1 AS id',
    );
    this.#eraseColumn = database.prepare('DELETE FROM columns WHERE class = ? AND id = ?');
  }

  load(realm: number): Map<string, StoredClass> {
    const classes = new Map<string, StoredClass>();
    for (const row of this.#classes.all(realm)) {
      const stored = storedClass(BigInt(row.id as number), definitionOf(row));
      for (const column of this.#columns.all(stored.id)) {
        place(stored, { id: Number(column.id), name: String(column.name), column: columnOf(column) });
      }
      for (const [id, complete] of this.indexes.columns(stored.id)) {
        const layout = stored.byId[id];
        if (layout !== undefined) stored.indexes.push({ layout, complete });
      }
      classes.set(stored.definition.name, stored);
    }
    return classes;
  }

  /** Starts an index on a column; the caller sees to its values. */
  addIndex(owner: StoredClass, layout: ColumnLayout): void {
    this.indexes.addColumn(owner.id, layout.id);
    owner.indexes.push({ layout, complete: false });
  }

  completeIndex(owner: StoredClass, index: IndexedColumn): void {
    this.indexes.completeColumn(owner.id, index.layout.id);
    index.complete = true;
  }

  /** Adds a class with the columns of its definition. */
  addClass(realm: number, definition: ClassDefinition): StoredClass {
    const { name, kind, primaryKey } = definition;
    const { lastInsertRowid } = this.#addClass.run(
      realm,
      name,
      kind,
      primaryKey?.field ?? null,
      primaryKey?.type ?? null,
      primaryKey?.nullable === true ? 1 : 0,
    );
    const stored = storedClass(BigInt(lastInsertRowid), { ...definition, columns: new Map() });
    for (const [field, column] of definition.columns) this.addColumn(stored, field, column);
    return stored;
  }

  eraseClass({ id, indexes }: StoredClass): void {
    for (const { layout } of indexes) this.indexes.removeColumn(id, layout.id);
    this.#eraseColumns.run(id);
    this.#eraseClass.run(id);
  }

  addColumn(owner: StoredClass, field: string, column: ColumnDefinition): void {
    const id = Number(this.#countColumn.get(owner.id)?.id);
    const { type, nullable, collection, linkTarget } = column;
    this.#addColumn.run(owner.id, id, field, type, nullable ? 1 : 0, collection, linkTarget ?? null);
    place(owner, { id, name: field, column });
  }

  eraseColumn(owner: StoredClass, field: string): void {
    const layout = owner.byName.get(field);
    if (layout === undefined) return;
    this.#eraseColumn.run(owner.id, layout.id);
    const index = owner.indexes.findIndex((candidate) => candidate.layout === layout);
    if (index >= 0) {
      owner.indexes.splice(index, 1);
      this.indexes.removeColumn(owner.id, layout.id);
    }
    owner.byName.delete(field);
    owner.byId[layout.id] = undefined;
    (owner.definition.columns as Map<string, ColumnDefinition>).delete(field);
  }
}

function storedClass(id: bigint, definition: ClassDefinition): StoredClass {
  return { id, definition, byName: new Map(), byId: [], indexes: [] };
}

function place(owner: StoredClass, layout: ColumnLayout): void {
  owner.byName.set(layout.name, layout);
  owner.byId[layout.id] = layout;
  (owner.definition.columns as Map<string, ColumnDefinition>).set(layout.name, layout.column);
}

type Row = Record<string, SQLOutputValue>;

function definitionOf(row: Row): ClassDefinition {
  const name = String(row.name);
  const kind = row.kind as ClassDefinition['kind'];
  const columns = new Map<string, ColumnDefinition>();
  if (row.key_type === null) return { name, kind, columns };
  const primaryKey: PrimaryKeyDefinition = {
    field: String(row.key_field),
    type: row.key_type as PrimaryKeyType,
    nullable: row.key_nullable === 1,
  };
  return { name, kind, primaryKey, columns };
}

function columnOf(row: Row): ColumnDefinition {
  const type = row.type as ValueType;
  const nullable = row.nullable === 1;
  const collection = row.collection as CollectionKind;
  return row.link_target === null
    ? { type, nullable, collection }
    : { type, nullable, collection, linkTarget: String(row.link_target) };
}
