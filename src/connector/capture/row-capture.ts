/**
 * Writes rows that the feed brought, or that were fetched, into the realms that they belong to, and gathers what has to
 * be cleaned up in the database after that. Everything here runs inside the store's transaction.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import { clearedCollections, emptiedCollections } from '../apply/collection-plan.ts';
import type { RefusedRows } from '../dead-letters/refused-rows.ts';
import type { ApplyStatement, FeedValue, SourceDialect, SqlText } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { joinParts, provisionalKey } from '../keys/join-keys.ts';
import type { KeyDirectory } from '../keys/key-directory.ts';
import type { GoneRow, RowTranslation } from '../keys/row-translation.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { RealmPathOfRow } from '../options.ts';
import type { RealmRegistry, SyncedRealm } from '../realms.ts';
import { captureDelete, captureRow } from './capture-change.ts';
import { type CapturedTransaction, capturedIn } from './captured-transaction.ts';
import { LeftOutValues } from './left-out-values.ts';
import { MendedRows } from './mended-rows.ts';
import { MovedKeys, movedRowStatements } from './moved-keys.ts';
import { RowPlan } from './row-plan.ts';
import { type Shadow, united } from './shadow.ts';
import type { TouchedRows } from './touched-rows.ts';
import type { RowEffect, TransactionBuffer } from './transaction-buffer.ts';

/** Objects erased per realm write when a table was truncated. */
const TRUNCATE_BATCH = 10_000;

export type RowCaptureOptions = {
  readonly realms: RealmRegistry;
  readonly mapping: () => Mapping;
  readonly dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly realmPathOfRow: RealmPathOfRow;
  /** Set when every row belongs to this one realm. */
  readonly fixedRealmPath: string | undefined;
  /** Decides on a row that cannot be represented: returns to leave it out, throws to stop. */
  readonly onDataError: (error: DataError, className: string) => void;
  /** Takes note of the rows that are left out, and of those that no longer are. */
  readonly refused?: RefusedRows;
  /** What dead letters still want of an object. */
  readonly refusedChanges?: (realmPath: string, className: string, key: PrimaryKey) => Shadow | undefined;
  /** The one that the mapping asks. */
  readonly directory: KeyDirectory;
  readonly touched?: TouchedRows;
};

export class RowCapture {
  readonly #options: RowCaptureOptions;
  readonly #translation: RowTranslation;
  readonly leftOut: LeftOutValues;
  readonly mended: MendedRows;
  #cleanup: ApplyStatement[] = [];
  /** Of the transaction that is being written. */
  #moved: MovedKeys | undefined;
  /** The one that the rows being written belong to. */
  #transaction: string | undefined;

  constructor(options: RowCaptureOptions, translation: RowTranslation) {
    this.#options = options;
    this.#translation = translation;
    this.mended = new MendedRows(options.dialect);
    this.leftOut = new LeftOutValues(
      options.dialect,
      (className, key) => this.#holders(className, key),
      (className) => options.touched?.isCompared(className) ?? false,
    );
  }

  /** What must be run on the database for what was written since the last call. */
  takeCleanup(): readonly ApplyStatement[] {
    const cleanup = this.#cleanup;
    this.#cleanup = [];
    return cleanup;
  }

  /** Writes the rows of a buffer, as a part or the rest of the transaction. */
  write(rows: TransactionBuffer, transaction: string | undefined, captured: CapturedTransaction[]): void {
    this.#transaction = transaction;
    const writes = new Map<SyncedRealm, Instruction[]>();
    const into = (realm: SyncedRealm): Instruction[] => {
      let instructions = writes.get(realm);
      if (instructions === undefined) {
        instructions = [];
        writes.set(realm, instructions);
      }
      return instructions;
    };
    this.#moved = MovedKeys.of(() => rows.rows());
    if (this.#moved !== undefined) {
      for (const realm of this.#options.realms.all())
        this.#moved.relink(this.#options.mapping(), realm.replica, into(realm));
    }
    for (const effect of rows.rows()) {
      try {
        this.#capture(effect, into);
        this.mended.written(effect);
        this.#options.refused?.mended(effect.plan.mapping, effect.keyTexts);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        if (!this.mended.has(effect)) this.#refuse(effect, error);
      }
    }
    rows.clear();
    this.#cleanup.push(
      ...(this.#moved?.statements(this.#options.mapping()) ?? []),
      ...movedRowStatements(this.#translation.takeMoves(), this.#options.mapping()),
      ...goneRowStatements(this.#translation.takeGone()),
    );
    this.#moved = undefined;
    this.#options.directory.write();
    for (const [realm, instructions] of writes) this.#writeRealm(realm, instructions, captured);
  }

  #refuse(effect: RowEffect, error: DataError): void {
    const { mapping } = effect.plan;
    this.mended.refuse(effect, () => this.#options.onDataError(error, mapping.className));
    this.#options.refused?.refuse(mapping, effect.keyTexts, error.message);
  }

  /**
   * A row as it is now, outside the feed, for one that was refused when the feed brought it. Call inside the store's
   * transaction. Throws `DataError` when no realm value can hold it still.
   */
  writeRow(
    mapping: ClassMapping,
    names: readonly string[],
    row: readonly SqlText[],
    transaction: string | undefined,
  ): void {
    this.#transaction = transaction;
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
    captured.push(capturedIn(realm, instructions));
  }

  #capture(effect: RowEffect, into: (realm: SyncedRealm) => Instruction[]): void {
    const { plan } = effect;
    const { className } = plan.mapping;
    const key = plan.mapping.key.toRealm(effect.keyTexts);
    if (this.#transaction !== undefined) this.#options.touched?.touch(className, key, this.#transaction);
    if (effect.row === undefined || effect.replaced) {
      for (const realm of this.#holders(className, key)) {
        if (captureDelete(plan, key, realm.replica, realm.shadows.of(className, key), into(realm))) {
          this.#cleanLists(plan, key);
        }
      }
      if (effect.row === undefined) return;
    }
    const row = this.leftOut.complete(effect);
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

  /** Erases the objects of a table that was truncated. */
  truncate(plan: RowPlan, transaction: string | undefined, captured: CapturedTransaction[]): void {
    if (transaction !== undefined) this.#options.touched?.touchAll(plan.mapping.className, transaction);
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
}

/** An object may have another row by now, so that its key does not tell whose collections these were. */
function goneRowStatements(gone: readonly GoneRow[]): ApplyStatement[] {
  return [...Map.groupBy(gone, ({ mapped }) => mapped)].flatMap(([mapped, rows]) =>
    clearedCollections(
      mapped,
      [],
      rows.map(({ row }) => row),
    ),
  );
}

const GONE = { object: () => undefined, objects: () => [][Symbol.iterator](), count: () => 0 };
