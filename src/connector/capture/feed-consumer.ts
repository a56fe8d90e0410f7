/**
 * Writes what the feed delivers into the realms. One call handles the events that arrived together and commits them
 * as one store transaction, together with the position they end at (DESIGN §1.4): many small database transactions
 * share a commit, each still a realm write of its own; a huge one is cut, with a count of what is written already.
 */
import type { Logger } from '../../log.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import {
  type ApplyStatement,
  type Checkpoint,
  type FeedChange,
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  type Position,
  type SourceDialect,
  type SqlText,
  tableId,
} from '../dialect.ts';
import { ApplyError, DataError } from '../errors.ts';
import { RowTranslation } from '../keys/row-translation.ts';
import { UnknownRows } from '../keys/unknown-rows.ts';
import type { VanishedRow, VanishedRows } from '../keys/vanished-rows.ts';
import type { ListKeeper, WrittenList } from '../lists/list-keeper.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import { type CapturedTransaction, capturedIn } from './captured-transaction.ts';
import { FeedPlans, type LayoutListener } from './feed-plans.ts';
import { RowCapture, type RowCaptureOptions } from './row-capture.ts';
import { RowPlan } from './row-plan.ts';
import { TransactionBuffer } from './transaction-buffer.ts';

export type { CapturedTransaction } from './captured-transaction.ts';

/** Rows of one transaction held in memory before they are written; above it the transaction is cut. */
const MAX_BUFFERED_ROWS = 10_000;
export const POSITION_MARK = 'feed:position';
/** The last commit among what {@link POSITION_MARK} covers, which may be an idle position beyond it. */
export const COMMITTED_MARK = 'feed:committed';
/** `<begin position> <changes written>` while a transaction is being written in parts. */
export const PARTIAL_MARK = 'feed:partial';

export type FeedConsumerOptions = RowCaptureOptions & {
  readonly store: ReplicaStore;
  readonly dialect: Pick<SourceDialect, 'fetchRows' | 'snapshotIncludes'>;
  /** Visibility texts of the snapshots that tables were loaded from, by table id: what they show is not written again. */
  readonly loadedSnapshots: ReadonlyMap<string, string>;
  /** For feeds that show what became of rows instead of each change. */
  readonly vanished?: VanishedRows;
  /** A transaction of our own has come back. */
  readonly onOwn?: (checkpoint: Checkpoint) => void;
  readonly onCaptured: (transaction: CapturedTransaction) => void;
  /** Keeps the lists that both sides change. */
  readonly lists?: ListKeeper;
  readonly layouts?: LayoutListener;
  readonly logger: Logger;
};

export class FeedConsumer {
  readonly #options: FeedConsumerOptions;
  readonly #plans: FeedPlans;
  readonly #rows: RowCapture;
  readonly #buffer = new TransactionBuffer();
  #transaction: { readonly id: string; readonly position: Position | undefined } | undefined;
  /** Changes of the current transaction seen so far, and how many of them an earlier run has written. */
  #seen = 0;
  #skip = 0;
  /** Per snapshot, whether it showed the current transaction. */
  readonly #included = new Map<string, boolean>();
  readonly #translation: RowTranslation;
  readonly #unknown: UnknownRows;
  /** Of the events that are being written. */
  #gone: readonly VanishedRow[] = [];

  constructor(options: FeedConsumerOptions) {
    this.#options = options;
    this.#plans = new FeedPlans(options.mapping, options.layouts);
    this.#translation = new RowTranslation(options.directory, options.mapping);
    this.#unknown = new UnknownRows(options.dialect, options.directory, options.mapping);
    this.#rows = new RowCapture(options, this.#translation);
  }

  /** The connection was lost: the unfinished transaction will be delivered again from its beginning. */
  reset(): void {
    this.#buffer.clear();
    this.#options.lists?.reset();
    this.#options.directory.reset();
    this.#transaction = undefined;
    this.#plans.reset();
  }

  /** The mapping changed: what was planned from the old one no longer holds. */
  forgetPlans(): void {
    this.#plans.forget();
  }

