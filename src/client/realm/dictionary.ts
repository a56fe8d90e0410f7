import type { DictionaryState } from '../../store/state/object-state.ts';
import { DICTIONARY_MARK } from './assign.ts';
import type { ElementType } from './element-type.ts';
import { entryPlace, type Place } from './place.ts';
import type { RealmAccess } from './realm-access.ts';

/** A live dictionary: its keys are properties, and `set`, `remove`, `keys` … work beside them. */
export class RealmDictionary {
  readonly #access: RealmAccess;
  readonly #place: Place;
  readonly #element: ElementType;
  readonly [key: string]: unknown;
  readonly [DICTIONARY_MARK] = true;

  private constructor(access: RealmAccess, place: Place, element: ElementType) {
    this.#access = access;
    this.#place = place;
    this.#element = element;
  }

  static create(access: RealmAccess, place: Place, element: ElementType): RealmDictionary {
    return keyed(new RealmDictionary(access, place, element));
  }

  get(key: string): unknown {
    if (this.#state()?.entries.has(key) !== true) return undefined;
    return this.#access.read(entryPlace(this.#place, key), this.#element);
  }

  /** `set(key, value)` or `set({ key: value, … })` */
  set(keyOrEntries: string | Readonly<Record<string, unknown>>, value?: unknown): this {
    const entries =
      typeof keyOrEntries === 'string' ? [[keyOrEntries, value] as const] : Object.entries(keyOrEntries);
    for (const [key, entry] of entries) {
      this.#access.assigner.setPlace(entryPlace(this.#place, key), this.#element, entry);
    }
    return this;
  }

  /** Removes one key or several; a missing key changes nothing. */
  remove(keys: string | readonly string[]): this {
    const transaction = this.#access.core.writing();
    for (const key of typeof keys === 'string' ? [keys] : keys) {
      if (this.#state()?.entries.has(key) !== true) continue;
      const address = entryPlace(this.#place, key).address();
      transaction.emit({ op: 'Update', ...address, value: { type: 'erased' }, isDefault: false });
    }
    return this;
  }

  clear(): void {
    if ((this.#state()?.entries.size ?? 0) > 0) this.#access.assigner.clear(this.#place, 'dictionary');
    else this.#access.core.writing();
  }

  has(key: string): boolean {
    return this.#state()?.entries.has(key) ?? false;
  }

  keys(): IterableIterator<string> {
    return [...(this.#state()?.entries.keys() ?? [])].values();
  }

  *values(): IterableIterator<unknown> {
    for (const key of this.keys()) yield this.get(key);
  }

  *entries(): IterableIterator<[string, unknown]> {
    for (const key of this.keys()) yield [key, this.get(key)];
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries(this.entries());
  }

  #state(): DictionaryState | undefined {
    const value = this.#place.read();
    return value?.type === 'dictionary' ? value : undefined;
  }
}

function keyed(dictionary: RealmDictionary): RealmDictionary {
  return new Proxy(dictionary, {
    get(target, name): unknown {
      const own: unknown = Reflect.get(target, name, target);
      if (own !== undefined) return typeof own === 'function' ? own.bind(target) : own;
      return typeof name === 'string' ? target.get(name) : undefined;
    },
    set(target, name, value): boolean {
      if (typeof name !== 'string') return false;
      target.set(name, value);
      return true;
    },
    deleteProperty(target, name): boolean {
      if (typeof name !== 'string') return false;
      target.remove(name);
      return true;
    },
    has(target, name): boolean {
      return Reflect.has(target, name) || (typeof name === 'string' && target.has(name));
    },
    ownKeys(target): (string | symbol)[] {
      return [...target.keys()];
    },
    getOwnPropertyDescriptor(target, name): PropertyDescriptor | undefined {
      if (typeof name !== 'string' || !target.has(name)) return undefined;
      return { value: target.get(name), writable: true, enumerable: true, configurable: true };
    },
  });
}
