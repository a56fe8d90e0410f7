/**
 * Which lists the transactions of the feed may have changed, so that they are looked at when those are over. Rows whose
 * foreign key says what is known of them already tell nothing: most often that is our own change coming back.
 */
import {
  type FeedChange,
  type FeedEvent,
  type FeedTable,
  type FeedValue,
  tableId,
  UNCHANGED,
} from '../dialect.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { FollowedList } from '../mapping/followed-lists.ts';
import { ownColumns, ownText } from './list-ends.ts';
import type { ListMarks } from './list-marks.ts';

/** A list by the row of its owner. */
export type ChangedList = { readonly list: FollowedList; readonly owner: string };

export type Changes = { readonly lists: readonly ChangedList[]; readonly transactions: readonly string[] };

/** What the rows of a table say of a list. */
type Role =
  | { readonly kind: 'order'; readonly list: FollowedList; readonly oid: number }
  | {
      readonly kind: 'owner';
      readonly list: FollowedList;
      readonly own: readonly number[];
      readonly mapped: ClassMapping;
    }
  | {
      readonly kind: 'target';
      readonly list: FollowedList;
      readonly own: readonly number[];
      /** Where the foreign key stands; undefined where there is none. */
      readonly member: number | undefined;
      readonly mapped: ClassMapping;
    };

type Row = readonly FeedValue[];

export class ListEvents {
  readonly #marks: ListMarks;
  readonly #mapping: () => Mapping;
  #roles = new WeakMap<FeedTable, readonly Role[]>();
  #rolesOf: Mapping | undefined;
  /** Of the transaction that goes on. */
  #current = new Map<string, ChangedList>();
  /** Of those that are over. */
  #ready = new Map<string, ChangedList>();
  /** The transaction that goes on, and those that are over and have changed lists. */
  #transaction: string | undefined;
  #transactions = new Set<string>();

  constructor(marks: ListMarks, mapping: () => Mapping) {
    this.#marks = marks;
    this.#mapping = mapping;
  }

