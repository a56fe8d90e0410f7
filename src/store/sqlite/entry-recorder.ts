/**
 * Keeps the state of each object before an entry of the history changes it. An object counts once in an entry, and
 * what the entry itself made has no earlier state.
 */
import type { CreateObject } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { type StoredKey, toStoredKey } from './object-key.ts';
import type { StoredClass } from './schema-table.ts';

/** Where earlier states go. */
export interface EarlierStates {
  put(classId: bigint, version: number, key: StoredKey, state: Uint8Array): void;
  /** The class is erased, and with it what its objects ever were. */
  drop(classId: bigint, upTo: number): void;
}

export class EntryRecorder {
  readonly #version: number;
  readonly #states: EarlierStates;
  readonly #classOf: (table: string) => StoredClass | undefined;
  /** By class, the tokens of keys that need no (further) record in this entry. */
  readonly #settled = new Map<StoredClass, Set<string>>();
  /** Creations that were taken whole: their keys are looked at only when some object is changed besides. */
  #whole: CreateObject[] = [];

  constructor(version: number, states: EarlierStates, classOf: (table: string) => StoredClass | undefined) {
    this.#classOf = classOf;
    this.#version = version;
    this.#states = states;
  }

  /** Whether the object's state is still to be recorded before it changes. */
  needs(stored: StoredClass, token: string): boolean {
    if (stored.definition.kind !== 'topLevel') return false;
    this.#settleWhole();
    return this.#settled.get(stored)?.has(token) !== true;
  }

  record(stored: StoredClass, token: string, key: PrimaryKey, state: Uint8Array): void {
    this.#states.put(stored.id, this.#version, toStoredKey(key), state);
    this.settle(stored, token);
  }

  /** The object is made by this entry. */
  settle(stored: StoredClass, token: string): void {
    let tokens = this.#settled.get(stored);
    if (tokens === undefined) {
      tokens = new Set();
      this.#settled.set(stored, tokens);
    }
    tokens.add(token);
  }

  erasedClass(stored: StoredClass): void {
    this.#settled.delete(stored);
    this.#states.drop(stored.id, this.#version);
  }

  /** The object is made by this entry. Costs next to nothing: loads are made of these. */
  tookWhole(creation: CreateObject): void {
    this.#whole.push(creation);
  }

  #settleWhole(): void {
    if (this.#whole.length === 0) return;
    for (const creation of this.#whole) {
      const stored = this.#classOf(creation.table);
      if (stored !== undefined) this.settle(stored, keyToken(creation.key));
    }
    this.#whole = [];
  }
}
