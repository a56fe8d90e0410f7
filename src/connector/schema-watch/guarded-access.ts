/** What asks the database on the engine's behalf: failures that a change of the tables explains are passing ones. */
import type { SourceDialect, SqlWriter } from '../dialect.ts';
import { ApplyError } from '../errors.ts';

/** The part of the schema watch that this needs. */
export type LooksAtTables = {
  /** Names the present mapping. */
  readonly generation: number;
  /** Looks at the tables; true when the mapping is another one by then. */
  changedSince(generation: number): Promise<boolean>;
};

export class GuardedAccess {
  readonly #dialect: SourceDialect;
  readonly #watch: LooksAtTables;

  constructor(dialect: SourceDialect, watch: LooksAtTables) {
    this.#dialect = dialect;
    this.#watch = watch;
  }

  /** A writer whose failures are looked into: one that a change of the tables explains is tried again. */
  writer(writer: SqlWriter): SqlWriter {
    return {
      checkpoints: () => writer.checkpoints(),
      apply: (statements, checkpoints) => this.#guard(writer.apply(statements, checkpoints)),
      deadLetter: (checkpoint, letter) => writer.deadLetter(checkpoint, letter),
      rehearse: (statements) => writer.rehearse(statements),
      close: () => writer.close(),
    };
  }

  /** The same for what the feed asks the database. */
  get reads(): Pick<SourceDialect, 'fetchRows' | 'snapshotIncludes' | 'visibility'> {
    const dialect = this.#dialect;
    return {
      ...(dialect.visibility === undefined ? {} : { visibility: dialect.visibility.bind(dialect) }),
      fetchRows: (...args) => this.#guard(dialect.fetchRows(...args)),
      snapshotIncludes: (visibility, transaction) => dialect.snapshotIncludes(visibility, transaction),
    };
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    const { generation } = this.#watch;
    try {
      return await work;
    } catch (error) {
      const dialect = this.#dialect;
      // A failed connection of the database's own kind: whoever asks knows the engine's errors only.
      if (error instanceof Error && !(error instanceof ApplyError) && dialect.isTransient(error))
        throw new ApplyError(error.message, { errorClass: 'transient', cause: error });
      const may = dialect.catalogWatch?.mayBeCausedByChange(error) ?? false;
      if (!may || !(await this.#watch.changedSince(generation))) throw error;
      throw new ApplyError(
        `a table was changed since: ${error instanceof Error ? error.message : String(error)}`,
        { errorClass: 'transient', cause: error },
      );
    }
  }
}
