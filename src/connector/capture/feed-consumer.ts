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
import type { RefusedRows } from '../dead-letters/refused-rows.ts';
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
import { joinParts, provisionalKey } from '../keys/join-keys.ts';
import type { KeyDirectory } from '../keys/key-directory.ts';
import { RowTranslation } from '../keys/row-translation.ts';
import { UnknownRows } from '../keys/unknown-rows.ts';
import type { ListKeeper, WrittenList } from '../lists/list-keeper.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { RealmPathOfRow } from '../options.ts';
import type { RealmRegistry, SyncedRealm } from '../realms.ts';
import { captureDelete, captureRow } from './capture-change.ts';
import { LeftOutValues } from './left-out-values.ts';
import { MendedRows } from './mended-rows.ts';
import { MovedKeys, movedRowStatements } from './moved-keys.ts';
import { RowPlan } from './row-plan.ts';
import { type Shadow, united } from './shadow.ts';
import type { TouchedRows } from './touched-rows.ts';
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
  readonly onDataError: (error: DataError, className: string) => void;
  /** Takes note of the rows that are left out, and of those that no longer are. */
  readonly refused?: RefusedRows;
  /** What dead letters still want of an object. */
  readonly refusedChanges?: (realmPath: string, className: string, key: PrimaryKey) => Shadow | undefined;
  /** A transaction of our own has come back. */
  readonly onOwn?: (checkpoint: Checkpoint) => void;
  readonly onCaptured: (transaction: CapturedTransaction) => void;
  /** The one that the mapping asks. */
  readonly directory: KeyDirectory;
  /** Keeps the lists that both sides change. */
  readonly lists?: ListKeeper;
  readonly touched?: TouchedRows;
  readonly layouts?: LayoutListener;
  readonly logger: Logger;
};

/** Hears of rows that do not look as the mapping has it. */
export type LayoutListener = {
  /** The table may have been changed. */
  readonly hint: () => void;
  /** Rows cannot be told apart and are left out. Called inside the store's transaction. */
  readonly unreadable: (mapped: ClassMapping, reason: string) => void;
  /** Names the present mapping. */
  readonly generation: () => number;
  /** Looks at the tables; true when the mapping is another one by then. */
  readonly changedSince: (generation: number) => Promise<boolean>;
};

type Unreadable = { readonly mapped: ClassMapping; readonly reason: string };

export class FeedConsumer {
  readonly #options: FeedConsumerOptions;
  #plans = new WeakMap<FeedTable, RowPlan | Unreadable | 'unmapped'>();
  /** The layout in which the rows of each table came last. */
  readonly #layouts = new Map<string, FeedTable>();
  readonly #buffer = new TransactionBuffer();
  #transaction: { readonly id: string; readonly position: Position | undefined } | undefined;
  /** Changes of the current transaction seen so far, and how many of them an earlier run has written. */
  #seen = 0;
  #skip = 0;
  /** Per snapshot, whether it showed the current transaction. */
  readonly #included = new Map<string, boolean>();
  #cleanup: ApplyStatement[] = [];
  readonly #leftOut: LeftOutValues;
  readonly #mended: MendedRows;
  readonly #translation: RowTranslation;
  readonly #unknown: UnknownRows;
  /** Of the transaction that is being written. */
  #moved: MovedKeys | undefined;

