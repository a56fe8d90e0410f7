/**
 * The instruction model (changeset-format.md §7): what a changeset says, independent of its bytes. Instructions are
 * plain data; the merge replaces them instead of changing them in place.
 */
import type { CollectionKind, ColumnDefinition, PrimaryKeyDefinition } from '../schema/definition.ts';
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';

/** A payload that makes a container or removes a dictionary key instead of carrying a value. */
export type MarkerValue =
  | { readonly type: 'object' }
  | { readonly type: 'list' }
  | { readonly type: 'dictionary' }
  | { readonly type: 'set' }
  | { readonly type: 'erased' };

export type Payload = ScalarValue | MarkerValue;

/** Steps below the field: a number is a list index, a string a dictionary key or a field of an embedded object. */
export type Path = readonly (number | string)[];

export type AddTable = {
  readonly op: 'AddTable';
  readonly table: string;
  readonly kind: 'topLevel' | 'embedded' | 'asymmetric';
  /** Absent exactly when `kind` is `embedded`. */
  readonly primaryKey?: PrimaryKeyDefinition;
};
export type EraseTable = { readonly op: 'EraseTable'; readonly table: string };
export type AddColumn = {
  readonly op: 'AddColumn';
  readonly table: string;
  readonly field: string;
  readonly column: ColumnDefinition;
};
export type EraseColumn = { readonly op: 'EraseColumn'; readonly table: string; readonly field: string };
export type CreateObject = { readonly op: 'CreateObject'; readonly table: string; readonly key: PrimaryKey };
export type EraseObject = { readonly op: 'EraseObject'; readonly table: string; readonly key: PrimaryKey };

type OnPath = {
  readonly table: string;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly path: Path;
};
/** `priorSize` is present exactly when the path ends in an index, `isDefault` exactly otherwise. */
export type Update = OnPath & {
  readonly op: 'Update';
  readonly value: Payload;
  readonly priorSize?: number;
  readonly isDefault?: boolean;
};
export type AddInteger = OnPath & { readonly op: 'AddInteger'; readonly addend: bigint };
export type ArrayInsert = OnPath & {
  readonly op: 'ArrayInsert';
  readonly value: Payload;
  readonly priorSize: number;
};
/** The path ends in the index moved from; `destination` is the index in the resulting list. */
export type ArrayMove = OnPath & {
  readonly op: 'ArrayMove';
  readonly destination: number;
  readonly priorSize: number;
};
export type ArrayErase = OnPath & { readonly op: 'ArrayErase'; readonly priorSize: number };
/** `collection` `single` is the code 0 that clients before protocol 13 wrote: kind not stated. */
export type Clear = OnPath & { readonly op: 'Clear'; readonly collection: CollectionKind };
export type SetInsert = OnPath & { readonly op: 'SetInsert'; readonly value: Payload };
export type SetErase = OnPath & { readonly op: 'SetErase'; readonly value: Payload };

export type PathInstruction =
  | Update
  | AddInteger
  | ArrayInsert
  | ArrayMove
  | ArrayErase
  | Clear
  | SetInsert
  | SetErase;
export type ObjectInstruction = CreateObject | EraseObject | PathInstruction;
export type SchemaInstruction = AddTable | EraseTable | AddColumn | EraseColumn;
export type Instruction = SchemaInstruction | ObjectInstruction;

/**
 * A decoded changeset. `strings` is its intern table in order of definition, unused entries included: a re-encoded
 * changeset writes this table first (changeset-format.md §2.1), which recorded downloads show byte for byte.
 */
export type Changeset = {
  readonly strings: readonly string[];
  readonly instructions: readonly Instruction[];
};
