/**
 * Writes what the feed delivers into the realms. One call handles the events that arrived together and commits them
 * as one store transaction, together with the position they end at (DESIGN §1.4): many small database transactions
 * share a commit, each still a realm write of its own; a huge one is cut, with a count of what is written already.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { Logger } from '../../log.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { clearedCollections, emptiedCollections } from '../apply/collection-plan.ts';
import {
  type ApplyStatement,
  type FeedChange,
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  type Position,
  type SourceDialect,
  tableId,
} from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { RealmPathOfRow } from '../options.ts';
import type { RealmRegistry, SyncedRealm } from '../realms.ts';
import { captureDelete, captureRow } from './capture-change.ts';
import { LeftOutValues } from './left-out-values.ts';
import { MendedRows } from './mended-rows.ts';
import { RowPlan } from './row-plan.ts';
import { type RowEffect, TransactionBuffer } from './transaction-buffer.ts';

/** Rows of one transaction held in memory before they are written; above it the transaction is cut. */
const MAX_BUFFERED_ROWS = 10_000;
/** Objects erased per realm write when a table was truncated. */
const TRUNCATE_BATCH = 10_000;

export const POSITION_MARK = 'feed:position';
/** The last commit among what {@link POSITION_MARK} covers, which may be an idle position beyond it. */
export const COMMITTED_MARK = 'feed:committed';
/** `<begin position> <changes written>` while a transaction is being written in parts. */
export const PARTIAL_MARK = 'feed:partial';

export type CapturedTransaction = {
  readonly realmPath: string;
  readonly instructions: number;
  readonly classes: readonly string[];
};

export type FeedConsumerOptions = {
  readonly store: ReplicaStore;
  readonly realms: RealmRegistry;
  readonly mapping: () => Mapping;
  readonly dialect: Pick<SourceDialect, 'fetchRows' | 'snapshotIncludes'>;
  readonly realmPathOfRow: RealmPathOfRow;
  /** Set when every row belongs to this one realm. */
  readonly fixedRealmPath: string | undefined;
  /** Visibility texts of the snapshots that tables were loaded from, by table id: what they show is not written again. */
  readonly loadedSnapshots: ReadonlyMap<string, string>;
  /** Decides on a row that cannot be represented: returns to leave it out, throws to stop. */
  readonly onDataError: (error: DataError) => void;
  readonly onCaptured: (transaction: CapturedTransaction) => void;
  readonly logger: Logger;
};

export class FeedConsumer {
  readonly #options: FeedConsumerOptions;
  #plans = new WeakMap<FeedTable, RowPlan | 'unmapped'>();
  readonly #buffer = new TransactionBuffer();
  #transaction: { readonly id: string; readonly position: Position } | undefined;
  /** Changes of the current transaction seen so far, and how many of them an earlier run has written. */
  #seen = 0;
  #skip = 0;
  /** Per snapshot, whether it showed the current transaction. */
  readonly #included = new Map<string, boolean>();
  #cleanup: ApplyStatement[] = [];
  readonly #leftOut: LeftOutValues;
  readonly #mended: MendedRows;

  constructor(options: FeedConsumerOptions) {
    this.#options = options;
    this.#mended = new MendedRows(options.dialect);
    this.#leftOut = new LeftOutValues(options.dialect, (className, key) => this.#holders(className, key));
  }

  /** The connection was lost: the unfinished transaction will be delivered again from its beginning. */
  reset(): void {
    this.#buffer.clear();
    this.#transaction = undefined;
  }

  /** The mapping changed: what was planned from the old one no longer holds. */
  forgetPlans(): void {
    this.#plans = new WeakMap();
  }

