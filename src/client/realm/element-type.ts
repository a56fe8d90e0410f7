/** What a property or an element of a collection property may hold. */
import type { ColumnDefinition } from '../../schema/definition.ts';

export type ElementType = Pick<ColumnDefinition, 'type' | 'nullable' | 'linkTarget'>;

/** Elements of collections inside mixed values. */
export const ANYTHING: ElementType = { type: 'mixed', nullable: true };
