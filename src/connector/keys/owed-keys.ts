/**
 * Gives rows that were made in SQL the keys of their objects. An assignment is durable before the row has it, so that
 * neither a crash nor a database that is away for a while makes a second object of the row.
 */
import type { Logger } from '../../log.ts';
import type { ReplicaStore, RowKeyEntry } from '../../store/replica/contract.ts';
import { type ApplyStatement, type SqlWriter, tableId } from '../dialect.ts';
import { type ErrorPolicy, putsAside } from '../error-policy.ts';
import { ApplyError, ConnectorStoppedError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';

/** Rows given their keys by one SQL transaction: a set, but no lock on a whole table for long. */
const MAX_ROWS = 5_000;
const UNIQUE_VIOLATION = '23505';

export type OwedKeysOptions = {
  readonly store: Pick<ReplicaStore, 'transaction'>;
  readonly directory: KeyDirectory;
  readonly mapping: () => Mapping;
  readonly openWriter: () => Promise<SqlWriter>;
  /** A row that refuses its key stays without, which is logged; otherwise the connector stops. */
  readonly errorPolicy: ErrorPolicy;
  readonly logger: Logger;
};

export class OwedKeys {
  readonly #options: OwedKeysOptions;
  #writer: SqlWriter | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: OwedKeysOptions) {
    this.#options = options;
  }

  /** Resolves when every row of an assignment made until now has its key. One call runs after the other. */
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
    for (;;) {
      const entries = this.#options.directory.owed(MAX_ROWS).filter(({ table }) => this.#isMapped(table));
      if (entries.length === 0) return;
      const { left } = await this.#write(entries);
      this.#done(left);
    }
  }

  /** Rows of a class that left the models wait for its return. */
  #isMapped(table: string): boolean {
    return this.#options.mapping().forTable(table)?.key.row !== undefined;
  }

  #done(entries: readonly RowKeyEntry[]): void {
    this.#options.store.transaction(() => this.#options.directory.settle(entries));
  }

  async #write(entries: readonly RowKeyEntry[]): Promise<{ readonly left: readonly RowKeyEntry[] }> {
    try {
      this.#writer ??= await this.#options.openWriter();
      await this.#writer.apply(this.#statements(entries), []);
      return { left: entries };
    } catch (error) {
      await this.#drop();
      if (!(error instanceof ApplyError) || error.errorClass !== 'data') throw error;
      if (entries.length > 1) {
        for (const entry of entries) this.#done((await this.#write([entry])).left);
        return { left: [] };
      }
      const [entry] = entries;
      if (entry !== undefined && error.sqlState === UNIQUE_VIOLATION && this.#isGivenAnother(entry))
        return { left: [] };
      this.#refused(entry, error);
      return { left: entries };
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

  #refused(entry: RowKeyEntry | undefined, error: ApplyError): void {
    const what = `row ${entry?.row} of ${entry?.table} cannot be given the key ${entry?.key} of its object`;
    const className = this.#options.mapping().forTable(entry?.table ?? '')?.className ?? '';
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