  /**
   * Handles events that arrived together. `position` is what may be confirmed to the database afterwards;
   * `cleanup` must be run on the database before that (list rows of deleted parents).
   */
  async consume(
    events: readonly FeedEvent[],
  ): Promise<{ position: Position | undefined; cleanup: readonly ApplyStatement[] }> {
    await this.#unknown.learn(this.#changedRows(events));
    await this.#rows.leftOut.fetch(this.#rowsOf(events));
    this.#gone = (await this.#options.vanished?.find(events, this.#rowsOf(events))) ?? [];
    this.#rows.takeCleanup(); // of events that could not be written
    const captured: CapturedTransaction[] = [];
    const { lists } = this.#options;
    const position =
      lists === undefined
        ? await this.#writeOrStop(events, captured)
        : await lists.capture(events, (written) => this.#writeOrStop(events, captured, written));
    this.#rows.leftOut.forget();
    for (const transaction of captured) this.#options.onCaptured(transaction);
    for (const event of events) if (event.kind === 'own') this.#options.onOwn?.(event.checkpoint);
    return { position, cleanup: this.#rows.takeCleanup() };
  }

  async #writeOrStop(
    events: readonly FeedEvent[],
    captured: CapturedTransaction[],
    lists: () => readonly WrittenList[] = () => [],
  ): Promise<Position | undefined> {
    const { layouts, store } = this.#options;
    const generation = layouts?.generation() ?? 0;
    try {
      return store.transaction(() => {
        const position = this.#write(events, captured);
        for (const { realm, instructions } of lists()) captured.push(capturedIn(realm, instructions));
        return position;
      });
    } catch (error) {
      this.#options.refused?.reload();
      const mended = await this.#rows.mended.passesOver();
      if (!mended && !(await layouts?.changedSince(generation))) throw error;
      // Nothing of these events was written; they have to be delivered again.
      const reason = error instanceof Error ? error.message : String(error);
      const why = mended ? 'passing over a row that has been mended since' : 'the table was changed since';
      throw new ApplyError(`${why}: ${reason}`, { errorClass: 'transient', cause: error });
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
          this.#eraseGone(captured);
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
          if (this.#transaction !== undefined) this.#options.touched?.committed(this.#transaction.id);
          this.#transaction = undefined;
          position = event.position;
          committed = event.position;
          break;
        case 'idle':
          position = event.position;
          break;
        case 'tablesChanged':
          this.#options.layouts?.hint();
          break;
      }
    }
    if (position !== undefined) store.setMark(POSITION_MARK, position);
    if (committed !== undefined) store.setMark(COMMITTED_MARK, committed);
    return position;
  }

  /** Objects whose rows are gone; not those which a device has made anew since. */
  #eraseGone(captured: CapturedTransaction[]): void {
    if (this.#gone.length === 0) return;
    this.#flush(captured);
    for (const { mapping, keyTexts } of this.#gone) {
      const plan = new RowPlan(mapping, mapping.key.columns);
      this.#buffer.delete(plan, keyTexts);
    }
    this.#flush(captured);
  }

  #begin(id: string, position: Position | undefined): void {
    this.#transaction = { id, position };
    this.#included.clear();
    this.#seen = 0;
    this.#skip = 0;
    const partial = this.#options.store.mark(PARTIAL_MARK)?.split(' ');
    if (position !== undefined && partial?.[0] === position) this.#skip = Number(partial[1]);
  }

  /** Writes what is buffered of a transaction that goes on. */
  #cut(captured: CapturedTransaction[]): void {
    this.#flush(captured);
    const position = this.#transaction?.position;
    if (position !== undefined) this.#options.store.setMark(PARTIAL_MARK, `${position} ${this.#seen}`);
  }

  #add(change: FeedChange, captured: CapturedTransaction[]): void {
    if (change.kind === 'truncate') {
      this.#flush(captured);
      for (const table of change.tables) this.#truncate(table, captured);
      return;
    }
    const plan = this.#plans.readablePlan(change.table);
    if (plan === undefined || this.#alreadyLoaded(plan)) return;
    try {
      this.#addRow(plan, change);
    } catch (error) {
      if (!(error instanceof DataError) || plan.mapping.key.row === undefined) throw error;
      this.#options.onDataError(error, plan.mapping.className); // a row that nobody can give a key
    }
  }

  #addRow(plan: RowPlan, change: Exclude<FeedChange, { kind: 'truncate' }>): void {
    switch (change.kind) {
      case 'insert':
        this.#buffer.insert(plan, this.#translation.insert(plan, plan.complete(change.row)), change.isOwn);
        break;
      case 'update': {
        const { row, old } = this.#translation.update(
          plan,
          plan.complete(change.row),
          change.old && plan.complete(change.old),
        );
        this.#buffer.update(plan, row, old, change.isOwn);
        break;
      }
      case 'delete': {
        const old = this.#translation.delete(plan, plan.complete(change.old));
        if (old !== undefined) this.#buffer.delete(plan, old);
        break;
      }
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

  #flush(captured: CapturedTransaction[]): void {
    this.#rows.write(this.#buffer, this.#transaction?.id, captured);
  }

  #truncate(table: FeedTable, captured: CapturedTransaction[]): void {
    const plan = this.#plans.readablePlan(table);
    if (plan === undefined || this.#alreadyLoaded(plan)) return;
    this.#rows.truncate(plan, this.#transaction?.id, captured);
  }

  /**
   * A row as it is now, outside the feed, for one that was refused when the feed brought it. Call inside the store's
   * transaction. Throws `DataError` when no realm value can hold it still.
   */
  writeRow(mapping: ClassMapping, names: readonly string[], row: readonly SqlText[]): void {
    this.#rows.writeRow(mapping, names, row, this.#transaction?.id);
  }

  *#rowsOf(events: readonly FeedEvent[]): IterableIterator<PlannedRow> {
    for (const { plan, row } of this.#changedRows(events)) {
      const keyed = this.#translation.peek(plan, row);
      if (keyed !== undefined) yield { plan, row: keyed };
    }
  }

  *#changedRows(events: readonly FeedEvent[]): IterableIterator<PlannedRow> {
    for (const event of events) {
      if (event.kind !== 'change' || event.change.kind === 'truncate' || event.change.kind === 'delete')
        continue;
      const plan = this.#plans.plan(event.change.table);
      if (plan !== undefined) yield { plan, row: plan.complete(event.change.row) };
    }
  }
}

type PlannedRow = { readonly plan: RowPlan; readonly row: readonly FeedValue[] };
