/** Brings one table's rows into the realms: all of them into empty classes, only the differences otherwise. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { OwedChanges } from '../apply/owed-changes.ts';
import { captureDelete, captureRow, captureState } from '../capture/capture-change.ts';
import { RowPlan, realmStateOf, realmValueOf } from '../capture/row-plan.ts';
import type { Shadow } from '../capture/shadow.ts';
import type { RefusedRows } from '../dead-letters/refused-rows.ts';
import { type SnapshotReader, type SourceDialect, type SqlText, tableId } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { KeyDirectory } from '../keys/key-directory.ts';
import { RowTranslation } from '../keys/row-translation.ts';
import type { ListKeeper } from '../lists/list-keeper.ts';
import type { ClassMapping, KeyMapping } from '../mapping/class-mapping.ts';
import type { RealmPathOfRow } from '../options.ts';
import type { RealmRegistry, SyncedRealm } from '../realms.ts';
import { readTableLoad, type TableLoad, writeTableLoad } from './load-marks.ts';

/** Objects checked for a row at a time, when looking for rows that are gone. */
const CHECK_BATCH = 5_000;

export type LoadContext = {
  readonly store: ReplicaStore;
  readonly directory: KeyDirectory;
  readonly realms: RealmRegistry;
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly realmPathOfRow: RealmPathOfRow;
  readonly fixedRealmPath: string | undefined;
  /** Rows per realm transaction. */
  readonly batchRows: number;
  /** Decides on a row that cannot be represented: returns to leave it out, throws to stop. */
  readonly onDataError: (error: DataError, className?: string) => void;
  /** Takes note of the rows that are left out, and of those that no longer are. */
  readonly refused?: RefusedRows;
  /** Knows what dead letters still want of the objects. */
  readonly owed?: Pick<OwedChanges, 'waiting'>;
  /** Keeps the lists that both sides change. */
  readonly lists?: ListKeeper;
  /** Given while the feed is followed at the same time. */
  readonly live?: LiveLoad;
  readonly signal: AbortSignal;
};

/** How a load and the change feed keep out of each other's way. */
export type LiveLoad = {
  /** True when the feed has brought the row as it became after the snapshot. */
  readonly isNewer: (className: string, key: PrimaryKey) => boolean;
  /** Takes objects that never had a row; without it an object without a row is one whose row is gone. */
  readonly withoutRow?: (realm: SyncedRealm, className: string, keys: readonly PrimaryKey[]) => void;
};

export type TableResult = { readonly rowsRead: number; readonly objectsWritten: number };

/**
 * Loads (or goes on loading) one table within run `run`. `exact` says that the feed starts exactly at this snapshot.
 * `onRows` hears the number of rows read so far.
 */
export async function loadTable(
  mapped: ClassMapping,
  snapshot: SnapshotReader,
  exact: boolean,
  run: number,
  context: LoadContext,
  onRows: (rows: number) => void,
): Promise<TableResult> {
  const id = tableId(mapped.table.table);
  const before = readTableLoad(context.store, id);
  const resumed = before?.run === run ? before : undefined;
  if (resumed?.state === 'done') return { rowsRead: resumed.rows, objectsWritten: 0 };
  const visibility = resumed === undefined ? (exact ? undefined : snapshot.visibility) : resumed.visibility;
  const load = new TableLoader(mapped, context);
  let state: TableLoad = {
    run,
    state: 'loading',
    after: resumed?.after,
    rows: resumed?.rows ?? 0,
    visibility,
  };
  const names = load.columnNames;
  for await (const batch of snapshot.rows(mapped.table, names, resumed?.after)) {
    context.signal.throwIfAborted();
    context.store.transaction(() => {
      load.write(batch);
      const last = batch.at(-1);
      state = {
        ...state,
        after: last === undefined ? state.after : load.placeOf(last),
        rows: state.rows + batch.length,
      };
      writeTableLoad(context.store, id, state);
    });
    onRows(state.rows);
    await nextTurn(); // what is committed is uploaded while the rest is read
  }
  if (!load.wasEmpty || resumed !== undefined) await load.eraseGone();
  context.store.transaction(() => writeTableLoad(context.store, id, { ...state, state: 'done' }));
  return { rowsRead: state.rows, objectsWritten: load.objectsWritten };
}

