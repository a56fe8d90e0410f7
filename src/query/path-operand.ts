/** Operands of paths: their values, or what `@count`, `@type` and the aggregates make of them. */
import { NULL } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { aggregate, type SumType } from './aggregates.ts';
import { walk } from './hops.ts';
import {
  EMPTY_LIST,
  type Group,
  groupsOf,
  listOf,
  type Operand,
  type OperandType,
  type Reader,
} from './operand.ts';
import type { ResolvedPath } from './path-plan.ts';
import { groupReader, partValues, singleReader, sizeOf } from './path-values.ts';
import { PathResolver, type Scope } from './resolve-path.ts';
import type { PathEnding, PathNode, Quantifier } from './syntax.ts';
import { typeBitsOf } from './type-names.ts';

/** Throws `QueryError` for a path that the class does not have. */
export function pathOperand(node: PathNode, scope: Scope): Operand {
  const path = new PathResolver(node.elements, scope).resolve();
  const { ending } = node;
  if (path.terminal.kind === 'backlinks' && ending?.kind !== 'size')
    throw scope.fault(
      ending?.at ?? node.at,
      "'@links' without a class can only be counted, with '@links.@count'",
    );
  const operand = ending === undefined ? plain(node, path, scope) : ended(node, ending, path, scope);
  return quantified(operand, node.quantifier, path, scope);
}

function quantified(
  operand: Operand,
  quantifier: Quantifier | undefined,
  path: ResolvedPath,
  scope: Scope,
): Operand {
  if (quantifier === undefined) return operand;
  if (operand.read !== undefined && path.terminal.kind !== 'object')
    throw scope.fault(
      operand.at,
      `${quantifier.toUpperCase()} needs a list, and '${operand.text}' is a single value`,
    );
  return { ...operand, quantifier, text: `${quantifier.toUpperCase()} ${operand.text}` };
}

function base(
  node: PathNode,
  path: ResolvedPath,
  suffix = '',
): Pick<Operand, 'at' | 'text' | 'binding' | 'dependencies'> {
  return { at: node.at, text: `${path.text}${suffix}`, binding: 2, dependencies: path.dependencies };
}

function plain(node: PathNode, path: ResolvedPath, scope: Scope): Operand {
  const { terminal, hops, type, table } = path;
  const read = singleReader(path);
  const lastHop = hops.at(-1);
  const isEvery =
    lastHop?.kind === 'backward' || (lastHop?.kind === 'links' && lastHop.selector.kind === 'every');
  const field = placeField(path);
  const place: Operand['place'] =
    scope.variable !== undefined
      ? undefined
      : terminal.kind === 'key' && hops.length === 0
        ? { kind: 'key' }
        : field;
  return {
    ...base(node, path),
    type,
    ...(terminal.kind === 'object' ? { target: table } : {}),
    isList: read === undefined,
    ...(read === undefined ? { groups: groupReader(path) } : { read, groups: groupsOf(read) }),
    ...(place === undefined ? {} : { place }),
    ...(read !== undefined && terminal.kind === 'object' ? uncheckedLink(path) : {}),
    isLinkList: terminal.kind === 'object' && isEvery,
    isKeyed: isKeyed(path),
    isCollection: terminal.kind === 'collection' && terminal.part.kind === 'every',
  };
}

function uncheckedLink({ hops }: ResolvedPath): Pick<Operand, 'readUnchecked'> {
  const [hop] = hops;
  if (hops.length !== 1 || hop === undefined) return {};
  const { field } = hop;
  return { readUnchecked: (state) => state.fields.get(field) ?? NULL };
}

function isKeyed({ terminal, isSingle }: ResolvedPath): boolean {
  if (!isSingle) return false;
  if (terminal.kind === 'collection') return terminal.part.kind === 'key';
  return terminal.kind === 'nested' && terminal.steps.every(({ kind }) => kind === 'key' || kind === 'index');
}

/** The property of the judged object whose values, or elements, are compared. */
function placeField({ hops, terminal }: ResolvedPath): Operand['place'] {
  const [hop] = hops;
  if (terminal.kind === 'object' && hops.length === 1 && hop !== undefined && hop.kind !== 'backward')
    return { kind: 'field', field: hop.field };
  if (hops.length > 0) return undefined;
  if (terminal.kind === 'property') return { kind: 'field', field: terminal.field };
  if (terminal.kind === 'collection' && terminal.part.kind !== 'keys' && terminal.part.kind !== 'lengths')
    return { kind: 'field', field: terminal.field };
  return undefined;
}

