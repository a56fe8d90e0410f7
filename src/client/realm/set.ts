import { keyToken } from '../../schema/value.ts';
import type { SetState } from '../../store/state/object-state.ts';
import { valueToken } from '../../store/state/value-token.ts';
import { RealmCollection } from './collection.ts';
import type { ElementType } from './element-type.ts';
import type { Place } from './place.ts';
import type { RealmAccess } from './realm-access.ts';

/** A live set in the order of insertion, with the methods of a JavaScript `Set`. */
export class RealmSet extends RealmCollection {
  readonly #access: RealmAccess;
  readonly #place: Place;
  readonly #element: ElementType;

  constructor(access: RealmAccess, place: Place, element: ElementType) {
    super();
    this.#access = access;
    this.#place = place;
    this.#element = element;
  }

  get length(): number {
    let length = 0;
    for (const _ of this) length += 1;
    return length;
  }

  isValid(): boolean {
    return this.#access.core.state(this.#place.address().table, this.#place.address().key) !== undefined;
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    for (const member of [...(this.#state()?.items.values() ?? [])]) {
      // A link to nothing is a member that is not shown.
      if (member.type === 'link' && this.#access.core.state(member.table, member.key) === undefined) continue;
      yield this.#access.convert(member);
    }
  }

  has(value: unknown): boolean {
    const scalar = this.#access.assigner.scalar(this.#place, this.#element, value);
    if (scalar.type === 'link' && this.#access.core.state(scalar.table, scalar.key) === undefined)
      return false;
    return this.#state()?.items.has(valueToken(scalar)) ?? false;
  }

  /** Adds a member; one that is there already changes nothing. */
  add(value: unknown): this {
    if (!this.has(value)) this.#access.assigner.changeSet('SetInsert', this.#place, this.#element, value);
    return this;
  }

  /** Removes a member and tells whether it was there. */
  delete(value: unknown): boolean {
    if (!this.has(value)) {
      this.#access.core.writing();
      return false;
    }
    this.#access.assigner.changeSet('SetErase', this.#place, this.#element, value);
    return true;
  }

  /** Empties the set. Objects that were members stay. */
  clear(): void {
    if ((this.#state()?.items.size ?? 0) > 0) this.#access.assigner.clear(this.#place, 'set');
    else this.#access.core.writing();
  }

  /** Tells whether two sets are the same property of the same object. */
  equals(other: unknown): boolean {
    if (!(other instanceof RealmSet)) return false;
    const [a, b] = [this.#place.address(), other.#place.address()];
    return a.table === b.table && keyToken(a.key) === keyToken(b.key) && a.field === b.field;
  }

  #state(): SetState | undefined {
    const value = this.#place.read();
    return value?.type === 'set' ? value : undefined;
  }
}
