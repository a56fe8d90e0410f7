import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../../schema/definition.ts';

type MutableClass = Omit<ClassDefinition, 'columns'> & { readonly columns: Map<string, ColumnDefinition> };

/** A realm schema that grows and shrinks by single classes and columns. Callers check before they change. */
export class MutableSchema {
  readonly #classes = new Map<string, MutableClass>();

  constructor(initial: RealmSchema = new Map()) {
    for (const definition of initial.values()) this.addClass(definition);
  }

  /** The live schema, not a copy. */
  get classes(): RealmSchema {
    return this.#classes;
  }

  addClass(definition: ClassDefinition): void {
    this.#classes.set(definition.name, { ...definition, columns: new Map(definition.columns) });
  }

  eraseClass(table: string): void {
    this.#classes.delete(table);
  }

  addColumn(table: string, field: string, column: ColumnDefinition): void {
    this.#classes.get(table)?.columns.set(field, column);
  }

  eraseColumn(table: string, field: string): void {
    this.#classes.get(table)?.columns.delete(field);
  }
}