function ended(node: PathNode, ending: PathEnding, path: ResolvedPath, scope: Scope): Operand {
  switch (ending.kind) {
    case 'size':
      return sized(node, ending, path, scope);
    case 'type':
      return typed(node, path);
    case 'aggregate':
      return aggregated(node, ending, path, scope);
  }
}

function computed(
  node: PathNode,
  path: ResolvedPath,
  suffix: string,
  type: OperandType,
  read: Reader,
): Operand {
  return { ...base(node, path, suffix), type, isList: false, read, groups: groupsOf(read) };
}

/** An operand whose values are those of the path, each changed by `change`. */
function mapped(
  node: PathNode,
  path: ResolvedPath,
  suffix: string,
  type: OperandType,
  change: (value: StateValue) => StateValue,
): Operand {
  const read = singleReader(path);
  if (read !== undefined)
    return computed(node, path, suffix, type, (state, key, world) => change(read(state, key, world)));
  const groups = groupReader(path);
  return {
    ...base(node, path, suffix),
    type,
    isList: true,
    groups: (state, key, world) =>
      groups(state, key, world).map(({ list, values }) => ({ list, values: values.map(change) })),
  };
}

const HAS_SIZE: ReadonlySet<OperandType> = new Set<OperandType>(['string', 'data', 'mixed']);

function sized(node: PathNode, ending: PathEnding, path: ResolvedPath, scope: Scope): Operand {
  const { terminal, hops, type } = path;
  if (terminal.kind === 'backlinks') return countedBacklinks(node, path);
  if (terminal.kind === 'object') return countedObjects(node, path);
  if (terminal.kind === 'collection' && terminal.part.kind === 'every')
    return perObject(node, path, '.@count', 'int', (values) => ({
      type: 'int',
      value: BigInt(values.length),
    }));
  if (HAS_SIZE.has(type) && !(terminal.kind === 'collection' && terminal.part.kind === 'keys'))
    return mapped(node, path, '.@count', 'int', sizeOf);
  const property = hops.length === 0 ? path.text : `${path.table}.${path.text}`;
  throw scope.fault(ending.at, `'@count' is not supported on '${property}' of type '${type}'`);
}

function countedBacklinks(node: PathNode, path: ResolvedPath): Operand {
  const { hops, terminal } = path;
  const sources = terminal.kind === 'backlinks' ? terminal.sources : [];
  return computed(node, path, '.@count', 'int', (state, key, world) => {
    let count = 0;
    for (const row of walk(hops, state, key, world))
      for (const source of sources) count += walk([source], row.state, row.key, world).length;
    return { type: 'int', value: BigInt(count) };
  });
}

/** Behind other hops there is a count for each object that these lead to. */
function countedObjects(node: PathNode, path: ResolvedPath): Operand {
  const { hops } = path;
  if (hops.length <= 1)
    return computed(node, path, '.@count', 'int', (state, key, world) => ({
      type: 'int',
      value: BigInt(walk(hops, state, key, world).length),
    }));
  const before = hops.slice(0, -1);
  const last = hops.slice(-1);
  return {
    ...base(node, path, '.@count'),
    type: 'int',
    isList: true,
    groups: (state, key, world) =>
      listOf(
        walk(before, state, key, world).map((row): StateValue => {
          return { type: 'int', value: BigInt(walk(last, row.state, row.key, world).length) };
        }),
      ),
  };
}

/** One result for each object that has the collection; a single one when single links lead to it, if to nothing. */
function perObject(
  node: PathNode,
  path: ResolvedPath,
  suffix: string,
  type: OperandType,
  result: (values: readonly StateValue[]) => StateValue,
): Operand {
  const { hops, terminal, isSingle } = path;
  if (terminal.kind !== 'collection') return mapped(node, path, suffix, type, () => NULL);
  const { field, column, part } = terminal;
  const of = (fields: ReadonlyMap<string, StateValue> | undefined) =>
    result(partValues(fields?.get(field), column, part));
  if (isSingle)
    return computed(node, path, suffix, type, (state, key, world) =>
      of(hops.length === 0 ? state.fields : walk(hops, state, key, world)[0]?.state.fields),
    );
  return {
    ...base(node, path, suffix),
    type,
    isList: true,
    groups: (state, key, world): readonly Group[] => {
      const rows = walk(hops, state, key, world);
      return rows.length === 0 ? EMPTY_LIST : listOf(rows.map((row) => of(row.state.fields)));
    },
  };
}