class TableLoader {
  readonly plan: RowPlan;
  readonly columnNames: readonly string[];
  /** No realm held an object of the class when the load of this table began. */
  readonly wasEmpty: boolean;
  objectsWritten = 0;
  readonly #mapped: ClassMapping;
  readonly #context: LoadContext;
  /** Present when rows were left out before, which may be mended by now. */
  readonly #refused: RefusedRows | undefined;
  readonly #translation: RowTranslation;

  constructor(mapped: ClassMapping, context: LoadContext) {
    this.#mapped = mapped;
    this.#context = context;
    this.#refused = context.refused?.isEmpty === false ? context.refused : undefined;
    this.#translation = new RowTranslation(context.directory);
    const names = new Set(mapped.key.columns);
    if (mapped.key.row !== undefined) names.add(mapped.key.row.column);
    for (const property of mapped.properties.values()) names.add(property.column.name);
    for (const state of mapped.states.values()) for (const { name } of state.columns) names.add(name);
    // A function that decides about the realm may ask for any column.
    if (context.fixedRealmPath === undefined) for (const { name } of mapped.table.columns) names.add(name);
    this.columnNames = [...names];
    this.plan = new RowPlan(mapped, this.columnNames);
    if (context.fixedRealmPath !== undefined) context.realms.open(context.fixedRealmPath);
    // While the feed is followed, it and the devices may make objects meanwhile.
    this.wasEmpty =
      context.live === undefined &&
      context.realms.all().every((realm) => realm.replica.count(mapped.className) === 0);
  }

  /** The texts of the row's primary key, after which a load goes on. */
  placeOf(row: readonly SqlText[]): string[] {
    const { row: own } = this.#mapped.key;
    return own === undefined ? this.plan.keyTexts(row) : [row[this.columnNames.indexOf(own.column)] ?? ''];
  }

  /** Call inside the store's transaction. */
  write(batch: readonly (readonly SqlText[])[]): void {
    const writes = new Map<SyncedRealm, { instructions: Instruction[]; rows: number }>();
    for (const row of batch) {
      const realm = this.#realmOf(row);
      if (!this.wasEmpty && this.#context.fixedRealmPath === undefined) this.#leaveOthers(row, realm);
      if (realm === undefined) continue;
      let write = writes.get(realm);
      if (write === undefined) {
        write = { instructions: [], rows: 0 };
        writes.set(realm, write);
      }
      this.#captureInto(write.instructions, row, realm);
      write.rows += 1;
      if (write.rows >= this.#context.batchRows) {
        this.#commit(realm, write.instructions);
        writes.delete(realm);
      }
    }
    for (const [realm, write] of writes) this.#commit(realm, write.instructions);
  }

  #captureInto(out: Instruction[], given: readonly SqlText[], realm: SyncedRealm): void {
    const length = out.length;
    try {
      const row = this.#translation.peek(this.plan, given);
      if (row === undefined) return; // no key can be made for it, which was said already
      const key = this.plan.key(row);
      if (this.#context.live?.isNewer(this.#mapped.className, key)) return;
      if (this.wasEmpty) freshObject(this.plan, key, row, out);
      else {
        const shadow = this.#shadowOf(realm, key);
        captureRow(this.plan, key, row, realm.replica, shadow, out);
      }
      if (this.#refused !== undefined) this.#refused.mended(this.#mapped, this.plan.keyTexts(row));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      out.length = length;
      this.#context.onDataError(error, this.#mapped.className);
      const row = this.#translation.peek(this.plan, given) ?? given;
      this.#context.refused?.refuse(this.#mapped, this.plan.keyTexts(row), error.message);
    }
    if (out.length > length) this.objectsWritten += 1;
  }

  /** What decides about the realm of a row may have changed unnoticed. */
  #leaveOthers(row: readonly SqlText[], realm: SyncedRealm | undefined): void {
    const { className } = this.#mapped;
    const translated = this.#translation.peek(this.plan, row);
    if (translated === undefined) return;
    const key = this.plan.key(translated);
    if (this.#context.live?.isNewer(className, key)) return;
    for (const other of this.#context.realms.all()) {
      if (other === realm || other.replica.object(className, key) === undefined) continue;
      const instructions: Instruction[] = [];
      captureDelete(this.plan, key, other.replica, other.shadows.of(className, key), instructions);
      this.#commit(other, instructions);
    }
  }

  /** What is on its way to the database, and what dead letters still want to bring there. */
  #shadowOf(realm: SyncedRealm, key: PrimaryKey): Shadow {
    const { className } = this.#mapped;
    const shadow = realm.shadows.of(className, key);
    const owed = this.#context.owed?.waiting(realm.path, className, key);
    if (owed === undefined) return shadow;
    return { ...shadow, covers: (property) => owed.properties.has(property) || shadow.covers(property) };
  }

  #realmOf(row: readonly SqlText[]): SyncedRealm | undefined {
    const { fixedRealmPath, realmPathOfRow, realms } = this.#context;
    if (fixedRealmPath !== undefined) return realms.open(fixedRealmPath);
    const path = realmPathOfRow(this.#mapped.table.table.name, this.plan.properties(row));
    return path === undefined || path === null ? undefined : realms.open(path);
  }

  #commit(realm: SyncedRealm, instructions: readonly Instruction[]): void {
    if (instructions.length > 0) realm.replica.write(instructions);
  }

