/**
 * Keeps lists alike that both sides may change (`watch_table`, and lists whose members refer to the owner by a foreign
 * key). Three states of a list are compared: the realm's, the database's as it is now, and the base, which both had when
 * they were alike last. What differs from the base is the change of that side, and is made on the other one. Reading the
 * database anew after each change that the feed shows makes repetitions harmless: once both sides are quiet, base,
 * realm and database are the same.
 *
 * Reading, deciding and writing of one list never overlap with those of another attempt: the feed and the queues of the
 * realms take turns.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { stateDifference } from '../../store/state/state-difference.ts';
import type { FeedEvent, SourceDialect } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import type { SyncedRealm } from '../realms.ts';
import { Turns } from '../turns.ts';
import { heldItems, listItems, objectKey, objectOfOwn, objectText, ownOfObject } from './list-ends.ts';
import { type ChangedList, type Changes, ListEvents } from './list-events.ts';
import { ListMarks, type ListName } from './list-marks.ts';
import { inOrderOf, mergeLists, sameList, withoutRepetitions } from './list-merge.ts';
import { isTidy, ListPlan, type ListToWrite, type PlannedList } from './list-plan.ts';
import { fetchLists, fetchOwns, NO_LIST, type SqlList } from './sql-lists.ts';

/** Owners that are compared at a time when whole classes are. */
const COMPARED_OWNERS = 1_000;
/** How often, and how soon, a commit is looked for that nobody else sees yet, before everything else goes on. */
const LOOKS = 20;
const LOOK_MILLISECONDS = 5;

export type ListKeeperOptions = {
  readonly store: ReplicaStore;
  readonly mapping: () => Mapping;
  readonly reads: Pick<SourceDialect, 'fetchRows' | 'snapshotIncludes' | 'visibility'>;
  readonly realms: () => readonly SyncedRealm[];
  /** Decides on a list that the realm cannot hold: returns to leave it, throws to stop. */
  readonly onDataError: (error: DataError, className: string) => void;
};

/** What was written into a realm. */
export type WrittenList = { readonly realm: SyncedRealm; readonly instructions: readonly Instruction[] };

type FoundList = ChangedList & { readonly sql: SqlList };

export class ListKeeper {
  readonly #options: ListKeeperOptions;
  readonly #marks: ListMarks;
  readonly #events: ListEvents;
  readonly #turns = new Turns();
  #refused: ListPlan['refused'] = [];
  /** What an earlier run had put off is noted. */
  #isRestored = false;

  constructor(options: ListKeeperOptions) {
    this.#options = options;
    this.#marks = new ListMarks(options.store);
    this.#events = new ListEvents(this.#marks, options.mapping);
  }

  // ---- database to realm ----------------------------------------------------------------------------------------

  /**
   * Runs `write`, which brings what `events` say of rows into the realms. It calls what it is given at the end of its
   * store transaction, to bring the lists there, too.
   */
  async capture<T>(
    events: readonly FeedEvent[],
    write: (lists: () => readonly WrittenList[]) => Promise<T>,
  ): Promise<T> {
    if (!this.#isRestored) this.#restore();
    this.#events.note(events);
    const changes = this.#events.take();
    if (changes.lists.length === 0) return write(() => []);
    return this.#turns.run(async () => {
      try {
        if (!(await this.#isVisible(changes.transactions))) return await this.#postpone(changes, write);
        const found = await this.#read(changes.lists);
        return await write(() => {
          const written = found.flatMap((list) => this.#compare(list));
          for (const { list, owner } of changes.lists) this.#marks.postpone(list, owner, false);
          return written;
        });
      } catch (error) {
        this.#events.add(changes);
        throw error;
      }
    });
  }

  /** A commit may be in the feed a moment before those who read see it. */
  async #isVisible(transactions: readonly string[]): Promise<boolean> {
    const { reads } = this.#options;
    if (reads.visibility === undefined || transactions.length === 0) return true;
    for (let look = 1; ; look += 1) {
      const visibility = await reads.visibility();
      if (transactions.every((transaction) => reads.snapshotIncludes(visibility, transaction))) return true;
      if (look >= LOOKS) return false;
      await sleep(LOOK_MILLISECONDS);
    }
  }

  /** The lists are looked at with later events, also after a restart. */
  async #postpone<T>(
    changes: Changes,
    write: (lists: () => readonly WrittenList[]) => Promise<T>,
  ): Promise<T> {
    const result = await write(() => {
      for (const { list, owner } of changes.lists) this.#marks.postpone(list, owner, true);
      return [];
    });
    this.#events.add(changes);
    return result;
  }

