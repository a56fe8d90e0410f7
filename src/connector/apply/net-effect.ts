/**
 * What a run of merged transactions amounts to, object by object: pure. Consecutive transactions that share one SQL
 * commit are reduced together, so that a row is written once however often it changed meanwhile.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import type { JoinIdentity } from '../keys/join-keys.ts';
import type { Cell } from './row-cells.ts';

export type ObjectEffect = {
  readonly table: string;
  readonly key: PrimaryKey;
  /** `replace` is a deletion followed by a new insertion: nothing of the old row may remain. */
  operation: 'insert' | 'update' | 'delete' | 'replace';
  readonly values: Map<string, StateValue>;
  /** Which row is meant, where the key does not say it. */
  identity?: JoinIdentity | undefined;
  /** Of columns that are no property's. */
  cells?: ReadonlyMap<string, Cell>;
};

export type ListChange = Extract<
  MergedInstruction,
  { type: 'LIST_SET' | 'LIST_INSERT' | 'LIST_ERASE' | 'LIST_CLEAR' }
>;

export type NetEffect = {
  /** Classes to be emptied before anything else. */
  readonly cleared: ReadonlySet<string>;
  /** In the order in which the objects were first touched. */
  readonly objects: Map<string, ObjectEffect>;
  /** Per object token, in order. */
  readonly lists: ReadonlyMap<string, readonly ListChange[]>;
};

export function objectToken(table: string, key: PrimaryKey): string {
  return `${table}\0${keyToken(key)}`;
}

export function netEffect(instructions: Iterable<MergedInstruction>): NetEffect {
  const cleared = new Set<string>();
  const objects = new Map<string, ObjectEffect>();
  const lists = new Map<string, ListChange[]>();
  for (const instruction of instructions) {
    switch (instruction.type) {
      case 'INSERT':
        mergeInsert(objects, instruction.table, instruction.key, instruction.values);
        break;
      case 'SET':
        mergeSet(objects, instruction.table, instruction.key, instruction.values);
        break;
      case 'DELETE': {
        const { table, key } = instruction;
        const token = objectToken(table, key);
        objects.delete(token); // so that the deletion takes its place after what follows the first touch
        objects.set(token, { table, key, operation: 'delete', values: new Map() });
        lists.delete(token);
        break;
      }
      case 'CLEAR':
        cleared.add(instruction.table);
        for (const [token, effect] of objects) if (effect.table === instruction.table) objects.delete(token);
        for (const [token, [change]] of lists) if (change?.table === instruction.table) lists.delete(token);
        break;
      case 'LIST_SET':
      case 'LIST_INSERT':
      case 'LIST_ERASE':
      case 'LIST_CLEAR': {
        const token = objectToken(instruction.table, instruction.key);
        const changes = lists.get(token);
        if (changes === undefined) lists.set(token, [instruction]);
        else changes.push(instruction);
        break;
      }
      case 'ADD_TYPE':
      case 'ADD_PROPERTIES':
        break; // structure is brought into being before the rows are
    }
  }
  return { cleared, objects, lists };
}

type Values = ReadonlyMap<string, StateValue>;

function mergeInsert(
  objects: Map<string, ObjectEffect>,
  table: string,
  key: PrimaryKey,
  values: Values,
): void {
  const effect = effectOn(objects, table, key, 'insert');
  if (effect.operation === 'delete') effect.operation = 'replace';
  else if (effect.operation === 'update') effect.operation = 'insert';
  for (const [property, value] of values) effect.values.set(property, value);
}

function mergeSet(objects: Map<string, ObjectEffect>, table: string, key: PrimaryKey, values: Values): void {
  const effect = effectOn(objects, table, key, 'update');
  if (effect.operation === 'delete') return;
  for (const [property, value] of values) effect.values.set(property, value);
}

/** What is known of an object so far; `operation` when that is nothing. */
function effectOn(
  objects: Map<string, ObjectEffect>,
  table: string,
  key: PrimaryKey,
  operation: 'insert' | 'update',
): ObjectEffect {
  const token = objectToken(table, key);
  let effect = objects.get(token);
  if (effect === undefined) {
    effect = { table, key, operation, values: new Map() };
    objects.set(token, effect);
  }
  return effect;
}

export function isScalarState(value: StateValue): value is ScalarValue {
  return (
    value.type !== 'object' && value.type !== 'list' && value.type !== 'dictionary' && value.type !== 'set'
  );
}