  /**
   * Handles events that arrived together. `position` is what may be confirmed to the database afterwards;
   * `cleanup` must be run on the database before that (list rows of deleted parents).
   */
  async consume(
    events: readonly FeedEvent[],
  ): Promise<{ position: Position | undefined; cleanup: readonly ApplyStatement[] }> {
    await this.#leftOut.fetch(this.#rowsOf(events));
    this.#cleanup = [];
    const captured: CapturedTransaction[] = [];
    const position = await this.#writeOrStop(events, captured);
    this.#leftOut.forget();
    for (const transaction of captured) this.#options.onCaptured(transaction);
    return { position, cleanup: this.#cleanup };
  }

  async #writeOrStop(
    events: readonly FeedEvent[],
    captured: CapturedTransaction[],
  ): Promise<Position | undefined> {
    try {
      return this.#options.store.transaction(() => this.#write(events, captured));
    } catch (error) {
      if (!(await this.#mended.passesOver())) throw error;
      // Nothing of these events was written; they have to be delivered again.
      const reason = error instanceof Error ? error.message : String(error);
      throw new ApplyError(`passing over a row that has been mended since: ${reason}`, {
        errorClass: 'transient',
        cause: error,
      });
    }
  }

  #write(events: readonly FeedEvent[], captured: CapturedTransaction[]): Position | undefined {
    const { store, realms } = this.#options;
    let position: Position | undefined;
    let committed: Position | undefined;
    for (const event of events) {
      switch (event.kind) {
        case 'begin':
          this.#begin(event.transaction, event.position);
          break;
        case 'own':
          realms.get(event.checkpoint.realmPath)?.echoed(event.checkpoint.sequence);
          break;
        case 'change':
          this.#seen += 1;
          if (this.#seen <= this.#skip) break;
          this.#add(event.change, captured);
          if (this.#buffer.size >= MAX_BUFFERED_ROWS) this.#cut(captured);
          break;
        case 'commit':
          this.#flush(captured);
          if (this.#skip > 0 || store.mark(PARTIAL_MARK) !== undefined)
            store.setMark(PARTIAL_MARK, undefined);
          this.#transaction = undefined;
          position = event.position;
          committed = event.position;
          break;
        case 'idle':
          position = event.position;
          break;
      }
    }
    if (position !== undefined) store.setMark(POSITION_MARK, position);
    if (committed !== undefined) store.setMark(COMMITTED_MARK, committed);
    return position;
  }

  #begin(id: string, position: Position): void {
    this.#transaction = { id, position };
    this.#included.clear();
    this.#seen = 0;
    this.#skip = 0;
    const partial = this.#options.store.mark(PARTIAL_MARK)?.split(' ');
    if (partial?.[0] === position) this.#skip = Number(partial[1]);
  }

  /** Writes what is buffered of a transaction that goes on. */
  #cut(captured: CapturedTransaction[]): void {
    this.#flush(captured);
    this.#options.store.setMark(PARTIAL_MARK, `${this.#transaction?.position} ${this.#seen}`);
  }

  #add(change: FeedChange, captured: CapturedTransaction[]): void {
    if (change.kind === 'truncate') {
      this.#flush(captured);
      for (const table of change.tables) this.#truncate(table, captured);
      return;
    }
    const plan = this.#plan(change.table);
    if (plan === undefined || this.#alreadyLoaded(plan)) return;
    switch (change.kind) {
      case 'insert':
        this.#buffer.insert(plan, change.row);
        break;
      case 'update':
        this.#buffer.update(plan, change.row, change.old);
        break;
      case 'delete':
        this.#buffer.delete(plan, change.old);
        break;
    }
  }

  /** True for what the snapshot behind the load already showed: writing it again would turn newer values back. */
  #alreadyLoaded(plan: RowPlan): boolean {
    const { loadedSnapshots, dialect } = this.#options;
    if (loadedSnapshots.size === 0 || this.#transaction === undefined) return false;
    const visibility = loadedSnapshots.get(tableId(plan.mapping.table.table));
    if (visibility === undefined) return false;
    let included = this.#included.get(visibility);
    if (included === undefined) {
      included = dialect.snapshotIncludes(visibility, this.#transaction.id);
      this.#included.set(visibility, included);
    }
    return included;
  }

  #plan(table: FeedTable): RowPlan | undefined {
    const known = this.#plans.get(table);
    if (known !== undefined) return known === 'unmapped' ? undefined : known;
    const mapped = this.#options.mapping().forTable(tableId(table.table));
    const plan = mapped === undefined ? undefined : new RowPlan(mapped, table.columns);
    this.#plans.set(table, plan ?? 'unmapped');
    return plan;
  }

  #flush(captured: CapturedTransaction[]): void {
    const writes = new Map<SyncedRealm, Instruction[]>();
    const into = (realm: SyncedRealm): Instruction[] => {
      let instructions = writes.get(realm);
      if (instructions === undefined) {
        instructions = [];
        writes.set(realm, instructions);
      }
      return instructions;
    };
    for (const effect of this.#buffer.rows()) {
      try {
        this.#capture(effect, into);
        this.#mended.written(effect);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        if (!this.#mended.has(effect)) this.#mended.refuse(effect, () => this.#options.onDataError(error));
      }
    }
    this.#buffer.clear();
    for (const [realm, instructions] of writes) this.#writeRealm(realm, instructions, captured);
  }

  #writeRealm(
    realm: SyncedRealm,
    instructions: readonly Instruction[],
    captured: CapturedTransaction[],
  ): void {
    if (instructions.length === 0) return;
    realm.replica.write(instructions);
    captured.push({
      realmPath: realm.path,
      instructions: instructions.length,
      classes: [...new Set(instructions.map((instruction) => instruction.table))],
    });
  }