/** The declared type, or that of the value where any can stand. */
function typed(node: PathNode, path: ResolvedPath): Operand {
  const { type, terminal } = path;
  if (type === 'mixed')
    return mapped(node, path, '.@type', 'typeName', (value) => ({
      type: 'int',
      value: BigInt(typeBitsOf(value.type)),
    }));
  const declared: StateValue = {
    type: 'int',
    value: BigInt(typeBitsOf(terminal.kind === 'object' ? 'link' : type)),
  };
  return mapped(node, path, '.@type', 'typeName', () => declared);
}

const SUM_TYPES: ReadonlyMap<OperandType, SumType> = new Map<OperandType, SumType>([
  ['int', 'int'],
  ['float', 'double'],
  ['double', 'double'],
  ['decimal128', 'decimal128'],
  ['mixed', 'decimal128'],
]);

function aggregated(
  node: PathNode,
  ending: Extract<PathEnding, { kind: 'aggregate' }>,
  path: ResolvedPath,
  scope: Scope,
): Operand {
  const { operator, property } = ending;
  if (property !== undefined) return aggregatedObjects(node, ending, path, property, scope);
  const { terminal, type } = path;
  if (terminal.kind !== 'collection' || terminal.part.kind !== 'every')
    throw scope.fault(
      ending.at,
      terminal.kind === 'object'
        ? `'@${operator}' of objects needs the name of a property, as in '${path.text}.@${operator}.name'`
        : `'@${operator}' needs a list, and '${path.text}' is none`,
    );
  const sumType = aggregateType(ending, type, scope);
  return perObject(node, path, `.@${operator}`, resultType(operator, type, sumType), (values) =>
    aggregate(operator, sumType, values),
  );
}

/** Over all objects that the path leads to at once. */
function aggregatedObjects(
  node: PathNode,
  ending: Extract<PathEnding, { kind: 'aggregate' }>,
  path: ResolvedPath,
  property: string,
  scope: Scope,
): Operand {
  const { operator } = ending;
  if (path.terminal.kind !== 'object' || path.hops.length === 0)
    throw scope.fault(
      ending.at,
      `'@${operator}.${property}' needs a list of objects, and '${path.text}' is none`,
    );
  const elements = [...node.elements, { kind: 'name', at: ending.at, name: property } as const];
  const whole = new PathResolver(elements, scope).resolve();
  if (whole.terminal.kind !== 'property' && whole.terminal.kind !== 'key')
    throw scope.fault(ending.at, `'@${operator}' needs a single value of each object, '${property}' is none`);
  const sumType = aggregateType(ending, whole.type, scope);
  const groups = groupReader(whole);
  const suffix = whole.text.slice(path.text.length);
  return {
    ...computed(
      node,
      path,
      `.@${operator}${suffix}`,
      resultType(operator, whole.type, sumType),
      (state, key, world) =>
        aggregate(
          operator,
          sumType,
          groups(state, key, world).flatMap(({ values }) => values),
        ),
    ),
    dependencies: whole.dependencies,
  };
}

function aggregateType(
  ending: Extract<PathEnding, { kind: 'aggregate' }>,
  type: OperandType,
  scope: Scope,
): SumType {
  const sumType = SUM_TYPES.get(type);
  if (sumType !== undefined) return sumType;
  if (type === 'date' && (ending.operator === 'min' || ending.operator === 'max')) return 'int';
  throw scope.fault(ending.at, `'@${ending.operator}' is not supported on values of type '${type}'`);
}

function resultType(operator: string, type: OperandType, sumType: SumType): OperandType {
  if (operator === 'min' || operator === 'max') return type;
  return operator === 'avg' && sumType === 'int' ? 'double' : sumType;
}
