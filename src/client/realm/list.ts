import { indexOfName, RealmCollection } from './collection.ts';
import type { ElementType } from './element-type.ts';
import { itemPlace, itemsAt, type Place } from './place.ts';
import type { RealmAccess } from './realm-access.ts';
import { RealmUsageError } from './realm-error.ts';

/**
 * A live list with the methods of an array. Links whose target does not exist are not shown, but they count in the
 * indexes that instructions name (merge-rules.md §9.1).
 */
export class RealmList extends RealmCollection {
  readonly #access: RealmAccess;
  readonly #place: Place;
  readonly #element: ElementType;
  readonly [index: number]: unknown;

  private constructor(access: RealmAccess, place: Place, element: ElementType) {
    super();
    this.#access = access;
    this.#place = place;
    this.#element = element;
  }

  /** A list that also answers to indexes: `list[0]`, `list[0] = value`. */
  static create(access: RealmAccess, place: Place, element: ElementType): RealmList {
    return indexed(new RealmList(access, place, element));
  }

  get length(): number {
    const raw = this.#visible();
    return raw === undefined ? itemsAt(this.#place).length : raw.length;
  }

  isValid(): boolean {
    return this.#access.core.state(this.#place.address().table, this.#place.address().key) !== undefined;
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  get(index: number): unknown {
    const raw = this.#raw(index);
    if (raw === undefined || raw >= itemsAt(this.#place).length) return undefined;
    return this.#access.read(itemPlace(this.#place, raw), this.#element);
  }

  set(index: number, value: unknown): void {
    if (index === this.length) {
      this.push(value);
      return;
    }
    this.#access.assigner.setPlace(itemPlace(this.#place, this.#existing(index)), this.#element, value);
  }

  push(...values: unknown[]): number {
    for (const value of values) this.#insertRaw(itemsAt(this.#place).length, value);
    return this.length;
  }

  unshift(...values: unknown[]): number {
    this.#insert(0, values);
    return this.length;
  }

  pop(): unknown {
    return this.length === 0 ? undefined : this.#take(this.length - 1);
  }

  shift(): unknown {
    return this.length === 0 ? undefined : this.#take(0);
  }

  /** As `Array.prototype.splice`: removes from the end backwards, then inserts. */
  splice(start: number, deleteCount?: number, ...values: unknown[]): unknown[] {
    const { length } = this;
    const from = start < 0 ? Math.max(length + start, 0) : Math.min(start, length);
    const count = Math.min(Math.max(deleteCount ?? length - from, 0), length - from);
    const removed: unknown[] = [];
    for (let index = from; index < from + count; index++) removed.push(this.get(index));
    for (let index = from + count - 1; index >= from; index--) this.#erase(index);
    this.#insert(from, values);
    return removed;
  }

  remove(index: number): void {
    this.#erase(index);
  }

  /** Moves an element so that it ends at index `to` of the resulting list. */
  move(from: number, to: number): void {
    const address = this.#place.address();
    const [origin, destination] = [this.#existing(from), this.#existing(to)];
    if (origin === destination) return;
    const priorSize = itemsAt(this.#place).length;
    this.#access.core
      .writing()
      .emit({ op: 'ArrayMove', ...address, path: [...address.path, origin], destination, priorSize });
  }

  removeAll(): void {
    if (itemsAt(this.#place).length > 0) this.#access.assigner.clear(this.#place, 'list');
    else this.#access.core.writing();
  }

  #take(index: number): unknown {
    const value = this.get(index);
    this.#erase(index);
    return value;
  }

  #erase(index: number): void {
    const address = this.#place.address();
    const path = [...address.path, this.#existing(index)];
    const priorSize = itemsAt(this.#place).length;
    this.#access.core.writing().emit({ op: 'ArrayErase', ...address, path, priorSize });
  }

  #insert(index: number, values: readonly unknown[]): void {
    for (const [offset, value] of values.entries()) {
      this.#insertRaw(this.#raw(index + offset) ?? itemsAt(this.#place).length, value);
    }
  }

  #insertRaw(index: number, value: unknown): void {
    this.#access.assigner.insert(this.#place, index, this.#element, value);
  }

  #existing(index: number): number {
    const raw = this.#raw(index);
    if (Number.isInteger(index) && index >= 0 && raw !== undefined && index < this.length) return raw;
    const { table, field } = this.#place.address();
    throw new RealmUsageError(
      `index ${index} is outside the list ${table}.${field} of ${this.length} elements`,
    );
  }

  /** The raw index of a shown element; `undefined` past the end of a list of links. */
  #raw(index: number): number | undefined {
    const visible = this.#visible();
    return visible === undefined ? index : visible[index];
  }

  /** Raw indexes of the shown elements; `undefined` when all are shown. */
  #visible(): number[] | undefined {
    if (this.#element.type !== 'link' || this.#access.core.isEmbedded(this.#element.linkTarget))
      return undefined;
    const visible: number[] = [];
    for (const [index, item] of itemsAt(this.#place).entries()) {
      if (item.type === 'link' && this.#access.core.state(item.table, item.key) !== undefined)
        visible.push(index);
    }
    return visible;
  }
}

function indexed(list: RealmList): RealmList {
  return new Proxy(list, {
    get(target, name): unknown {
      const index = indexOfName(name);
      if (index !== undefined) return target.get(index);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, name, value): boolean {
      const index = indexOfName(name);
      if (index === undefined) return false;
      target.set(index, value);
      return true;
    },
    has(target, name): boolean {
      const index = indexOfName(name);
      return index === undefined ? Reflect.has(target, name) : index < target.length;
    },
  });
}
