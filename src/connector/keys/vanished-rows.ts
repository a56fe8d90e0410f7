/**
 * Rows that we inserted and somebody deleted, or gave another key, before a feed of net changes could show them. It
 * shows at most that there is no row with the number that the database had made, which nobody has heard of: which object
 * that was is told by our own transaction, once it is known to be in the database.
 */
import type { PrimaryKey } from '../../schema/value.ts';
import type { RowPlan } from '../capture/row-plan.ts';
import { type Checkpoint, type FeedEvent, type FeedValue, type SourceDialect, tableId } from '../dialect.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { RealmRegistry } from '../realms.ts';

export type VanishedRow = { readonly mapping: ClassMapping; readonly keyTexts: readonly string[] };

export type VanishedRowsOptions = {
  readonly realms: Pick<RealmRegistry, 'get'>;
  readonly mapping: () => Mapping;
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  /** True for objects whose row was refused and never inserted. */
  readonly isRefused: (realmPath: string, className: string, key: PrimaryKey) => boolean;
};

export class VanishedRows {
  readonly #options: VanishedRowsOptions;

  constructor(options: VanishedRowsOptions) {
    this.#options = options;
  }

  /**
   * Those of the transactions of ours that the events tell of, without the rows that come with them. The database is
   * asked whether they are there; as it shows our transactions by now, what it does not show is gone.
   */
  async find(
    events: readonly FeedEvent[],
    changed: Iterable<{ readonly plan: RowPlan; readonly row: readonly FeedValue[] }>,
  ): Promise<readonly VanishedRow[]> {
    const inserted = new Map<string, VanishedRow>();
    for (const event of events) if (event.kind === 'own') this.#collect(event.checkpoint, inserted);
    if (inserted.size === 0) return [];
    for (const { plan, row } of changed)
      if (plan.mapping.key.row !== undefined) inserted.delete(nameOf(plan.mapping, plan.keyTexts(row)));
    for (const [mapping, rows] of Map.groupBy(inserted.values(), (each) => each.mapping)) {
      const { columns } = mapping.key;
      const keys = rows.map(({ keyTexts }) => keyTexts);
      for (const found of await this.#options.dialect.fetchRows(mapping.table, columns, keys, columns))
        inserted.delete(nameOf(mapping, found.map(String)));
    }
    return [...inserted.values()];
  }

  #collect({ realmPath, sequence }: Checkpoint, inserted: Map<string, VanishedRow>): void {
    const { realms, mapping, isRefused } = this.#options;
    for (const { table, key } of realms.get(realmPath)?.shadows.insertedUpTo(sequence) ?? []) {
      const mapped = mapping().forClass(table);
      if (mapped?.key.row === undefined || isRefused(realmPath, table, key)) continue;
      const keyTexts = mapped.key.toSql(key).map(String);
      inserted.set(nameOf(mapped, keyTexts), { mapping: mapped, keyTexts });
    }
  }
}

function nameOf({ table }: ClassMapping, keyTexts: readonly string[]): string {
  return `${tableId(table.table)}\0${keyTexts.join('\0')}`;
}
