/** The implementations of `StateView`, each tested with the same rules. */
import { DatabaseSync } from 'node:sqlite';
import { ObjectTable } from '../../../src/store/sqlite/object-table.ts';
import { SchemaTable } from '../../../src/store/sqlite/schema-table.ts';
import { STATE_TABLES } from '../../../src/store/sqlite/state-tables.ts';
import { WorkingView } from '../../../src/store/sqlite/working-view.ts';
import { MemoryView, type StateView } from '../../../src/store/state/view.ts';

export type NamedView = {
  readonly name: string;
  readonly open: () => { readonly view: StateView; readonly settle: () => void };
};

/** `settle` makes a view forget what it holds in memory beyond the storage under it. */
export const VIEWS: readonly NamedView[] = [
  { name: 'in memory', open: () => ({ view: new MemoryView(), settle() {} }) },
  {
    name: 'in SQLite',
    open() {
      const database = new DatabaseSync(':memory:');
      for (const step of STATE_TABLES.steps) database.exec(step);
      const view = new WorkingView(1, new SchemaTable(database), new ObjectTable(database));
      return { view, settle: () => view.keep() };
    },
  },
];
