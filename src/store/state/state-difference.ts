/**
 * The instructions that turn one value of a property into another and touch nothing that both have in common, so that
 * what others do to the rest at the same time survives the merge (spec/merge-rules.md §4): changed fields of embedded
 * objects, changed, added and removed keys and members, and of lists what stands between their common elements.
 */
import type { Instruction, Payload } from '../../changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../schema/definition.ts';
import { defaultValue } from './default-value.ts';
import { commonElements } from './list-alignment.ts';
import type { DictionaryState, ListState, SetState, StateValue } from './object-state.ts';
import { sameState } from './same-state.ts';
import { isEmbedded } from './slot.ts';
import { type Address, below, fill, MIXED, payloadOf } from './value-instructions.ts';

type Fields = ReadonlyMap<string, StateValue>;

/**
 * Empty when both read the same. A field of an embedded object that is absent reads as its default; fields that
 * `schema` does not know are left alone.
 */
export function stateDifference(
  schema: RealmSchema,
  address: Address,
  column: ColumnDefinition,
  before: StateValue,
  after: StateValue,
): Instruction[] {
  const difference = new StateDifference(schema);
  difference.value(address, column, before, after);
  return difference.instructions;
}

class StateDifference {
  readonly instructions: Instruction[] = [];
  readonly #schema: RealmSchema;

  constructor(schema: RealmSchema) {
    this.#schema = schema;
  }

  /** `priorSize` is that of the list of which the value is an element. */
  value(
    address: Address,
    column: ColumnDefinition,
    before: StateValue,
    after: StateValue,
    priorSize?: number,
  ): void {
    if (before.type === 'set' && after.type === 'set') this.#sets(address, before, after);
    else if (before.type === 'list' && after.type === 'list') this.#lists(address, column, before, after);
    else if (before.type === 'dictionary' && after.type === 'dictionary')
      this.#dictionaries(address, column, before, after);
    else if (before.type === 'object' && after.type === 'object')
      this.#objects(address, column, before.fields, after.fields);
    else if (!sameState(before, after)) this.#replace(address, column, after, priorSize);
  }

  #replace(address: Address, column: ColumnDefinition, after: StateValue, priorSize?: number): void {
    const value = payloadOf(after);
    const kind = priorSize === undefined ? { isDefault: false } : { priorSize };
    this.instructions.push({ op: 'Update', ...address, value, ...kind });
    fill(this.#schema, address, column, after, this.instructions);
  }

  #objects(address: Address, column: ColumnDefinition, before: Fields, after: Fields): void {
    for (const [name, inner] of this.#schema.get(column.linkTarget ?? '')?.columns ?? []) {
      const was = before.get(name) ?? defaultValue(inner);
      this.value(below(address, name), inner, was, after.get(name) ?? defaultValue(inner));
    }
  }

  #dictionaries(
    address: Address,
    column: ColumnDefinition,
    before: DictionaryState,
    after: DictionaryState,
  ): void {
    const element = this.#elementOf(column);
    for (const key of before.entries.keys())
      if (!after.entries.has(key)) this.#setEntry(below(address, key), { type: 'erased' });
    for (const [key, value] of after.entries) {
      const was = before.entries.get(key);
      if (was === undefined) this.#replace(below(address, key), element, value);
      else this.value(below(address, key), element, was, value);
    }
  }

  #setEntry(address: Address, value: Payload): void {
    this.instructions.push({ op: 'Update', ...address, value, isDefault: false });
  }

  #sets(address: Address, before: SetState, after: SetState): void {
    for (const [token, value] of before.items)
      if (!after.items.has(token)) this.instructions.push({ op: 'SetErase', ...address, value });
    for (const [token, value] of after.items)
      if (!before.items.has(token)) this.instructions.push({ op: 'SetInsert', ...address, value });
  }

  #lists(address: Address, column: ColumnDefinition, before: ListState, after: ListState): void {
    const element = this.#elementOf(column);
    let size = before.items.length;
    let from = 0;
    let to = 0;
    for (const common of [
      ...commonElements(before.items, after.items, (was, is) => this.#readSame(address, element, was, is)),
      { before: before.items.length, after: after.items.length },
    ]) {
      const replaced = Math.min(common.before - from, common.after - to);
      for (let place = 0; place < replaced; place += 1) {
        const was = before.items[from + place]!;
        this.value(below(address, to + place), element, was, after.items[to + place]!, size);
      }
      for (let place = from + replaced; place < common.before; place += 1) {
        this.instructions.push({ op: 'ArrayErase', ...below(address, to + replaced), priorSize: size });
        size -= 1;
      }
      for (let place = to + replaced; place < common.after; place += 1) {
        const value = after.items[place]!;
        const at = below(address, place);
        this.instructions.push({ op: 'ArrayInsert', ...at, value: payloadOf(value), priorSize: size });
        fill(this.#schema, at, element, value, this.instructions);
        size += 1;
      }
      from = common.before + 1;
      to = common.after + 1;
    }
  }

  /** Embedded objects may differ in fields that are absent in one and hold the default in the other. */
  #readSame(address: Address, column: ColumnDefinition, before: StateValue, after: StateValue): boolean {
    if (sameState(before, after)) return true;
    if (before.type !== 'object' || after.type !== 'object') return false;
    return stateDifference(this.#schema, address, column, before, after).length === 0;
  }

  /** The type of the elements of a collection; below a mixed value everything is mixed. */
  #elementOf(column: ColumnDefinition): ColumnDefinition {
    if (column.collection !== 'single') return { ...column, collection: 'single' };
    return isEmbedded(this.#schema, column) ? column : MIXED;
  }
}
