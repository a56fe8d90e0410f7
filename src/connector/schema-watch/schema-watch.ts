/**
 * Keeps the mapping true to the tables while the connector runs.
 *
 * It looks at the tables once a minute, when rows come in another layout, and when a statement fails as it would after
 * a change; a look that finds the catalog as it was costs one query. What is found is taken over in one step between
 * two turns of the event loop: into the replica store first, so that a crash finds it again, then into the mapping.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { type SourceDialect, type SqlWriter, tableId } from '../dialect.ts';
import { ApplyError, MappingError } from '../errors.ts';
import { refuseNewFeed, rememberTables } from '../feed-start.ts';
import type { KeyDirectory } from '../keys/key-directory.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import { extendedDefinitions } from '../mapping/extended-definitions.ts';
import type { ConnectorOptions } from '../options.ts';
import { type ConnectorSetup, extendSetup, refreshSetup } from '../setup.ts';
import { Turns } from '../turns.ts';
import { classStates, setClassState } from './class-states.ts';
import { GuardedAccess } from './guarded-access.ts';
import { madeSince, unfollowedAsNow } from './made-tables.ts';
import { type TableVersions, type Turn, takeOver } from './taking-over.ts';
import { tellTurn } from './turn-text.ts';

/** Often enough for what no row tells, such as a column added with a DEFAULT; seldom enough to cost nothing. */
const DEFAULT_INTERVAL_MILLISECONDS = 60_000;

export type SchemaWatchOptions = {
  readonly options: ConnectorOptions;
  readonly dialect: SourceDialect;
  /** Schema of the tables. */
  readonly schema: string;
  readonly store: ReplicaStore;
  readonly directory: KeyDirectory;
};

/** The mapping is another one; called in the same turn of the event loop as the change in the replica store. */
export type SetupListener = (setup: ConnectorSetup, turns: readonly Turn[]) => void;

export class SchemaWatch {
  readonly #options: SchemaWatchOptions;
  readonly #access: GuardedAccess;
  #setup: ConnectorSetup;
  #version = '';
  /** Counts the setups. */
  #generation = 0;
  #listener: SetupListener = () => {};
  /** The look under way, and those that wait for it. */
  readonly #turns = new Turns();
  #hinted = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Classes and properties of devices that have no place in the database, so that each is named once. */
  readonly #refused = new Set<string>();
  #reject: (error: unknown) => void = () => {};
  /** Rejects with what stops the connector; never resolves. */
  readonly failed: Promise<never>;

