/** Which fields of a class are shown: all but a few, or only a few. */
import type { ClassAccess } from '../rules/contract.ts';

export type FieldMask =
  | { readonly kind: 'all' }
  | { readonly kind: 'except'; readonly fields: readonly string[] }
  | { readonly kind: 'only'; readonly fields: readonly string[] };

const ALL: FieldMask = { kind: 'all' };
/** No property has this name, so that it stands for those that no rule mentions. */
const UNNAMED = '';

export function fieldMask(access: ClassAccess, columns: ReadonlyMap<string, unknown> = new Map()): FieldMask {
  if (access.readsAllFields) return ALL;
  const names = [...columns.keys()].sort();
  return access.mayReadField(UNNAMED)
    ? { kind: 'except', fields: names.filter((name) => !access.mayReadField(name)) }
    : { kind: 'only', fields: names.filter((name) => access.mayReadField(name)) };
}

export function shownBy(mask: FieldMask, field: string): boolean {
  return mask.kind === 'all' || mask.fields.includes(field) === (mask.kind === 'only');
}
