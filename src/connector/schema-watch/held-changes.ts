/**
 * Changes of realms that cannot be written to SQL yet because the table of their class is stopped, or because they
 * refer to a row that waits for such a table, or to a column that was dropped. They are kept in the replica store, by
 * object, in the same commit order as everything else there: before the checkpoint in SQL moves beyond them.
 *
 * A part of a record waits (sequence 0) → is written under a checkpoint of its own (`held:<realm path>`) → is shown back
 * by the feed with that checkpoint and forgotten. From the moment at which its class runs it casts a shadow, as every
 * change of ours does that the feed has not shown back (DESIGN §6 rule 2): what SQL says of that property is older.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Logger } from '../../log.ts';
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { Shadow } from '../capture/shadow.ts';
import type { Checkpoint } from '../dialect.ts';
import type { Mapping } from '../mapping/class-mapping.ts';
import type { SyncedRealm } from '../realms.ts';
import { addTo, emptyRecord, type HeldRecord, mapSequences } from './held-record.ts';
import { type HeldObject, HeldRecords, isInsertion, markOf, nameOf } from './held-records.ts';

const SEQUENCE_MARK = 'held:sequence:';
/** Realm paths begin with a slash, so that no realm's checkpoint has such a name. */
const CHECKPOINT_PREFIX = 'held:';
/** Objects written by one SQL transaction. */
const MAX_BATCH_OBJECTS = 5_000;

export type HeldBatch = {
  readonly instructions: readonly MergedInstruction[];
  readonly checkpoint: Checkpoint;
};

export type HeldChangesOptions = {
  readonly store: ReplicaStore;
  readonly mapping: () => Mapping;
  readonly isStopped: (className: string) => boolean;
  /** True for a property whose column was dropped. */
  readonly isLeft: (className: string, property: string) => boolean;
  /** Checkpoints found in SQL, by realm path. */
  readonly applied: ReadonlyMap<string, number>;
  readonly logger: Logger;
};

export class HeldChanges {
  readonly #options: HeldChangesOptions;
  readonly #records: HeldRecords;
  readonly #told = new Set<string>();

  constructor(options: HeldChangesOptions) {
    this.#options = options;
    const applied = new Map<string, number>();
    for (const [path, sequence] of options.applied) {
      if (path.startsWith(CHECKPOINT_PREFIX)) applied.set(path.slice(CHECKPOINT_PREFIX.length), sequence);
    }
    this.#records = new HeldRecords(options, applied);
  }

  /** The class runs from now on: its waiting changes cast their shadow and are among those of {@link nextBatch}. */
  resume(className: string): void {
    this.#told.delete(className);
    this.#records.read(className);
  }

  /** The class does not run any more. */
  stop(className: string): void {
    this.#records.stop(className);
  }

