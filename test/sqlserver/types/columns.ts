/** Columns as the catalog shows them, made from their declaration. */
import type { ColumnInfo } from '../../../src/connector/dialect.ts';

const LATIN1 = { collation: 'SQL_Latin1_General_CP1_CI_AS', codePage: 1252 } as const;

export type Characters = { readonly collation: string; readonly codePage: number };

/** `type` as declared: `decimal(10,2)`. */
export function column(type: string, characters: Characters = LATIN1): ColumnInfo {
  const baseType = type.replace(/\(.*/, '');
  const isOfCodePage = ['char', 'varchar', 'text'].includes(baseType);
  return {
    name: 'c',
    type,
    baseType,
    nullable: true,
    hasDefault: false,
    readOnly: false,
    ...(isOfCodePage
      ? { storage: { type: baseType, baseType, structure: { kind: 'characters', ...characters } } }
      : {}),
  };
}
