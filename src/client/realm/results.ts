import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../../store/state/object-state.ts';
import { indexOfName, RealmCollection } from './collection.ts';
import type { RealmCore } from './realm-core.ts';
import type { RealmObject } from './realm-object.ts';

/** The objects of a class, or those of them that fulfil a condition: live, in key order. */
export class RealmResults<T = RealmObject> extends RealmCollection<T> {
  readonly #core: RealmCore;
  readonly #className: string;
  readonly #accessor: (key: PrimaryKey) => T;
  readonly #condition: ((state: ObjectState) => boolean) | undefined;
  readonly [index: number]: T;

  private constructor(
    core: RealmCore,
    className: string,
    accessor: (key: PrimaryKey) => T,
    condition: ((state: ObjectState) => boolean) | undefined,
  ) {
    super();
    this.#core = core;
    this.#className = className;
    this.#accessor = accessor;
    this.#condition = condition;
  }

  static create<T>(
    core: RealmCore,
    className: string,
    accessor: (key: PrimaryKey) => T,
    condition?: (state: ObjectState) => boolean,
  ): RealmResults<T> {
    return indexed(new RealmResults(core, className, accessor, condition));
  }

  get length(): number {
    if (this.#condition === undefined) return this.#core.count(this.#className);
    let length = 0;
    for (const { state } of this.#core.objects(this.#className)) if (this.#condition(state)) length += 1;
    return length;
  }

  isValid(): boolean {
    return !this.#core.closed;
  }

  get(index: number): T | undefined {
    let at = 0;
    for (const object of this) if (at++ === index) return object;
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const { key, state } of this.#core.objects(this.#className)) {
      if (this.#condition === undefined || this.#condition(state)) yield this.#accessor(key);
    }
  }
}

function indexed<T>(results: RealmResults<T>): RealmResults<T> {
  return new Proxy(results, {
    get(target, name): unknown {
      const index = indexOfName(name);
      if (index !== undefined) return target.get(index);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
