/**
 * A realm small enough to see through: objects of class T whose fields hold plain trees. Applies instructions
 * strictly (spec/merge-rules.md §9.2) and throws where a real store would report a bad changeset. Test code only.
 */
import type { Instruction, Path, PathInstruction, Payload } from '../../src/changeset/instruction.ts';
import { keyToken } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';

export type Node =
  | null
  | bigint
  | string
  | { readonly list: Node[] }
  | { readonly dictionary: Map<string, Node> }
  | { readonly object: Map<string, Node> }
  | { readonly set: Set<bigint> };

export class Model {
  readonly objects: Map<string, Map<string, Node>>;

  constructor(objects: Map<string, Map<string, Node>> = new Map()) {
    this.objects = objects;
  }

  clone(): Model {
    return new Model(structuredClone(this.objects));
  }

  apply(instructions: readonly Instruction[]): this {
    for (const instruction of instructions) this.#applyOne(instruction);
    return this;
  }

  /** Equal for equal states, whatever order they were reached in. */
  fingerprint(): string {
    return JSON.stringify(plain(this.objects));
  }

  #applyOne(instruction: Instruction): void {
    switch (instruction.op) {
      case 'CreateObject': {
        const token = keyToken(instruction.key);
        if (!this.objects.has(token)) this.objects.set(token, emptyObject());
        return;
      }
      case 'EraseObject':
        this.objects.delete(keyToken(instruction.key));
        return;
      case 'AddTable':
      case 'AddColumn':
        return;
      case 'EraseTable':
      case 'EraseColumn':
        throw new Error('the model has a fixed schema');
      default:
        this.#applyOnPath(instruction);
    }
  }

  #applyOnPath(instruction: PathInstruction): void {
    const fields = this.objects.get(keyToken(instruction.key));
    if (fields === undefined) throw new Error('no such object');
    const slot = findSlot(fields, [instruction.field, ...instruction.path]);
    switch (instruction.op) {
      case 'Update':
        if (instruction.value.type === 'erased') slot.remove();
        else slot.write(newValue(instruction.value, slot.read()));
        return;
      case 'AddInteger': {
        const value = slot.read();
        if (value === null) return;
        if (typeof value !== 'bigint') throw new Error('AddInteger on no integer');
        slot.write(value + instruction.addend);
        return;
      }
      case 'Clear':
        slot.write(emptyCollection(instruction.collection));
        return;
      case 'SetInsert':
        setAt(slot.read()).add(intOf(instruction.value));
        return;
      case 'SetErase':
        setAt(slot.read()).delete(intOf(instruction.value));
        return;
      default: {
        const list = slot.list();
        if (list.length !== instruction.priorSize) throw new Error('prior size is not the size');
        const index = Number(instruction.path.at(-1));
        if (instruction.op === 'ArrayInsert') {
          if (index > list.length) throw new Error('insert out of range');
          list.splice(index, 0, newValue(instruction.value, null));
          return;
        }
        if (index >= list.length) throw new Error('index out of range');
        const [element = null] = list.splice(index, 1);
        if (instruction.op === 'ArrayErase') return;
        if (instruction.destination > list.length || instruction.destination === index) {
          throw new Error('bad move');
        }
        list.splice(instruction.destination, 0, element);
      }
    }
  }
}

/** Fields: n counter, l list, d dictionary, s set, m mixed, e embedded, es list of embedded. */
export function emptyObject(): Map<string, Node> {
  return new Map<string, Node>([
    ['n', 0n],
    ['l', { list: [] }],
    ['d', { dictionary: new Map() }],
    ['s', { set: new Set() }],
    ['m', null],
    ['e', null],
    ['es', { list: [] }],
  ]);
}

type Slot = { read(): Node; write(value: Node): void; remove(): void; list(): Node[] };

function findSlot(fields: Map<string, Node>, path: Path): Slot {
  let container: Map<string, Node> | Node[] = fields;
  for (const element of path.slice(0, -1)) container = childrenOf(childOf(container, element));
  const last = path.at(-1)!;
  const parent = container;
  return {
    read: () => childOf(parent, last),
    write: (value) => {
      if (parent instanceof Map && typeof last === 'string') parent.set(last, value);
      else if (Array.isArray(parent) && typeof last === 'number' && last < parent.length)
        parent[last] = value;
      else throw new Error('wrong path element');
    },
    remove: () => {
      if (!(parent instanceof Map) || typeof last !== 'string')
        throw new Error('erased outside a dictionary');
      parent.delete(last);
    },
    list: () => {
      if (!Array.isArray(parent)) throw new Error('no list');
      return parent;
    },
  };
}

function childOf(container: Map<string, Node> | Node[], element: number | string): Node {
  if (container instanceof Map && typeof element === 'string') return container.get(element) ?? null;
  if (Array.isArray(container) && typeof element === 'number' && element < container.length) {
    return container[element] ?? null;
  }
  throw new Error('wrong path element');
}

function childrenOf(node: Node): Map<string, Node> | Node[] {
  if (node === null || typeof node !== 'object' || 'set' in node)
    throw new Error('path through no container');
  if ('list' in node) return node.list;
  return 'dictionary' in node ? node.dictionary : node.object;
}

function newValue(payload: Payload, present: Node): Node {
  switch (payload.type) {
    case 'null':
      return null;
    case 'int':
    case 'string':
      return payload.value;
    case 'list':
    case 'dictionary':
    case 'object': {
      const sameKind = present !== null && typeof present === 'object' && payload.type in present;
      if (sameKind) return present;
      return payload.type === 'object' ? { object: new Map() } : emptyCollection(payload.type);
    }
    default:
      throw new Error(`the model holds no ${payload.type}`);
  }
}

function emptyCollection(kind: string): Node {
  if (kind === 'list') return { list: [] };
  return kind === 'set' ? { set: new Set() } : { dictionary: new Map() };
}

function setAt(node: Node): Set<bigint> {
  if (node === null || typeof node !== 'object' || !('set' in node)) throw new Error('no set');
  return node.set;
}

function intOf(payload: Payload): bigint {
  if (payload.type !== 'int') throw new Error('the model holds only sets of integers');
  return payload.value;
}

function plain(value: unknown): unknown {
  if (value instanceof Map) {
    return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)]);
  }
  if (value instanceof Set) return [...value].map(String).sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** The tree of a stored value. Throws on a value of a type that the model does not hold. */
export function nodeOf(value: StateValue): Node {
  switch (value.type) {
    case 'null':
      return null;
    case 'int':
    case 'string':
      return value.value;
    case 'list':
      return { list: value.items.map(nodeOf) };
    case 'dictionary':
      return { dictionary: new Map([...value.entries].map(([name, entry]) => [name, nodeOf(entry)])) };
    case 'object':
      return { object: new Map([...value.fields].map(([field, inner]) => [field, nodeOf(inner)])) };
    case 'set':
      return {
        set: new Set([...value.items.values()].map((item) => (item.type === 'int' ? item.value : 0n))),
      };
    default:
      throw new Error(`the model holds no ${value.type}`);
  }
}
