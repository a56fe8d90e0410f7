import type { ObjectTable } from '../sqlite/object-table.ts';
import type { SchemaTable } from '../sqlite/schema-table.ts';
import { WorkingView } from '../sqlite/working-view.ts';

/** Realms whose schema is kept in memory: some 40 KB each with a schema of 200 columns. */
const MAX_VIEWS = 1000;

/**
 * The views of the realms used most recently. A view holds nothing between two changes that the database does not
 * hold, too, so it can be dropped and opened again at any time between them.
 */
export class ViewCache {
  readonly #schemas: SchemaTable;
  readonly #objects: ObjectTable;
  readonly #limit: number;
  /** In order of use. */
  readonly #views = new Map<number, WorkingView>();

  constructor(schemas: SchemaTable, objects: ObjectTable, limit = MAX_VIEWS) {
    this.#schemas = schemas;
    this.#objects = objects;
    this.#limit = limit;
  }

  view(realm: number): WorkingView {
    let view = this.#views.get(realm);
    if (view === undefined) {
      view = new WorkingView(realm, this.#schemas, this.#objects);
      for (const oldest of this.#views.keys()) {
        if (this.#views.size < this.#limit) break;
        this.#views.delete(oldest);
      }
    } else {
      this.#views.delete(realm);
    }
    this.#views.set(realm, view);
    return view;
  }

  drop(realm: number): void {
    this.#views.delete(realm);
  }
}