  note(events: readonly FeedEvent[]): void {
    if (this.#mapping().followedLists.length === 0) return;
    for (const event of events) {
      if (event.kind === 'begin') this.#transaction = event.transaction;
      else if (event.kind === 'change') this.#change(event.change);
      else if (event.kind === 'commit' && this.#current.size > 0) {
        for (const [name, changed] of this.#current) this.#ready.set(name, changed);
        if (this.#transaction !== undefined) this.#transactions.add(this.#transaction);
        this.#current = new Map();
      }
    }
  }

  /** The lists that are to be looked at now, and the transactions that must be seen then. */
  take(): Changes {
    const changes = { lists: [...this.#ready.values()], transactions: [...this.#transactions] };
    if (changes.lists.length > 0) this.#ready = new Map();
    if (changes.transactions.length > 0) this.#transactions = new Set();
    return changes;
  }

  /** To be looked at with the next events. */
  add({ lists, transactions }: Changes): void {
    for (const changed of lists) this.#ready.set(nameOf(changed.list, changed.owner), changed);
    for (const transaction of transactions) this.#transactions.add(transaction);
  }

  /** The transaction that goes on will be delivered again. */
  reset(): void {
    this.#current = new Map();
  }

  #change(change: FeedChange): void {
    if (change.kind === 'truncate') {
      for (const table of change.tables)
        for (const { list } of this.#rolesIn(table))
          for (const owner of this.#marks.owners(list)) this.#note(list, owner);
      return;
    }
    for (const role of this.#rolesIn(change.table)) {
      switch (role.kind) {
        case 'order':
          for (const row of rowsOf(change)) this.#note(role.list, row[role.oid]);
          break;
        case 'owner':
          this.#owner(role, change);
          break;
        case 'target':
          this.#target(role, change);
          break;
      }
    }
  }

  /** One that is new may have members already, and one that is gone is forgotten. */
  #owner(role: Extract<Role, { kind: 'owner' }>, change: Exclude<FeedChange, { kind: 'truncate' }>): void {
    const owns = rowsOf(change).map((row) => ownIn(role, row));
    const [own] = owns;
    const isSame = change.kind === 'update' && new Set(owns).size === 1 && own !== undefined;
    if (isSame && this.#marks.knowsOwner(role.list, own)) return;
    for (const own of owns) this.#note(role.list, own);
  }

  #target(role: Extract<Role, { kind: 'target' }>, change: Exclude<FeedChange, { kind: 'truncate' }>): void {
    const { list, member } = role;
    const row = change.kind === 'delete' ? undefined : change.row;
    const own = ownIn(role, row ?? (change.kind === 'delete' ? change.old : []));
    const before = change.kind === 'update' && change.old !== undefined ? ownIn(role, change.old) : own;
    if (own === undefined) return;
    if (before !== undefined && before !== own)
      for (const holder of this.#marks.holders(list, before)) this.#note(list, holder.owner);
    const holders = this.#marks.holders(list, own);
    const shown = row === undefined ? null : member === undefined ? undefined : row[member];
    if (shown === UNCHANGED) return;
    if (shown === undefined) {
      // Nothing is said of the list; it may have waited for the row.
      for (const { owner, awaits } of holders) if (awaits) this.#note(list, owner);
      return;
    }
    const [first, ...others] = holders;
    const isKnown =
      shown === null ? first === undefined : first?.owner === shown && !first.awaits && others.length === 0;
    if (isKnown) return;
    this.#note(list, shown);
    for (const { owner } of holders) this.#note(list, owner);
  }

  #note(list: FollowedList, owner: FeedValue | undefined): void {
    if (typeof owner === 'string') this.#current.set(nameOf(list, owner), { list, owner });
  }

  #rolesIn(table: FeedTable): readonly Role[] {
    const mapping = this.#mapping();
    if (this.#rolesOf !== mapping) {
      this.#rolesOf = mapping;
      this.#roles = new WeakMap();
    }
    let roles = this.#roles.get(table);
    if (roles === undefined) {
      roles = rolesOf(table, mapping);
      this.#roles.set(table, roles);
    }
    return roles;
  }
}

function nameOf({ ownerClass, property }: FollowedList, owner: string): string {
  return `${ownerClass}\0${property}\0${owner}`;
}

function rowsOf(change: Exclude<FeedChange, { kind: 'truncate' }>): readonly Row[] {
  switch (change.kind) {
    case 'insert':
      return [change.row];
    case 'update':
      return change.old === undefined ? [change.row] : [change.old, change.row];
    case 'delete':
      return [change.old];
  }
}

function ownIn({ mapped, own }: Extract<Role, { kind: 'owner' | 'target' }>, row: Row): string | undefined {
  return ownText(
    mapped,
    own.map((index) => row[index]),
  );
}

function rolesOf(table: FeedTable, mapping: Mapping): readonly Role[] {
  const id = tableId(table.table);
  const roles: Role[] = [];
  const placesOf = (mapped: ClassMapping): number[] =>
    ownColumns(mapped).map((name) => table.columns.indexOf(name));
  for (const list of mapping.followedLists) {
    const owner = mapping.forClass(list.ownerClass);
    const target = mapping.forClass(list.targetClass);
    if (owner === undefined || target === undefined) continue;
    if (list.watched && list.order !== undefined && tableId(list.order.table) === id)
      roles.push({ kind: 'order', list, oid: table.columns.indexOf('oid') });
    if (tableId(owner.table.table) === id)
      roles.push({ kind: 'owner', list, own: placesOf(owner), mapped: owner });
    if (tableId(target.table.table) === id) {
      const member = list.member === undefined ? undefined : table.columns.indexOf(list.member.column.name);
      roles.push({ kind: 'target', list, own: placesOf(target), member, mapped: target });
    }
  }
  return roles;
}
