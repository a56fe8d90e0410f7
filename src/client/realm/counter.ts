import { scalarFromJs } from '../../schema/value-conversion.ts';
import type { FieldPlace } from './place.ts';
import type { RealmCore } from './realm-core.ts';

/** A live integer whose increments on several devices add up instead of overwriting one another. */
export class Counter {
  readonly #core: RealmCore;
  readonly #place: FieldPlace;

  constructor(core: RealmCore, place: FieldPlace) {
    this.#core = core;
    this.#place = place;
  }

  get value(): number {
    const value = this.#place.read();
    return value?.type === 'int' ? Number(value.value) : 0;
  }

  increment(by = 1): void {
    const addend = BigInt(by);
    this.#core.writing().emit({ op: 'AddInteger', ...this.#place.address(), addend });
  }

  decrement(by = 1): void {
    this.increment(-by);
  }

  /** Overwrites the count, also what others add at the same time. */
  set(value: number): void {
    const transaction = this.#core.writing();
    const payload = scalarFromJs(value, 'int');
    transaction.emit({ op: 'Update', ...this.#place.address(), value: payload, isDefault: false });
  }

  valueOf(): number {
    return this.value;
  }

  toJSON(): number {
    return this.value;
  }
}