  private constructor(options: SchemaWatchOptions, setup: ConnectorSetup) {
    this.#options = options;
    this.#access = new GuardedAccess(options.dialect, this);
    this.#setup = setup;
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {}); // whoever runs the engine awaits it
  }

  /** Takes over what was changed while nothing ran. `found` is from before the feed was told to follow all tables. */
  static async open(
    options: SchemaWatchOptions,
    setup: ConnectorSetup,
    found: TableVersions,
  ): Promise<SchemaWatch> {
    const watch = new SchemaWatch(options, setup);
    const { catalogWatch } = options.dialect;
    watch.#version = (await catalogWatch?.version()) ?? '';
    const now: TableVersions = (await catalogWatch?.tableVersions()) ?? new Map();
    watch.#take(setup, found, now, new Set());
    return watch;
  }

  get setup(): ConnectorSetup {
    return this.#setup;
  }

  isStopped(className: string): boolean {
    return this.#setup.stopped.has(className);
  }

  isLeft(className: string, property: string): boolean {
    return this.#setup.left.get(className)?.has(property) ?? false;
  }

  listen(listener: SetupListener): void {
    this.#listener = listener;
  }

  /** From now on the tables are looked at. */
  begin(): void {
    const { dialect, options } = this.#options;
    if (dialect.catalogWatch === undefined) return;
    this.#timer = setInterval(
      () => this.hint(),
      options.schemaCheckMilliseconds ?? DEFAULT_INTERVAL_MILLISECONDS,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#turns.ended();
  }

  /** Somebody may have changed the tables: they are looked at soon. */
  hint(): void {
    if (this.#hinted || this.#closed) return;
    this.#hinted = true;
    this.look().catch((error: unknown) => {
      // A database that is away is what the loops tell of; the next look comes anyway.
      if (!(error instanceof ApplyError && error.errorClass === 'transient')) this.#reject(error);
    });
  }

  /** Names the present mapping for {@link changedSince}. */
  get generation(): number {
    return this.#generation;
  }

  /** Looks at the tables; true when the mapping is another one by then, so that what failed with the old one can be tried again. */
  async changedSince(generation: number): Promise<boolean> {
    await this.look();
    return this.#generation !== generation;
  }

  /** Looks at the tables. Throws a transient `ApplyError` when the database cannot be asked now. */
  look(): Promise<void> {
    return this.#turns.run(async () => {
      this.#hinted = false;
      try {
        await this.#look();
      } catch (cause) {
        if (!(cause instanceof Error) || !this.#options.dialect.isTransient(cause)) throw cause;
        throw new ApplyError(cause.message, { errorClass: 'transient', cause });
      }
    });
  }

  /** Rows of the table came that cannot be told apart and are left out. Call inside the store's transaction. */
  unreadable({ className, table }: ClassMapping, reason: string): void {
    const { store } = this.#options;
    const state = classStates(store).get(className);
    if (state?.state === 'stopped') return;
    const now = new Date();
    setClassState(store, className, {
      state: 'comparing',
      table: tableId(table.table),
      reason: `rows came that could not be read: ${reason}`,
      run: Math.max(now.getTime(), (state?.run ?? 0) + 1),
      first: state?.first ?? false,
      since: now.toISOString(),
    });
    this.hint();
  }

  /** A writer whose failures are looked into: one that a change of the tables explains is tried again. */
  guarded(writer: SqlWriter): SqlWriter {
    return this.#access.writer(writer);
  }

  /** The same for what the feed asks the database. */
  get reads(): Pick<SourceDialect, 'fetchRows' | 'snapshotIncludes' | 'visibility'> {
    return this.#access.reads;
  }

  /**
   * Classes and properties that a realm transaction adds: their tables and columns are made when that is configured.
   * What cannot be made stays in the realm, and is said once.
   */
  async grow(instructions: readonly MergedInstruction[]): Promise<void> {
    const { options } = this.#options;
    const definitions = extendedDefinitions(this.#setup.definitions, instructions);
    if (definitions === undefined) return;
    const added = [...definitions.keys()].filter(
      (name) => definitions.get(name) !== this.#setup.definitions.get(name),
    );
    if (!options.applyRealmSchemaChanges) {
      this.#tellRefused(
        added,
        'Classes and properties that a device added have no place in the database and stay in the realm',
      );
      return;
    }
    if (added.every((name) => this.#refused.has(name))) return;
    await this.#turns.run(async () => {
      try {
        await this.#grow(definitions);
      } catch (error) {
        if (this.#options.dialect.isTransient(error) || !(error instanceof Error)) throw error;
        this.#tellRefused(
          added,
          'Classes and properties that a device added cannot be taken into the database and stay in the realm',
          error,
        );
      }
    });
  }

  #tellRefused(classes: readonly string[], what: string, error?: Error): void {
    const fresh = classes.filter((name) => !this.#refused.has(name));
    for (const name of fresh) this.#refused.add(name);
    if (fresh.length === 0) return;
    this.#options.options.logger.warn(what, {
      classes: fresh,
      ...(error === undefined ? {} : { reason: error.message }),
      remedy:
        error === undefined
          ? `add them to the models, or set ${this.#options.options.mapping.optionNames.applyRealmSchemaChanges}`
          : 'mend what is named and start again: their objects are brought to the database then',
    });
  }

  async #grow(definitions: ConnectorSetup['definitions']): Promise<void> {
    const { options, dialect, schema, directory, store } = this.#options;
    const before = await dialect.catalog();
    const setup = await extendSetup(options, dialect, schema, definitions, directory, store);
    const found: TableVersions = (await dialect.catalogWatch?.tableVersions()) ?? new Map();
    await this.#follow(setup);
    const now: TableVersions = (await dialect.catalogWatch?.tableVersions()) ?? new Map();
    this.#listen(
      setup,
      this.#take(setup, unfollowedAsNow(found, now), now, madeSince(before, setup.catalog)),
    );
  }

  async #look(): Promise<void> {
    const { options, dialect, schema, directory, store } = this.#options;
    const { catalogWatch } = dialect;
    if (catalogWatch === undefined || this.#closed) return;
    const version = await catalogWatch.version();
    if (version === this.#version) {
      this.#listener(this.#setup, []);
      return;
    }
    const found = await catalogWatch.tableVersions();
    let setup: ConnectorSetup;
    try {
      setup = await refreshSetup(this.#setup, options, dialect, schema, directory, store);
    } catch (error) {
      if (!(error instanceof MappingError)) throw error;
      options.logger.error('The tables were changed in a way that cannot be taken over', {
        reason: error.message,
      });
      this.#version = version;
      return;
    }
    await this.#follow(setup);
    const now = await catalogWatch.tableVersions();
    this.#version = version;
    this.#listen(setup, this.#take(setup, found, now, new Set()));
  }

  /** Tells the feed which tables to follow. */
  async #follow({ tables }: ConnectorSetup): Promise<void> {
    const { options, dialect, store } = this.#options;
    const { created, snapshot } = await dialect.prepareFeed(tables, { reset: false });
    await snapshot?.close();
    if (created) await refuseNewFeed(options.adapterName, dialect);
    rememberTables(store, tables);
  }

  #take(
    setup: ConnectorSetup,
    found: TableVersions,
    now: TableVersions,
    made: ReadonlySet<string>,
  ): readonly Turn[] {
    const { store, options } = this.#options;
    const turns = store.transaction(() =>
      takeOver(
        store,
        {
          fitting: setup,
          found,
          now,
          made,
          allColumns: options.fixedRealmPath === undefined,
          classes: new Set(setup.definitions.keys()),
        },
        new Date(),
      ),
    );
    for (const turn of turns) tellTurn(turn, options.logger);
    return turns;
  }

  #listen(setup: ConnectorSetup, turns: readonly Turn[]): void {
    this.#setup = setup;
    this.#generation += 1;
    this.#listener(setup, turns);
  }
}
