/** One side of a comparison: how its values are read from an object, and what is known of them beforehand. */
import type { PrimaryKey, ScalarValue, ValueType } from '../schema/value.ts';
import type { ObjectState, StateValue } from '../store/state/object-state.ts';
import type { QueryWorld } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { Quantifier } from './syntax.ts';

/**
 * Values that are compared together. A group that is no list is a single value, or none at all where a key or index
 * leads to nothing. An operand has several groups where
 * its path leads to several lists: then it is enough that one of them compares as asked.
 */
export type Group = { readonly list: boolean; readonly values: readonly StateValue[] };

export type Reader = (state: ObjectState, key: PrimaryKey, world: QueryWorld) => StateValue;
export type GroupReader = (state: ObjectState, key: PrimaryKey, world: QueryWorld) => readonly Group[];

/** `typeName` stands for the results of `.@type`: sets of type bits, held in integers. */
export type OperandType = ValueType | 'null' | 'typeName';

/** A property of the judged object itself. */
export type Place = { readonly kind: 'field'; readonly field: string } | { readonly kind: 'key' };

export type Operand = {
  readonly at: number;
  readonly type: OperandType;
  /** The class that links lead to. */
  readonly target?: string;
  readonly quantifier?: Quantifier;
  readonly text: string;
  /** How tightly the text holds together: 2 an atom, 1 a product, 0 a sum. */
  readonly binding: 0 | 1 | 2;
  readonly dependencies: Dependencies;
  /** The values of a constant; `isList` tells a list of one from a single value. */
  readonly constant?: readonly ScalarValue[];
  readonly isList: boolean;
  /** Present when there is exactly one value for every object. */
  readonly read?: Reader;
  readonly groups: GroupReader;
  readonly place?: Place;
  /** All objects that a list of links or `@links` leads to. */
  readonly isLinkList?: boolean;
  /** Of a link: read without looking whether its target exists. */
  readonly readUnchecked?: Reader;
  /** How many arithmetic operators it contains. */
  readonly operations?: number;
  /** What stands at a key or an index: one value, or none. */
  readonly isKeyed?: boolean;
  /** All elements of a list, set or dictionary of values. */
  readonly isCollection?: boolean;
};

export const EMPTY_LIST: readonly Group[] = Object.freeze([Object.freeze({ list: true, values: [] })]);

/** The groups of a single value. */
export function groupsOf(read: Reader): GroupReader {
  return (state, key, world) => [{ list: false, values: [read(state, key, world)] }];
}

export function listOf(values: readonly StateValue[]): readonly Group[] {
  return [{ list: true, values }];
}

export function isNumericType(type: OperandType): boolean {
  return type === 'int' || type === 'float' || type === 'double' || type === 'decimal128';
}

/** Types that can be compared: the same, two numbers, anything with mixed or null. */
export function areComparable(a: OperandType, b: OperandType): boolean {
  if (a === b || a === 'mixed' || b === 'mixed' || a === 'null' || b === 'null') return true;
  return isNumericType(a) && isNumericType(b);
}