  #capture(effect: RowEffect, into: (realm: SyncedRealm) => Instruction[]): void {
    const { plan } = effect;
    const { className } = plan.mapping;
    const key = plan.mapping.key.toRealm(effect.keyTexts);
    if (effect.row === undefined || effect.replaced) {
      for (const realm of this.#holders(className, key)) {
        if (captureDelete(plan, key, realm.replica, realm.shadows.of(className, key), into(realm))) {
          this.#cleanLists(plan, key);
        }
      }
      if (effect.row === undefined) return;
    }
    const row = this.#leftOut.complete(effect);
    const path = this.#pathOf(plan, row);
    this.#leaveOtherRealms(plan, key, path, into);
    if (path === undefined) return;
    const realm = this.#options.realms.open(path);
    const instructions = into(realm);
    const erased = effect.replaced && instructions.at(-1)?.op === 'EraseObject';
    const reader = erased ? { ...GONE, schema: realm.replica.schema } : realm.replica;
    const { length } = instructions;
    try {
      captureRow(plan, key, row, reader, realm.shadows.of(className, key), instructions);
    } catch (error) {
      instructions.length = length; // never half an object
      throw error;
    }
  }

  /** A row belongs to one realm; it leaves the one in which it was when what decides about that has changed. */
  #leaveOtherRealms(
    plan: RowPlan,
    key: PrimaryKey,
    path: string | undefined,
    into: (realm: SyncedRealm) => Instruction[],
  ): void {
    if (this.#options.fixedRealmPath !== undefined) return;
    const { className } = plan.mapping;
    for (const realm of this.#holders(className, key)) {
      if (realm.path === path) continue;
      captureDelete(plan, key, realm.replica, realm.shadows.of(className, key), into(realm));
    }
  }

  /** The realms that hold an object; with one fixed realm there is nothing to look for. */
  #holders(className: string, key: PrimaryKey): SyncedRealm[] {
    const { realms, fixedRealmPath } = this.#options;
    if (fixedRealmPath !== undefined) return [realms.open(fixedRealmPath)];
    return realms.all().filter((realm) => realm.replica.object(className, key) !== undefined);
  }

  #pathOf(plan: RowPlan, row: readonly FeedValue[]): string | undefined {
    const { fixedRealmPath, realmPathOfRow } = this.#options;
    if (fixedRealmPath !== undefined) return fixedRealmPath;
    return realmPathOfRow(plan.mapping.table.table.name, plan.properties(row)) ?? undefined;
  }

  #cleanLists(plan: RowPlan, key: PrimaryKey): void {
    for (const statement of clearedCollections(plan.mapping, [key])) this.#cleanup.push(statement);
  }

  #truncate(table: FeedTable, captured: CapturedTransaction[]): void {
    const plan = this.#plan(table);
    if (plan === undefined || this.#alreadyLoaded(plan)) return;
    const { className } = plan.mapping;
    for (const realm of this.#options.realms.all()) {
      let batch: Instruction[] = [];
      for (const { key } of realm.replica.objects(className)) {
        captureDelete(plan, key, realm.replica, realm.shadows.of(className, key), batch);
        if (batch.length < TRUNCATE_BATCH) continue;
        this.#writeRealm(realm, batch, captured);
        batch = [];
      }
      this.#writeRealm(realm, batch, captured);
    }
    for (const statement of emptiedCollections(plan.mapping)) this.#cleanup.push(statement);
  }

  *#rowsOf(events: readonly FeedEvent[]): IterableIterator<{ plan: RowPlan; row: readonly FeedValue[] }> {
    for (const event of events) {
      if (event.kind !== 'change' || event.change.kind === 'truncate' || event.change.kind === 'delete')
        continue;
      const plan = this.#plan(event.change.table);
      if (plan !== undefined) yield { plan, row: event.change.row };
    }
  }
}

const GONE = { object: () => undefined, objects: () => [][Symbol.iterator](), count: () => 0 };
