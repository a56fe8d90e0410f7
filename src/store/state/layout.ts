/**
 * How the columns of a class are numbered where objects are stored. Numbers stand for names in encoded objects and
 * are never reused within a class, so the values of an erased column are simply not found any more when read.
 */
import type { ColumnDefinition } from '../../schema/definition.ts';

export type ColumnLayout = { readonly id: number; readonly name: string; readonly column: ColumnDefinition };

export interface ClassLayout {
  readonly byName: ReadonlyMap<string, ColumnLayout>;
  /** Indexed by number; erased columns leave holes. */
  readonly byId: readonly (ColumnLayout | undefined)[];
}

/** Finds the layout of a class by name; needed for the embedded classes below an object. */
export type LayoutLookup = (table: string) => ClassLayout | undefined;
