/**
 * Deleting an object as a real client does: the links to it are removed by instructions of their own before it is
 * erased, so that other clients receive that, too (changeset-format.md §8).
 */
import type { Instruction, Path } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import { LinkFinder, type LinkPlace, type LinkTarget } from './link-places.ts';
import type { RealmReader } from './realm-core.ts';
import type { WriteTransaction } from './write-transaction.ts';

export class Deletion {
  readonly #reader: RealmReader;
  readonly #transaction: WriteTransaction;
  readonly #finder: LinkFinder;
  /** Objects that may hold links, by target; made by the first deletion that has to search, then kept current. */
  readonly #origins = new Map<string, Map<string, LinkTarget>>();
  readonly #searchedClasses = new Set<string>();
  #seen = 0;

  constructor(reader: RealmReader, transaction: WriteTransaction) {
    this.#reader = reader;
    this.#transaction = transaction;
    this.#finder = new LinkFinder(transaction.schema);
  }

  delete(table: string, key: PrimaryKey): void {
    const target = { table, key };
    for (const { origin, place } of this.#incoming(target)) this.#unlink(origin, place, target);
    this.#transaction.emit({ op: 'EraseObject', table, key });
  }

  /**
   * Sets anew every link that waited for an object that has just been created (changeset-format.md §8). Only where
   * the reader can tell them; without these instructions the links come to life all the same.
   */
  relink(table: string, key: PrimaryKey): void {
    if (this.#reader.incomingLinks === undefined) return;
    const value = { type: 'link', table, key } as const;
    for (const { origin, place } of this.#incoming({ table, key })) {
      const address = { ...origin, field: place.field, path: place.path };
      if (place.kind === 'member') continue;
      this.#transaction.emit(
        place.kind === 'element'
          ? { op: 'Update', ...address, value, priorSize: place.size ?? 0 }
          : { op: 'Update', ...address, value, isDefault: false },
      );
    }
  }

  /** The places that link to `target` in the order of the reference: column by column, then object by object. */
  #incoming(target: LinkTarget): { origin: LinkTarget; place: LinkPlace }[] {
    const found: { origin: LinkTarget; place: LinkPlace }[] = [];
    for (const origin of this.#candidates(target)) {
      const state = this.#transaction.object(origin.table, origin.key);
      if (state === undefined) continue;
      for (const place of this.#finder.places(origin.table, state, target)) found.push({ origin, place });
    }
    return found.sort((a, b) => a.place.rank - b.place.rank);
  }

  #candidates(target: LinkTarget): Iterable<LinkTarget> {
    this.#noteNewLinks();
    const known = this.#reader.incomingLinks?.(target.table, target.key);
    if (known === undefined) this.#search(target.table);
    const origins = this.#origins.get(targetToken(target));
    if (known === undefined) return origins?.values() ?? [];
    const all = new Map([...known].map((origin) => [targetToken(origin), origin]));
    for (const [token, origin] of origins ?? []) all.set(token, origin);
    return all.values();
  }

  /** Links that this transaction has written since the last look. */
  #noteNewLinks(): void {
    const { instructions } = this.#transaction;
    for (; this.#seen < instructions.length; this.#seen++) {
      const instruction: Instruction = instructions[this.#seen]!;
      if (!('value' in instruction) || instruction.value.type !== 'link') continue;
      this.#note(instruction.value, { table: instruction.table, key: instruction.key });
    }
  }

  /** Reads every class that can link to `table`, once in a transaction, and notes all links in it. */
  #search(table: string): void {
    for (const origin of this.#finder.classesLinkingTo(table)) {
      if (this.#searchedClasses.has(origin)) continue;
      this.#searchedClasses.add(origin);
      for (const { key, state } of this.#transaction.objects(origin)) {
        for (const target of this.#finder.targets(state)) this.#note(target, { table: origin, key });
      }
    }
  }

  #note(target: LinkTarget, origin: LinkTarget): void {
    const token = targetToken(target);
    let origins = this.#origins.get(token);
    if (origins === undefined) {
      origins = new Map();
      this.#origins.set(token, origins);
    }
    origins.set(targetToken(origin), origin);
  }

  #unlink(origin: LinkTarget, found: LinkPlace, target: LinkTarget): void {
    // Erasures before this one have moved later elements, so that each is looked up anew.
    const state = this.#transaction.object(origin.table, origin.key);
    const place = state && this.#finder.places(origin.table, state, target).find(sameColumn(found));
    if (place === undefined) return;
    const address = { table: origin.table, key: origin.key, field: place.field, path: place.path };
    switch (place.kind) {
      case 'value':
        this.#transaction.emit({ op: 'Update', ...address, value: { type: 'null' }, isDefault: false });
        return;
      case 'element':
        this.#transaction.emit({ op: 'ArrayErase', ...address, priorSize: place.size ?? 0 });
        return;
      case 'member':
        this.#transaction.emit({ op: 'SetErase', ...address, value: { type: 'link', ...target } });
        return;
    }
  }
}

function sameColumn(wanted: LinkPlace): (place: LinkPlace) => boolean {
  return (place) =>
    place.rank === wanted.rank && place.kind === wanted.kind && sameStart(place.path, wanted.path);
}

/** Indexes may have moved; the depth and the names have not. */
function sameStart(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, at) => typeof step === 'number' || step === b[at]);
}

function targetToken({ table, key }: LinkTarget): string {
  return `${table}\0${keyToken(key)}`;
}
