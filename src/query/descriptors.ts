/** `SORT`, `DISTINCT` and `LIMIT`, applied in the order in which they stand. */
import type { StateValue } from '../store/state/object-state.ts';
import type { QueryObject, QueryWorld } from './contract.ts';
import { identity } from './membership.ts';
import type { Operand, Reader } from './operand.ts';
import { pathOperand } from './path-operand.ts';
import type { Scope } from './resolve-path.ts';
import type { DescriptorNode, PathNode } from './syntax.ts';
import { sortOrder } from './values.ts';

export type Descriptor = {
  readonly text: string;
  readonly apply: (objects: readonly QueryObject[], world: QueryWorld) => readonly QueryObject[];
};

/** Throws `QueryError` for paths that are not a single value of each object. */
export function buildDescriptor(node: DescriptorNode, scope: Scope): Descriptor {
  switch (node.kind) {
    case 'limit':
      return { text: `LIMIT(${node.count})`, apply: (objects) => objects.slice(0, node.count) };
    case 'distinct': {
      const operands = node.paths.map((path) => singleValue(path, scope));
      return { text: `DISTINCT(${operands.map(({ text }) => text).join(', ')})`, apply: distinct(operands) };
    }
    case 'sort': {
      const keys = node.keys.map(({ path, ascending }) => ({ operand: singleValue(path, scope), ascending }));
      const texts = keys.map(({ operand, ascending }) => `${operand.text} ${ascending ? 'ASC' : 'DESC'}`);
      return { text: `SORT(${texts.join(', ')})`, apply: sorted(keys) };
    }
  }
}

type SingleOperand = Operand & { readonly read: Reader };

function singleValue(path: PathNode, scope: Scope): SingleOperand {
  const operand = pathOperand(path, scope);
  const read = operand.read ?? keyedReader(operand);
  if (read === undefined)
    throw scope.fault(path.at, `'${operand.text}' is a list, which has no place in an order`);
  return { ...operand, read };
}

/** The value at one key of a dictionary; null where there is none. */
function keyedReader({ isKeyed, groups }: Operand): Reader | undefined {
  if (isKeyed !== true) return undefined;
  return (state, key, world) => {
    const [group] = groups(state, key, world);
    return group?.values[0] ?? { type: 'null' };
  };
}

function sorted(keys: readonly { operand: SingleOperand; ascending: boolean }[]): Descriptor['apply'] {
  return (objects, world) => {
    const rows = objects.map((object) => ({
      object,
      values: valuesOf(
        object,
        keys.map(({ operand }) => operand),
        world,
      ),
    }));
    rows.sort((a, b) => {
      for (const [at, { ascending }] of keys.entries()) {
        const order = sortOrder(a.values[at]!, b.values[at]!);
        if (order !== 0) return ascending ? order : -order;
      }
      return 0;
    });
    return rows.map(({ object }) => object);
  };
}

/** The first of those that are alike stays. */
function distinct(operands: readonly SingleOperand[]): Descriptor['apply'] {
  return (objects, world) => {
    const seen = new Set<string>();
    return objects.filter((object) => {
      const name = JSON.stringify(valuesOf(object, operands, world).map(identity));
      return !seen.has(name) && seen.add(name);
    });
  };
}

function valuesOf(
  { state, key }: QueryObject,
  operands: readonly SingleOperand[],
  world: QueryWorld,
): StateValue[] {
  return operands.map(({ read }) => read(state, key, world));
}
