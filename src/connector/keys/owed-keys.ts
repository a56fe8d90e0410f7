/**
 * Gives rows that were made in SQL the keys of their objects. An assignment is durable before the row has it, so that
 * neither a crash nor a database that is away for a while makes a second object of the row.
 *
 * A feed may bring a row a moment before other transactions see it (a commit is in the log before it is announced), so
 * that the statement finds nothing. An assignment therefore stands until the row was seen with a key, or is gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log.ts';
import type { ReplicaStore, RowKeyEntry } from '../../store/replica/contract.ts';
import {
  type ApplyStatement,
  type SourceDialect,
  type SqlText,
  type SqlWriter,
  tableId,
} from '../dialect.ts';
import { type ErrorPolicy, putsAside } from '../error-policy.ts';
import { ApplyError, ConnectorStoppedError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';

/** Rows given their keys by one SQL transaction: a set, but no lock on a whole table for long. */
const MAX_ROWS = 5_000;
/** How often, and how soon, a row is looked for that nobody else sees yet, before everything else goes on. */
const LOOKS = 5;
const LOOK_MILLISECONDS = 10;
/** After that it is looked for now and then: a commit may wait for a standby. */
const REST_MILLISECONDS = 1_000;
/** A row that was not seen for so long is gone. Should it come back, its next change in the feed gives it its key. */
const GIVE_UP_MILLISECONDS = 10 * 60 * 1_000;

/** A row that was not found with a key. */
type Search = { readonly since: number; last: number; looks: number };

export type OwedKeysOptions = {
  readonly store: Pick<ReplicaStore, 'transaction'>;
  readonly directory: KeyDirectory;
  readonly mapping: () => Mapping;
  readonly openWriter: () => Promise<SqlWriter>;
  readonly dialect: Pick<SourceDialect, 'fetchRows' | 'isTransient'>;
  /** A row that refuses its key stays without, which is logged; otherwise the connector stops. */
  readonly errorPolicy: ErrorPolicy;
  readonly logger: Logger;
};

export class OwedKeys {
  readonly #options: OwedKeysOptions;
  #writer: SqlWriter | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #searches = new Map<string, Search>();

