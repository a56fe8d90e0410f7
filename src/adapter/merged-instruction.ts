/**
 * What the Adapter API hands on: the merged change of one transaction in terms of objects and properties
 * (reference lines 14545–14646), still with exact values. `instruction-objects.ts` turns it into the JavaScript
 * objects of the public API.
 */
import type { ClassDefinition, ColumnDefinition } from '../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';

type OnObject = { readonly table: string; readonly key: PrimaryKey };
type OnList = OnObject & { readonly property: string };

export type MergedInstruction =
  /** `values` holds the properties that the transaction wrote; collections other than lists of links come whole. */
  | (OnObject & { readonly type: 'INSERT' | 'SET'; readonly values: ReadonlyMap<string, StateValue> })
  | (OnObject & { readonly type: 'DELETE' })
  | { readonly type: 'CLEAR'; readonly table: string }
  /** LIST_* concern lists of links only. */
  | (OnList & {
      readonly type: 'LIST_SET' | 'LIST_INSERT';
      readonly index: number;
      readonly target: ScalarValue;
    })
  | (OnList & { readonly type: 'LIST_ERASE'; readonly index: number })
  | (OnList & { readonly type: 'LIST_CLEAR' })
  | { readonly type: 'ADD_TYPE'; readonly definition: ClassDefinition }
  | {
      readonly type: 'ADD_PROPERTIES';
      readonly table: string;
      readonly columns: ReadonlyMap<string, ColumnDefinition>;
    };
