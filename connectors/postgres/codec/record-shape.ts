/** Composite types and ranges alike: fields with names and types, in one text. */
import type { StoredType } from '../../../src/connector/dialect.ts';
import { formatRange, formatRecord, parseRange, parseRecord } from './record-text.ts';

export type RecordShape = {
  readonly fields: readonly { readonly name: string; readonly type: StoredType }[];
  readonly parse: (text: string) => readonly (string | null)[];
  readonly format: (texts: readonly (string | null)[]) => string;
};

const BRACKETS: StoredType = { type: 'text', baseType: 'text' };

/** A range has the fields `lower`, `upper` and `bounds` (`[)`, `empty`, …). Undefined for all other types. */
export function recordShape({ structure }: StoredType): RecordShape | undefined {
  switch (structure?.kind) {
    case 'record': {
      const { fields } = structure;
      return { fields, parse: (text) => parseRecord(text, fields.length), format: formatRecord };
    }
    case 'range':
      return {
        fields: [
          { name: 'lower', type: structure.bound },
          { name: 'upper', type: structure.bound },
          { name: 'bounds', type: BRACKETS },
        ],
        parse: parseRange,
        format: ([lower = null, upper = null, bounds = null]) => formatRange(lower, upper, bounds),
      };
    default:
      return undefined;
  }
}