  #restore(): void {
    this.#isRestored = true;
    const mapping = this.#options.mapping();
    const lists = this.#marks.postponed().flatMap(([className = '', property = '', owner = '']) => {
      const list = mapping.followedList(className, property);
      return list === undefined ? [] : [{ list, owner }];
    });
    this.#events.add({ lists, transactions: [] });
  }

  /** The connection was lost: the unfinished transaction will be delivered again from its beginning. */
  reset(): void {
    this.#events.reset();
  }

  /** Compares all lists that objects of these classes own or are in. */
  async compareAll(classNames: readonly string[], signal: AbortSignal): Promise<void> {
    const lists = this.#options
      .mapping()
      .followedLists.filter(
        ({ ownerClass, targetClass }) => classNames.includes(ownerClass) || classNames.includes(targetClass),
      );
    for (const list of lists) {
      for (const realm of this.#options.realms()) {
        let owners: string[] = [];
        for (const { key } of realm.replica.objects(list.ownerClass)) {
          const mapped = this.#options.mapping().forClass(list.ownerClass);
          const own = mapped === undefined ? undefined : ownOfObject(mapped, objectText(mapped, key));
          if (own !== undefined) owners.push(own);
          if (owners.length < COMPARED_OWNERS) continue;
          signal.throwIfAborted();
          await this.#compareOwners(list, owners);
          owners = [];
        }
        await this.#compareOwners(list, owners);
      }
    }
  }

  #compareOwners(list: FollowedList, owners: readonly string[]): Promise<void> {
    return this.#turns.run(async () => {
      const found = await this.#read(owners.map((owner) => ({ list, owner })));
      this.#options.store.transaction(() => {
        for (const one of found) this.#compare(one);
      });
    });
  }

  /** The mapping may be another one than when the lists were noted. */
  async #read(changed: readonly ChangedList[]): Promise<FoundList[]> {
    const mapping = this.#options.mapping();
    const found: FoundList[] = [];
    for (const [, some] of Map.groupBy(changed, ({ list }) => `${list.ownerClass}\0${list.property}`)) {
      const [first] = some;
      const list =
        first === undefined ? undefined : mapping.followedList(first.list.ownerClass, first.list.property);
      if (list === undefined) continue;
      const owners = some.map(({ owner }) => owner);
      const lists = await fetchLists(list, owners, mapping, this.#options.reads);
      for (const owner of owners) found.push({ list, owner, sql: lists.get(owner) ?? NO_LIST });
    }
    return found;
  }

  /** Call inside the store's transaction. */
  #compare({ list, owner: row, sql }: FoundList): WrittenList[] {
    const mapping = this.#options.mapping();
    const owner = mapping.forClass(list.ownerClass);
    const target = mapping.forClass(list.targetClass);
    if (owner === undefined || target === undefined) return [];
    try {
      const object = objectOfOwn(owner, row);
      if (object === undefined) return [];
      return this.#options.realms().flatMap((realm) => {
        const instructions = this.#compareIn(
          realm,
          { list, path: realm.path, owner: object },
          owner,
          target,
          sql,
        );
        if (instructions.length > 0) realm.replica.write(instructions);
        return instructions.length === 0 ? [] : [{ realm, instructions }];
      });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.#options.onDataError(error, list.ownerClass);
      return [];
    }
  }

  #compareIn(
    { replica }: SyncedRealm,
    name: ListName,
    owner: ClassMapping,
    target: ClassMapping,
    sql: SqlList,
  ): readonly Instruction[] {
    const { list } = name;
    const items = listItems(list, replica, owner, name.owner);
    const held = heldItems(list, replica, owner, target, name.owner);
    if (items === undefined || held === undefined) {
      this.#forget(name);
      return [];
    }
    const base = this.#marks.base(name);
    // The row may have come together with its key, after the list was read.
    const known = sql.items.map(({ row, object }) => ({ row, object: object ?? objectOfOwn(target, row) }));
    const isHeld = (object: string | undefined): object is string =>
      object !== undefined && replica.object(target.className, objectKey(target, object)) !== undefined;
    const objects = known.flatMap(({ object }) => (isHeld(object) ? [object] : []));
    const theirs = list.order === undefined ? inOrderOf(base?.items ?? [], objects) : objects;
    const merged =
      base === undefined
        ? [...theirs, ...held.filter((item) => !theirs.includes(item))]
        : mergeLists(base.items, held, theirs);
    const wanted = list.member === undefined ? merged : withoutRepetitions(merged);
    this.#marks.setBase(name, {
      owner: sql.owner ?? '',
      items: theirs,
      rows: known.flatMap(({ row, object }) => (isHeld(object) ? [row] : [])),
      awaited: known.flatMap(({ row, object }) => (isHeld(object) ? [] : [row])),
    });
    this.#marks.owe(name, !sameList(wanted, theirs) || !isTidy({ name, sql }));
    return difference(replica, name, owner, target, items, wanted);
  }

  #forget(name: ListName): void {
    if (this.#marks.base(name) !== undefined) this.#marks.setBase(name, undefined);
    this.#marks.owe(name, false);
  }

  // ---- realm to database ----------------------------------------------------------------------------------------

  /** True when the instructions change lists that are kept here, or owners of such. */
  concerns(instructions: readonly MergedInstruction[]): boolean {
    return this.#options.mapping().followedLists.length > 0 && this.#namesIn('', instructions).length > 0;
  }

  /** Runs `write` with what is known of the lists that the instructions change, and takes note of what it has written. */
  async apply(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    write: (lists: ListPlan) => Promise<void>,
  ): Promise<void> {
    await this.#turns.run(() => this.#apply(realm, instructions, [], write));
  }

  /** The realms of which the database is to be told a list. */
  owing(): readonly string[] {
    return [...new Set(this.#marks.owed().map(([, , path]) => path ?? ''))];
  }

  /** The same for lists of which the database is to be told. */
  async applyOwed(realm: SyncedRealm, write: (lists: ListPlan) => Promise<void>): Promise<void> {
    await this.#turns.run(async () => {
      const names: ListName[] = [];
      for (const texts of this.#marks.owed()) {
        const [className = '', property = '', path = '', owner = ''] = texts;
        if (path !== realm.path) continue;
        const list = this.#options.mapping().followedList(className, property);
        if (list === undefined) this.#marks.forgive(texts);
        else names.push({ list, path, owner });
      }
      await this.#apply(realm, [], names, write);
    });
  }

  /** The database stays as it is: what it is to be told of this realm's lists is given up. */
  forgiveOwed(realm: SyncedRealm): void {
    this.#options.store.transaction(() => {
      for (const texts of this.#marks.owed()) if (texts[2] === realm.path) this.#marks.forgive(texts);
    });
  }

  /** What could not leave its list returns to it in the realm: the last transaction was put aside for it. */
  giveBack(): void {
    const refused = this.#refused;
    this.#refused = [];
    if (refused.length === 0) return;
    this.#options.store.transaction(() => {
      for (const { name, item } of refused) {
        const base = this.#marks.base(name);
        if (base === undefined) continue;
        this.#marks.setBase(name, { ...base, items: base.items.filter((known) => known !== item) });
        if (base.owner !== '')
          this.#events.add({ lists: [{ list: name.list, owner: base.owner }], transactions: [] });
      }
    });
  }

  /**
   * Lists are written as the realm has them now, which includes what later changes have done to them: so all lists that
   * these touch are written along, or an item on its way from one to another would belong to neither.
   */
  async #apply(
    realm: SyncedRealm,
    instructions: readonly MergedInstruction[],
    owed: readonly ListName[],
    write: (lists: ListPlan) => Promise<void>,
  ): Promise<void> {
    const now = new Set(instructions);
    const waiting = (): MergedInstruction[] =>
      realm.pending.flatMap((transaction) => transaction.instructions.filter((one) => !now.has(one)));
    const known = waiting();
    const changed = this.#namesIn(realm.path, [...instructions, ...known]);
    const others = owed.filter(
      ({ list, owner }) => !changed.some((name) => name.list === list && name.owner === owner),
    );
    const plan = new ListPlan(await this.#toWrite([...others, ...changed]), waiting, new Set(known));
    try {
      await write(plan);
    } catch (error) {
      this.#refused = plan.refused;
      throw error;
    }
    this.#options.store.transaction(() => {
      for (const list of plan.planned) this.#written(realm, list);
    });
  }

  async #toWrite(names: readonly ListName[]): Promise<ListToWrite[]> {
    const { reads } = this.#options;
    const mapping = this.#options.mapping();
    const found: ListToWrite[] = [];
    for (const [list, some] of Map.groupBy(names, (name) => name.list)) {
      const owner = mapping.forClass(list.ownerClass);
      if (owner === undefined) continue;
      const owns = new Map<string, string>();
      for (const { owner: text } of some) {
        const own = ownOfObject(owner, text);
        if (own !== undefined) owns.set(text, own);
      }
      const unknown = some.map((name) => name.owner).filter((text) => !owns.has(text));
      for (const [text, own] of await fetchOwns(owner, unknown, reads)) owns.set(text, own);
      const lists = await fetchLists(list, [...owns.values()], mapping, reads);
      for (const name of some)
        found.push({
          name,
          base: this.#marks.base(name),
          sql: lists.get(owns.get(name.owner) ?? '') ?? NO_LIST,
        });
    }
    return found;
  }

  /** The realm had this when it was written. What others have done meanwhile differs from it, and is theirs. */
  #written({ replica }: SyncedRealm, { name, sql, items }: PlannedList): void {
    if (items === undefined) {
      this.#forget(name);
      return;
    }
    const mapping = this.#options.mapping();
    const owner = mapping.forClass(name.list.ownerClass);
    const target = mapping.forClass(name.list.targetClass);
    if (owner === undefined || target === undefined) return;
    const rows = new Map(
      sql.items.flatMap(({ row, object }) => (object === undefined ? [] : [[object, row]])),
    );
    const known = new Set(items);
    this.#marks.setBase(name, {
      owner: sql.owner ?? '',
      items,
      rows:
        sql.owner === undefined
          ? []
          : items.flatMap((item) => rows.get(item) ?? (target.key.row === undefined ? item : [])),
      awaited: sql.items.flatMap(({ row, object }) =>
        object === undefined || !known.has(object) ? [row] : [],
      ),
    });
    this.#marks.owe(name, false);
    this.#onceEach(replica, name, owner, target);
  }

  /** A foreign key cannot say that something is twice in a list. */
  #onceEach(
    replica: SyncedRealm['replica'],
    name: ListName,
    owner: ClassMapping,
    target: ClassMapping,
  ): void {
    if (name.list.member === undefined) return;
    const items = listItems(name.list, replica, owner, name.owner) ?? [];
    const texts = items.flatMap((item) => (item.type === 'link' ? [objectText(target, item.key)] : []));
    if (new Set(texts).size === texts.length) return;
    const instructions = difference(replica, name, owner, target, items, withoutRepetitions(texts));
    if (instructions.length > 0) replica.write(instructions);
  }

  #namesIn(path: string, instructions: readonly MergedInstruction[]): ListName[] {
    const mapping = this.#options.mapping();
    const names = new Map<string, ListName>();
    const add = (list: FollowedList, owner: string): void => {
      // What changes last comes last, and wins an item that two lists claim.
      const name = `${list.ownerClass}\0${list.property}\0${owner}`;
      names.delete(name);
      names.set(name, { list, path, owner });
    };
    for (const instruction of instructions) {
      if (!('key' in instruction)) continue;
      const owner = mapping.forClass(instruction.table);
      if (owner?.followed === undefined || owner.followed.size === 0) continue;
      const text = textOrNone(owner, instruction);
      if (text === undefined) continue;
      if ('property' in instruction) {
        const list = mapping.followedList(instruction.table, instruction.property);
        if (list !== undefined) add(list, text);
      } else if (instruction.type === 'DELETE') {
        for (const { property } of owner.followed.values()) {
          const list = mapping.followedList(instruction.table, property);
          if (list !== undefined) add(list, text);
        }
      }
    }
    return [...names.values()];
  }
}

/** Undefined for a key that no row can have, which is for others to report. */
function textOrNone(
  owner: ClassMapping,
  { key }: Extract<MergedInstruction, { key: unknown }>,
): string | undefined {
  try {
    return objectText(owner, key);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

function difference(
  replica: SyncedRealm['replica'],
  { list, owner: text }: ListName,
  owner: ClassMapping,
  target: ClassMapping,
  before: readonly StateValue[],
  after: readonly string[],
): Instruction[] {
  const address = { table: list.ownerClass, key: objectKey(owner, text), field: list.property, path: [] };
  const items = after.map(
    (item): StateValue => ({
      type: 'link',
      table: target.className,
      key: objectKey(target, item),
    }),
  );
  return stateDifference(
    replica.schema,
    address,
    list.definition,
    { type: 'list', items: [...before] },
    { type: 'list', items },
  );
}