  /** Erases objects whose row is gone and that no insertion of ours is about to make anew. */
  async eraseGone(): Promise<void> {
    for (const realm of this.#context.realms.all()) {
      let keys: PrimaryKey[] = [];
      for (const { key } of realm.replica.objects(this.#mapped.className)) {
        keys.push(key);
        if (keys.length < CHECK_BATCH) continue;
        await this.#eraseMissing(realm, keys);
        keys = [];
      }
      if (keys.length > 0) await this.#eraseMissing(realm, keys);
    }
  }

  async #eraseMissing(realm: SyncedRealm, given: readonly PrimaryKey[]): Promise<void> {
    this.#context.signal.throwIfAborted();
    const { key: keyMapping, className, table } = this.#mapped;
    const keys = given.filter((key) => isKeyOfRow(keyMapping, key));
    const texts = keys.map((key) => keyMapping.toSql(key));
    const found = new Set(
      (await this.#context.dialect.fetchRows(table, keyMapping.columns, texts, keyMapping.columns)).map(
        (row) => row.join('\0'),
      ),
    );
    const { live, owed } = this.#context;
    const gone = keys.filter(
      (key, index) =>
        !found.has(texts[index]?.join('\0') ?? '') &&
        !live?.isNewer(className, key) &&
        owed?.waiting(realm.path, className, key)?.row !== true,
    );
    if (live?.withoutRow !== undefined) {
      live.withoutRow(realm, className, gone);
      return;
    }
    const instructions: Instruction[] = [];
    for (const key of gone)
      captureDelete(this.plan, key, realm.replica, realm.shadows.of(className, key), instructions);
    this.objectsWritten += instructions.length;
    this.#commit(realm, instructions);
  }
}

function freshObject(plan: RowPlan, key: PrimaryKey, row: readonly SqlText[], out: Instruction[]): void {
  const table = plan.mapping.className;
  out.push({ op: 'CreateObject', table, key });
  for (const { index, mapped } of plan.columns) {
    const value = realmValueOf(plan.mapping, mapped, row[index] ?? null);
    if (value.type === 'null') continue;
    out.push({ op: 'Update', table, key, field: mapped.property, path: [], value, isDefault: false });
  }
  for (const planned of plan.states) {
    const value = realmStateOf(planned, row);
    if (value !== undefined) captureState(table, key, planned.mapped, undefined, value, out);
  }
}

/** What can have no row is on its way to the database, or waits for somebody to mend it. */
function isKeyOfRow(keyMapping: KeyMapping, key: PrimaryKey): boolean {
  try {
    keyMapping.toSql(key);
    return true;
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}