  /**
   * What of one realm's transactions can be written now; the rest is durably held when this returns. Repeating it with
   * the same instructions changes nothing.
   */
  split(realm: SyncedRealm, instructions: readonly MergedInstruction[]): readonly MergedInstruction[] {
    if (!this.#mayConcern(instructions)) return instructions;
    const now = this.#options.store.transaction(() =>
      instructions.flatMap((instruction) => this.#hold(realm, instruction) ?? []),
    );
    return now;
  }

  /** What the waiting changes say of one object, for the shadows of its realm. */
  shadowOf(path: string, table: string, key: PrimaryKey): Shadow | undefined {
    const object = this.#records.liveOf(path, table, key);
    if (object === undefined) return undefined;
    const { row, properties, lists } = object.record;
    return {
      deleted: row?.operation === 'delete',
      inserted: row?.operation === 'insert' || row?.operation === 'replace',
      covers: (property) => (properties[property] ?? lists[property]) !== undefined,
    };
  }

  /** Objects that the table has no row of, though nobody deleted one: they are to be inserted. */
  adopt(realm: SyncedRealm, table: string, keys: readonly PrimaryKey[]): void {
    this.#options.store.transaction(() => {
      for (const key of keys) {
        const object = realm.replica.object(table, key);
        if (object === undefined) continue;
        const record = this.#records.recordOf(realm.path, table, key) ?? emptyRecord();
        record.row = { operation: 'insert', sequence: 0 };
        const { lists } = this.#options.mapping().forClass(table) ?? { lists: new Map<string, unknown>() };
        for (const [property, value] of object.fields) {
          if (lists.has(property)) record.lists[property] = 0;
          else if (value.type !== 'null') record.properties[property] = 0;
        }
        this.#records.write(realm.path, table, key, record);
      }
    });
  }

  /** The next changes that can be written, under their checkpoint; `undefined` when none can. */
  nextBatch(realm: SyncedRealm): HeldBatch | undefined {
    const batch = this.#waiting(realm);
    if (batch.length === 0) return undefined;
    const { store } = this.#options;
    const inserted = new Set(batch.filter(({ record }) => isInsertion(record)).map(nameOf(realm.path)));
    return store.transaction(() => {
      const sequence = Number(store.mark(SEQUENCE_MARK + realm.path) ?? 0) + 1;
      const instructions = batch.flatMap((object) => this.#instructionsOf(realm, object, inserted, sequence));
      if (instructions.length === 0) return undefined;
      store.setMark(SEQUENCE_MARK + realm.path, String(sequence));
      return { instructions, checkpoint: { realmPath: CHECKPOINT_PREFIX + realm.path, sequence } };
    });
  }

  /** The batch is committed in SQL. */
  applied({ realmPath, sequence }: Checkpoint): void {
    this.#records.applied(realmPath.slice(CHECKPOINT_PREFIX.length), sequence);
  }

  /** The batch could not be written, and waits again. */
  refused({ realmPath, sequence }: Checkpoint): void {
    this.#records.change(realmPath.slice(CHECKPOINT_PREFIX.length), (before) =>
      before === sequence ? 0 : before,
    );
  }

  /** The feed has shown a checkpoint; true when it was one of ours. Call inside the store's transaction. */
  echoed({ realmPath, sequence }: Checkpoint): boolean {
    if (!realmPath.startsWith(CHECKPOINT_PREFIX)) return false;
    this.#records.echoed(realmPath.slice(CHECKPOINT_PREFIX.length), sequence);
    return true;
  }

  #mayConcern(instructions: readonly MergedInstruction[]): boolean {
    if (!this.#records.isEmpty) return true;
    const { isStopped, isLeft } = this.#options;
    return instructions.some((instruction) => {
      if (instruction.type === 'ADD_TYPE' || instruction.type === 'ADD_PROPERTIES') return false;
      if (isStopped(instruction.table)) return true;
      if (instruction.type !== 'INSERT' && instruction.type !== 'SET') return false;
      for (const [property, value] of instruction.values) {
        if (isLeft(instruction.table, property) || (value.type === 'link' && isStopped(value.table)))
          return true;
      }
      return false;
    });
  }

  /** What of an instruction can be written now. */
  #hold(realm: SyncedRealm, instruction: MergedInstruction): MergedInstruction | undefined {
    if (instruction.type === 'ADD_TYPE' || instruction.type === 'ADD_PROPERTIES') return instruction;
    if (instruction.type === 'CLEAR') return instruction;
    const { table, key } = instruction;
    const before = this.#records.recordOf(realm.path, table, key);
    if (this.#options.isStopped(table) || this.#records.rowWaits(realm.path, before)) {
      this.#tell(realm.path, table);
      const record = before ?? emptyRecord();
      addTo(record, instruction);
      this.#records.write(realm.path, table, key, record);
      return undefined;
    }
    switch (instruction.type) {
      case 'INSERT':
      case 'SET':
        return this.#holdValues(realm, instruction, before);
      case 'DELETE':
        if (before !== undefined) this.#records.write(realm.path, table, key, emptyRecord());
        return instruction;
      default:
        if (before?.lists[instruction.property] !== 0) return instruction;
        return undefined; // the list is written whole
    }
  }

  #holdValues(
    realm: SyncedRealm,
    instruction: Extract<MergedInstruction, { type: 'INSERT' | 'SET' }>,
    before: HeldRecord | undefined,
  ): MergedInstruction | undefined {
    const { table, key } = instruction;
    const waiting = [...instruction.values].filter(
      ([property, value]) =>
        before?.properties[property] === 0 || this.#isBlocked(realm.path, table, property, value),
    );
    if (waiting.length === 0) return instruction;
    const record = before ?? emptyRecord();
    this.#tell(realm.path, table);
    if (instruction.type === 'INSERT' && waiting.some(([property]) => this.#isRequired(table, property))) {
      addTo(record, instruction);
      this.#records.write(realm.path, table, key, record);
      return undefined;
    }
    for (const [property] of waiting) record.properties[property] = 0;
    this.#records.write(realm.path, table, key, record);
    const held = new Set(waiting.map(([property]) => property));
    return { ...instruction, values: new Map([...instruction.values].filter(([name]) => !held.has(name))) };
  }

  #isBlocked(
    path: string,
    table: string,
    property: string,
    value: StateValue,
    inserted: ReadonlySet<string> = new Set(),
  ): boolean {
    if (this.#options.isLeft(table, property)) return true;
    if (value.type !== 'link' || inserted.has(markOf(path, value.table, value.key))) return false;
    const record = this.#records.recordOf(path, value.table, value.key);
    return record !== undefined && isInsertion(record) && this.#records.rowWaits(path, record);
  }

  #isRequired(table: string, property: string): boolean {
    return this.#options.mapping().forClass(table)?.properties.get(property)?.column.nullable === false;
  }

  #waiting(realm: SyncedRealm): HeldObject[] {
    const batch: HeldObject[] = [];
    const blocked: HeldObject[] = [];
    for (const object of this.#records.live(realm.path)) {
      if (batch.length >= MAX_BATCH_OBJECTS) break;
      const { row, properties, lists } = object.record;
      const parts = [...Object.values(properties), ...Object.values(lists)];
      if (row?.sequence !== 0 && !parts.includes(0)) continue;
      if (this.#isReady(realm, object)) batch.push(object);
      else blocked.push(object);
    }
    return batch.length === 0 ? this.#together(realm, blocked) : batch;
  }

  /** Objects that wait only for one another. */
  #together(realm: SyncedRealm, blocked: readonly HeldObject[]): HeldObject[] {
    let batch = [...blocked];
    for (;;) {
      const inserted = new Set(batch.filter(({ record }) => isInsertion(record)).map(nameOf(realm.path)));
      const ready = batch.filter((object) => this.#isReady(realm, object, inserted));
      if (ready.length === batch.length) return batch;
      batch = ready;
    }
  }

  /** Something of it can be written: its row, or a property that waits for nothing else. */
  #isReady(realm: SyncedRealm, { table, key, record }: HeldObject, inserted?: ReadonlySet<string>): boolean {
    if (record.row?.sequence === 0 && record.row.operation === 'delete') return true;
    const object = realm.replica.object(table, key);
    if (object === undefined) return true;
    const free = (property: string): boolean =>
      !this.#isBlocked(realm.path, table, property, object.fields.get(property) ?? NULL, inserted);
    const waiting = Object.keys(record.properties).filter((name) => record.properties[name] === 0);
    if (record.row?.sequence === 0)
      return waiting.every((property) => free(property) || !this.#isRequired(table, property));
    return waiting.some(free) || Object.values(record.lists).includes(0);
  }

  /** The instructions for what can be written of an object, whose parts are from now on under way. */
  #instructionsOf(
    realm: SyncedRealm,
    { table, key, record }: HeldObject,
    inserted: ReadonlySet<string>,
    sequence: number,
  ): MergedInstruction[] {
    const instructions: MergedInstruction[] = [];
    const { row } = record;
    if (row?.sequence === 0) {
      row.sequence = sequence;
      if (row.operation !== 'insert') instructions.push({ type: 'DELETE', table, key });
    }
    const object = realm.replica.object(table, key);
    if (object === undefined) {
      if (row?.operation !== 'delete') mapSequences(record, () => undefined); // it is gone, and so is its row
      this.#records.write(realm.path, table, key, record);
      return instructions;
    }
    const values = new Map<string, StateValue>();
    for (const [property, before] of Object.entries(record.properties)) {
      const value = object.fields.get(property) ?? NULL;
      if (before !== 0 || this.#isBlocked(realm.path, table, property, value, inserted)) continue;
      record.properties[property] = sequence;
      values.set(property, value);
    }
    const inserts = row?.sequence === sequence && row.operation !== 'delete';
    if (inserts || values.size > 0)
      instructions.push({ type: inserts ? 'INSERT' : 'SET', table, key, values });
    for (const [property, before] of Object.entries(record.lists)) {
      if (before !== 0) continue;
      record.lists[property] = sequence;
      const list = object.fields.get(property);
      instructions.push({ type: 'LIST_CLEAR', table, key, property });
      if (list?.type !== 'list') continue;
      list.items.forEach((item, index) => {
        const target = item.type === 'link' ? item : NULL;
        instructions.push({ type: 'LIST_INSERT', table, key, property, index, target });
      });
    }
    this.#records.write(realm.path, table, key, record);
    return instructions;
  }

  #tell(path: string, className: string): void {
    if (this.#told.has(className)) return;
    this.#told.add(className);
    this.#options.logger.warn(
      'Changes made in a realm wait for a table that is stopped; the rest of their transactions is written',
      { class: className, path },
    );
  }
}
