/** Classes as a program declares them: the wire's definitions and what only the program's side knows. */
import type { CollectionKind } from './definition.ts';
import type { ValueType } from './value.ts';

export type PropertySchema = {
  /** The name that the program uses. */
  readonly name: string;
  /** The name in the realm; differs from `name` where the declaration says `mapTo`. */
  readonly storedName: string;
  readonly type: ValueType;
  /** For collections: whether the elements may be null. */
  readonly nullable: boolean;
  readonly collection: CollectionKind;
  /** Class of the link; present exactly when `type` is `link`. */
  readonly linkTarget?: string;
  /** Taken when an object is created without this property; a function makes a new one each time. */
  readonly default?: unknown;
  readonly indexed: boolean | 'full-text';
  /** Shown as an object with `increment` and `decrement`. */
  readonly counter: boolean;
  /** The connector also watches the table of this list. */
  readonly watchTable: boolean;
};

/** The objects of class `objectType` whose link `property` leads here; computed, never stored. */
export type LinkingObjectsSchema = {
  readonly name: string;
  readonly objectType: string;
  readonly property: string;
};

export type ObjectSchema = {
  readonly name: string;
  readonly kind: 'topLevel' | 'embedded' | 'asymmetric';
  /** The program's name of the key property. */
  readonly primaryKey?: string;
  /** In order of declaration, by the program's names, the key included. */
  readonly properties: ReadonlyMap<string, PropertySchema>;
  readonly linkingObjects: ReadonlyMap<string, LinkingObjectsSchema>;
  /** The property that holds the key which the database generates (`sqlserverPrimaryKey` or `postgresPrimaryKey`). */
  readonly sqlserverPrimaryKey?: string;
};