  constructor(options: OwedKeysOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every row of an assignment made until now has its key, as far as other transactions see it. One call
   * runs after the other.
   */
  async settle(): Promise<void> {
    const run = this.#running.then(() => this.#settle());
    this.#running = run.catch(() => {}); // whoever called it hears of it
    await run;
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#drop();
  }

  async #settle(): Promise<void> {
    for (let attempt = 0; ; ) {
      const entries = this.#due();
      if (entries.length === 0) return;
      await this.#write(entries);
      if (await this.#confirm(entries)) continue;
      attempt += 1;
      if (attempt >= LOOKS) return;
      await sleep(LOOK_MILLISECONDS);
    }
  }

  #due(): readonly RowKeyEntry[] {
    const now = performance.now();
    return this.#options.directory.owed(MAX_ROWS).filter((entry) => {
      const search = this.#searches.get(nameOf(entry));
      const rests = search !== undefined && search.looks >= LOOKS && now - search.last < REST_MILLISECONDS;
      return !rests && this.#isMapped(entry.table);
    });
  }

  /** Ends the assignments whose rows have a key. True when those were all. */
  async #confirm(entries: readonly RowKeyEntry[]): Promise<boolean> {
    const done: RowKeyEntry[] = [];
    for (const [table, ofTable] of Map.groupBy(entries, (entry) => entry.table)) {
      const keys = await this.#keysOf(table, ofTable);
      for (const entry of ofTable) {
        const key = keys.get(entry.row);
        if (typeof key === 'string' || this.#isGivenUp(entry, key)) {
          this.#searches.delete(nameOf(entry));
          done.push(entry);
        }
      }
    }
    this.#done(done);
    return done.length === entries.length;
  }

  /** By row, its key as everybody sees it. */
  async #keysOf(table: string, entries: readonly RowKeyEntry[]): Promise<ReadonlyMap<string, SqlText>> {
    const { dialect, mapping } = this.#options;
    const mapped = mapping().forTable(table);
    const column = mapped?.key.row?.column;
    if (mapped === undefined || column === undefined) return new Map();
    const rows = entries.map(({ row }) => [row]);
    try {
      const found = await dialect.fetchRows(mapped.table, [column, ...mapped.key.columns], rows, [column]);
      return new Map(found.map(([row, key]) => [row ?? '', key ?? null]));
    } catch (cause) {
      if (!(cause instanceof Error) || !dialect.isTransient(cause)) throw cause;
      throw new ApplyError(cause.message, { errorClass: 'transient', cause });
    }
  }

  /** `key` is null for a row that is there and did not take the key, as a trigger may have it. */
  #isGivenUp(entry: RowKeyEntry, key: SqlText | undefined): boolean {
    const now = performance.now();
    const search = this.#searches.get(nameOf(entry)) ?? { since: now, last: now, looks: 0 };
    this.#searches.set(nameOf(entry), search);
    search.last = now;
    search.looks += 1;
    if (key === null && search.looks > LOOKS) {
      this.#refused(entry, new Error('it has none after the statement either'));
      return true;
    }
    return now - search.since > GIVE_UP_MILLISECONDS;
  }

  /** Rows of a class that left the models wait for its return. */
  #isMapped(table: string): boolean {
    return this.#options.mapping().forTable(table)?.key.row !== undefined;
  }

  #done(entries: readonly RowKeyEntry[]): void {
    this.#options.store.transaction(() => this.#options.directory.settle(entries));
  }

  async #write(entries: readonly RowKeyEntry[]): Promise<void> {
    try {
      this.#writer ??= await this.#options.openWriter();
      await this.#writer.apply(this.#statements(entries), []);
    } catch (error) {
      await this.#drop();
      if (!(error instanceof ApplyError) || error.errorClass !== 'data') throw error;
      if (entries.length > 1) {
        for (const entry of entries) await this.#write([entry]);
        return;
      }
      const [entry] = entries;
      if (entry === undefined || (error.violation === 'unique' && this.#isGivenAnother(entry))) return;
      this.#refused(entry, error);
      this.#done([entry]);
    }
  }

  /** Another row has the key by now, so this one is another object, which the feed brings with its key. */
  #isGivenAnother({ table, row }: RowKeyEntry): boolean {
    const { directory, mapping, store } = this.#options;
    const key = mapping().forTable(table)?.key.row?.generate?.();
    if (key === undefined) return false;
    store.transaction(() => directory.reassign(table, row, key));
    return true;
  }

  #refused(entry: RowKeyEntry, error: Error): void {
    const what = `row ${entry.row} of ${entry.table} cannot be given the key ${entry.key} of its object`;
    const className = this.#options.mapping().forTable(entry.table)?.className ?? '';
    if (!putsAside(this.#options.errorPolicy, [className])) {
      throw new ConnectorStoppedError(`${what}: ${error.message}`, {
        remedy: 'let the column take the key, or give the row one, and start again; nothing is lost',
        cause: error,
      });
    }
    this.#options.logger.error(`The ${what}; what devices change of it does not reach the row`, {
      reason: error.message,
    });
  }

  #statements(entries: readonly RowKeyEntry[]): ApplyStatement[] {
    const byTable = Map.groupBy(entries, ({ table }) => table);
    return this.#options.mapping().order.flatMap(({ key, table }): ApplyStatement[] => {
      const rows = byTable.get(tableId(table.table));
      if (key.row === undefined || rows === undefined) return [];
      const columns = { keyColumns: [key.row.column], columns: key.columns };
      return [{ kind: 'assign', table, ...columns, rows: rows.map(({ row, key: text }) => [row, text]) }];
    });
  }

  async #drop(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => {}); // its connection may be what failed
  }
}

function nameOf({ table, row, key }: RowKeyEntry): string {
  return `${table}\0${row}\0${key}`;
}
