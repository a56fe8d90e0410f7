/**
 * Classes and columns as they travel in AddTable and AddColumn instructions (changeset-format.md §6): what a realm
 * knows about its own structure, without the parts that only an SDK uses (defaults, indexes, mapped names).
 */
import type { PrimaryKeyType, ValueType } from './value.ts';

export type CollectionKind = 'single' | 'list' | 'dictionary' | 'set';

export type ColumnDefinition = {
  readonly type: ValueType;
  readonly nullable: boolean;
  readonly collection: CollectionKind;
  /** Class of the link; present exactly when `type` is `link`. The empty string is the legacy untyped link. */
  readonly linkTarget?: string;
};

export type PrimaryKeyDefinition = {
  /** Name of the key property; the empty string when `type` is `globalKey`. */
  readonly field: string;
  readonly type: PrimaryKeyType;
  readonly nullable: boolean;
};

export type ClassDefinition = {
  readonly name: string;
  readonly kind: 'topLevel' | 'embedded' | 'asymmetric';
  /** Absent exactly for embedded classes. The key property is not among `columns`. */
  readonly primaryKey?: PrimaryKeyDefinition;
  readonly columns: ReadonlyMap<string, ColumnDefinition>;
};

/** Classes by name (without the storage prefix `class_`). */
export type RealmSchema = ReadonlyMap<string, ClassDefinition>;
