/** Small named values that commit with whatever else their transaction changes. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export class Marks {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #startingWith: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare('SELECT value FROM marks WHERE name = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)');
    this.#remove = database.prepare('DELETE FROM marks WHERE name = ?');
    this.#startingWith = database.prepare(
      'SELECT name, value FROM marks WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name',
    );
  }

  get(name: string): string | undefined {
    return this.#get.get(name)?.value as string | undefined;
  }

  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#remove.run(name);
    else this.#put.run(name, value);
  }

  startingWith(prefix: string): Map<string, string> {
    return new Map(
      this.#startingWith.all(prefix).map((row) => [row.name as string, row.value as string] as const),
    );
  }
}
