/** Random but legal changes to a {@link Model}, as an application could have made them. Test code only. */
import type { Instruction, Path, Payload } from '../../src/changeset/instruction.ts';
import { keyFromToken } from '../../src/schema/value.ts';
import type { Model, Node } from './model.ts';

/** Draws an integer from 0 to below `end`. */
export type Draw = (end: number) => number;

/**
 * What does not converge in the reference either is never produced here:
 * - spec/merge-rules.md §8: a move in a list whose elements are containers; a clear of a collection that is an
 *   element of a list;
 * - the erasure of a column under concurrent list operations (§5, a quirk that fails on apply): the model has a
 *   fixed schema;
 * - a list or dictionary written to a mixed position without clearing it, where the other side fills a collection of
 *   the same kind and then replaces it: both writes of the collection survive (§6.1), what was filled in as well, and
 *   the replacement only on one side. With the clear, which this generator always adds, both sides agree. The
 *   element of a list cannot be cleared (first point), so it is never overwritten with a collection.
 */
export const KEYS = ['i1', 'i2', 'i3'] as const;
/** Large enough that nested containers occur, small enough that both sides often hit the same place. */
const MAX_DEPTH = 2;

const int = (value: number): Payload => ({ type: 'int', value: BigInt(value) });

/** Makes `count` changes, applying each to the model. */
export function randomChanges(model: Model, draw: Draw, count: number): Instruction[] {
  const made: Instruction[] = [];
  for (let i = 0; i < count; i++) {
    const change = randomChange(model, draw);
    model.apply(change);
    made.push(...change);
  }
  return made;
}

function randomChange(model: Model, draw: Draw): Instruction[] {
  const token = KEYS[draw(KEYS.length)]!;
  const key = keyFromToken(token);
  const fields = model.objects.get(token);
  if (fields === undefined) {
    return [
      { op: 'CreateObject', table: 'T', key },
      { op: 'Update', table: 'T', key, field: 'n', path: [], value: int(draw(9)), isDefault: draw(2) === 0 },
    ];
  }
  if (draw(25) === 0) return [{ op: 'EraseObject', table: 'T', key }];
  const field = [...fields.keys()][draw(fields.size)]!;
  return new FieldChange(key, field, draw).change(fields.get(field)!);
}

class FieldChange {
  readonly #on: { table: string; key: ReturnType<typeof keyFromToken>; field: string };
  readonly #draw: Draw;

  constructor(key: ReturnType<typeof keyFromToken>, field: string, draw: Draw) {
    this.#on = { table: 'T', key, field };
    this.#draw = draw;
  }