  constructor(options: FeedConsumerOptions) {
    this.#options = options;
    this.#mended = new MendedRows(options.dialect);
    this.#translation = new RowTranslation(options.directory, options.mapping);
    this.#unknown = new UnknownRows(options.dialect, options.directory, options.mapping);
    this.#leftOut = new LeftOutValues(
      options.dialect,
      (className, key) => this.#holders(className, key),
      (className) => options.touched?.isCompared(className) ?? false,
    );
  }

  /** The connection was lost: the unfinished transaction will be delivered again from its beginning. */
  reset(): void {
    this.#buffer.clear();
    this.#options.lists?.reset();
    this.#options.directory.reset();
    this.#transaction = undefined;
    this.#layouts.clear();
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
    await this.#unknown.learn(this.#changedRows(events));
    await this.#leftOut.fetch(this.#rowsOf(events));
    this.#cleanup = [];
    const captured: CapturedTransaction[] = [];
    const { lists } = this.#options;
    const position =
      lists === undefined
        ? await this.#writeOrStop(events, captured)
        : await lists.capture(events, (written) => this.#writeOrStop(events, captured, written));
    this.#leftOut.forget();
    for (const transaction of captured) this.#options.onCaptured(transaction);
    for (const event of events) if (event.kind === 'own') this.#options.onOwn?.(event.checkpoint);
    return { position, cleanup: this.#cleanup };
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
        for (const { realm, instructions } of lists()) tell(realm, instructions, captured);
        return position;
      });
    } catch (error) {
      this.#options.refused?.reload();
      const mended = await this.#mended.passesOver();
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
    const plan = this.#readablePlan(change.table);
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

  #plan(table: FeedTable): RowPlan | undefined {
    const known = this.#plans.get(table) ?? this.#newPlan(table);
    return known instanceof RowPlan ? known : undefined;
  }

  /** The same inside the store's transaction, where rows that cannot be read are noted. */
  #readablePlan(table: FeedTable): RowPlan | undefined {
    const known = this.#plans.get(table) ?? this.#newPlan(table);
    if (known === 'unmapped') return undefined;
    if (known instanceof RowPlan) return known;
    this.#options.layouts?.unreadable(known.mapped, known.reason);
    return undefined;
  }

  #newPlan(table: FeedTable): RowPlan | Unreadable | 'unmapped' {
    const mapped = this.#options.mapping().forTable(tableId(table.table));
    const plan = mapped === undefined ? 'unmapped' : this.#planFor(mapped, table);
    this.#plans.set(table, plan);
    if (mapped !== undefined) this.#noteLayout(table, mapped);
    return plan;
  }

  #planFor(mapped: ClassMapping, table: FeedTable): RowPlan | Unreadable {
    try {
      return RowPlan.forFeed(mapped, table.columns);
    } catch (error) {
      if (!(error instanceof DataError) || this.#options.layouts === undefined) throw error;
      return { mapped, reason: error.message };
    }
  }

  /** A layout is sent anew after each change of the table, and differs from the catalog's when we have not read that yet. */
  #noteLayout(table: FeedTable, mapped: ClassMapping): void {
    const id = tableId(table.table);
    const before = this.#layouts.get(id);
    this.#layouts.set(id, table);
    const shown = mapped.table.columns.filter(({ unfed }) => unfed !== true);
    const sameAsMapped =
      table.columns.length === shown.length && shown.every(({ name }) => table.columns.includes(name));
    if ((before !== undefined && before !== table) || !sameAsMapped) this.#options.layouts?.hint();
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
    this.#moved = MovedKeys.of(() => this.#buffer.rows());
    if (this.#moved !== undefined) {
      for (const realm of this.#options.realms.all())
        this.#moved.relink(this.#options.mapping(), realm.replica, into(realm));
    }
    for (const effect of this.#buffer.rows()) {
      try {
        this.#capture(effect, into);
        this.#mended.written(effect);
        this.#options.refused?.mended(effect.plan.mapping, effect.keyTexts);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        if (!this.#mended.has(effect)) this.#refuse(effect, error);
      }
    }
    this.#buffer.clear();
    this.#cleanup.push(
      ...(this.#moved?.statements(this.#options.mapping()) ?? []),
      ...movedRowStatements(this.#translation.takeMoves(), this.#options.mapping()),
    );
    this.#moved = undefined;
    this.#options.directory.write();
    for (const [realm, instructions] of writes) this.#writeRealm(realm, instructions, captured);
  }

  #refuse(effect: RowEffect, error: DataError): void {
    const { mapping } = effect.plan;
    this.#mended.refuse(effect, () => this.#options.onDataError(error, mapping.className));
    this.#options.refused?.refuse(mapping, effect.keyTexts, error.message);
  }

  /**
   * A row as it is now, outside the feed, for one that was refused when the feed brought it. Call inside the store's
   * transaction. Throws `DataError` when no realm value can hold it still.
   */
  writeRow(mapping: ClassMapping, names: readonly string[], row: readonly SqlText[]): void {
    const plan = new RowPlan(mapping, names);
    const keyTexts = plan.keyTexts(row);
    const captured: CapturedTransaction[] = [];
    const writes = new Map<SyncedRealm, Instruction[]>();
    this.#capture({ plan, keyTexts, row, replaced: false, movedFrom: undefined, isOwn: false }, (realm) => {
      const instructions = writes.get(realm) ?? [];
      writes.set(realm, instructions);
      return instructions;
    });
    for (const [realm, instructions] of writes) this.#writeRealm(realm, instructions, captured);
    this.#options.refused?.mended(mapping, keyTexts);
  }

  #writeRealm(
    realm: SyncedRealm,
    instructions: readonly Instruction[],
    captured: CapturedTransaction[],
  ): void {
    if (instructions.length === 0) return;
    realm.replica.write(instructions);
    tell(realm, instructions, captured);
  }

  #capture(effect: RowEffect, into: (realm: SyncedRealm) => Instruction[]): void {
    const { plan } = effect;
    const { className } = plan.mapping;
    const key = plan.mapping.key.toRealm(effect.keyTexts);
    if (this.#transaction !== undefined) this.#options.touched?.touch(className, key, this.#transaction.id);
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
      const cast = realm.shadows.of(className, key);
      // What was refused of the object is not in a row that only we wrote, and is the realm's until somebody decides.
      const refused = effect.isOwn ? this.#options.refusedChanges?.(path, className, key) : undefined;
      const shadow = refused === undefined ? cast : united(cast, refused);
      captureRow(plan, key, row, reader, shadow, instructions);
      this.#eraseProvisional(effect, realm, instructions);
      if (effect.movedFrom !== undefined && !shadow.deleted)
        this.#moved?.carryOver(effect, realm.replica, reader.object(className, key), instructions);
    } catch (error) {
      instructions.length = length; // never half an object
      throw error;
    }
  }

  /** A join object that a device made before the database had numbered what it joins goes on under the numbers. */
  #eraseProvisional({ plan, keyTexts }: RowEffect, { replica }: SyncedRealm, out: Instruction[]): void {
    const { mapping: mapped } = plan;
    const parts = joinParts(mapped, this.#options.mapping());
    const key = parts === undefined ? undefined : provisionalKey(parts, keyTexts);
    const table = mapped.className;
    if (key !== undefined && replica.object(table, key) !== undefined)
      out.push({ op: 'EraseObject', table, key });
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
    if (this.#moved?.leaves(plan.mapping.className, key)) return;
    const own = this.#translation.ownKey(plan, key);
    for (const statement of clearedCollections(plan.mapping, [key], own === undefined ? undefined : [own]))
      this.#cleanup.push(statement);
  }

  #truncate(table: FeedTable, captured: CapturedTransaction[]): void {
    const plan = this.#readablePlan(table);
    if (plan === undefined || this.#alreadyLoaded(plan)) return;
    if (this.#transaction !== undefined)
      this.#options.touched?.touchAll(plan.mapping.className, this.#transaction.id);
    this.#options.refused?.tableEmptied(plan.mapping);
    const { className } = plan.mapping;
    this.#translation.truncate(plan);
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
      const plan = this.#plan(event.change.table);
      if (plan !== undefined) yield { plan, row: plan.complete(event.change.row) };
    }
  }
}

function tell(
  realm: SyncedRealm,
  instructions: readonly Instruction[],
  captured: CapturedTransaction[],
): void {
  captured.push({
    realmPath: realm.path,
    instructions: instructions.length,
    classes: [...new Set(instructions.map((instruction) => instruction.table))],
  });
}

type PlannedRow = { readonly plan: RowPlan; readonly row: readonly FeedValue[] };

const GONE = { object: () => undefined, objects: () => [][Symbol.iterator](), count: () => 0 };