  change(value: Node): Instruction[] {
    switch (this.#on.field) {
      case 'n':
        return this.#draw(2) === 0
          ? [this.#add([])]
          : this.#set([], this.#pick([int(1), int(2), { type: 'null' }]));
      case 'l':
        return this.#list([], listOf(value), () => int(this.#draw(9)), true);
      case 'd':
        return this.#dictionary([], dictionaryOf(value), 0);
      case 's':
        return this.#setChange();
      case 'm':
        return this.#mixed([], value, 0);
      case 'e':
        return this.#embedded(value);
      default:
        return this.#embeddedList(listOf(value));
    }
  }

  #mixed(path: Path, value: Node, depth: number): Instruction[] {
    if (value !== null && typeof value === 'object' && this.#draw(4) > 0) {
      return 'list' in value
        ? this.#list(path, value.list, () => this.#payload(depth + 1), false, depth + 1)
        : this.#dictionary(path, dictionaryOf(value), depth + 1);
    }
    const replaceable = typeof path.at(-1) !== 'number';
    if (typeof value === 'bigint' && replaceable && this.#draw(3) === 0) return [this.#add(path)];
    return this.#set(path, this.#payload(replaceable ? depth : MAX_DEPTH + 1));
  }

  #payload(depth: number): Payload {
    const scalars: Payload[] = [int(this.#draw(9)), { type: 'string', value: 'x' }, { type: 'null' }];
    return this.#pick(depth > MAX_DEPTH ? scalars : [...scalars, { type: 'list' }, { type: 'dictionary' }]);
  }

  #list(path: Path, items: Node[], payload: () => Payload, flat: boolean, depth = 0): Instruction[] {
    const priorSize = items.length;
    const at = (index: number) => ({ ...this.#on, path: [...path, index], priorSize });
    const kind = this.#draw(7);
    if (priorSize === 0 || kind < 2) {
      return [{ op: 'ArrayInsert', ...at(this.#draw(priorSize + 1)), value: payload() }];
    }
    const index = this.#draw(priorSize);
    if (kind === 2) return [{ op: 'ArrayErase', ...at(index) }];
    if (kind === 3 && typeof path.at(-1) !== 'number') {
      return [{ op: 'Clear', ...this.#on, path, collection: 'list' }];
    }
    if (kind === 4 && flat && priorSize > 1) {
      const destination = (index + 1 + this.#draw(priorSize - 1)) % priorSize;
      return [{ op: 'ArrayMove', ...at(index), destination }];
    }
    if (!flat) {
      const change = this.#mixed([...path, index], items[index]!, depth);
      return change.map((c) =>
        c.op === 'Update' && c.path.length === path.length + 1 ? withSize(c, priorSize) : c,
      );
    }
    return [{ op: 'Update', ...at(index), value: payload() }];
  }

  #dictionary(path: Path, entries: ReadonlyMap<string, Node>, depth: number): Instruction[] {
    const key = this.#pick(['a', 'b', 'c']);
    const kind = this.#draw(6);
    if (kind === 0 && entries.has(key)) return this.#set([...path, key], { type: 'erased' });
    if (kind === 1 && typeof path.at(-1) !== 'number') {
      return [{ op: 'Clear', ...this.#on, path, collection: 'dictionary' }];
    }
    const value = entries.get(key);
    if (value !== undefined && typeof value === 'object') return this.#mixed([...path, key], value, depth);
    return this.#set([...path, key], this.#payload(depth));
  }

  #setChange(): Instruction[] {
    const kind = this.#draw(7);
    if (kind === 0) return [{ op: 'Clear', ...this.#on, path: [], collection: 'set' }];
    const op = kind < 4 ? 'SetInsert' : 'SetErase';
    return [{ op, ...this.#on, path: [], value: int(this.#draw(4)) }];
  }

  #embedded(value: Node): Instruction[] {
    const create = this.#set([], { type: 'object' });
    if (value === null) return create;
    const kind = this.#draw(6);
    if (kind === 0) return this.#set([], { type: 'null' });
    if (kind === 1) return [...this.#set([], { type: 'null' }), ...create];
    return this.#set([this.#pick(['x', 'y'])], int(this.#draw(9)));
  }

  #embeddedList(items: Node[]): Instruction[] {
    const priorSize = items.length;
    const at = (index: number) => ({ ...this.#on, path: [index], priorSize });
    if (priorSize === 0 || this.#draw(4) === 0) {
      return [{ op: 'ArrayInsert', ...at(this.#draw(priorSize + 1)), value: { type: 'object' } }];
    }
    const index = this.#draw(priorSize);
    if (this.#draw(4) === 0) return [{ op: 'ArrayErase', ...at(index) }];
    return this.#set([index, this.#pick(['x', 'y'])], int(this.#draw(9)));
  }

  #set(path: Path, value: Payload): Instruction[] {
    const update: Instruction = { op: 'Update', ...this.#on, path, value, isDefault: false };
    if (value.type !== 'list' && value.type !== 'dictionary') return [update];
    return [update, { op: 'Clear', ...this.#on, path, collection: value.type }];
  }

  #add(path: Path): Instruction {
    return { op: 'AddInteger', ...this.#on, path, addend: BigInt(1 + this.#draw(5)) };
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#draw(choices.length)]!;
  }
}

function withSize(update: Extract<Instruction, { op: 'Update' }>, priorSize: number): Instruction {
  const { isDefault: _, ...rest } = update;
  return { ...rest, priorSize };
}

function listOf(node: Node): Node[] {
  if (node === null || typeof node !== 'object' || !('list' in node)) throw new Error('no list');
  return node.list;
}

function dictionaryOf(node: Node): ReadonlyMap<string, Node> {
  if (node === null || typeof node !== 'object' || !('dictionary' in node)) throw new Error('no dictionary');
  return node.dictionary;
}
