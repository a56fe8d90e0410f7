/**
 * Who may do what, as sync sessions ask it. Rules are compiled once per user and kind of right; a session keeps what
 * it was given until it is told that the rights changed.
 */
import type { Query, QueryObject, QueryWorld } from '../../query/contract.ts';
import type { RealmSchema } from '../../schema/definition.ts';

/** What rules know of a user: `%%user.id`, `%%user.name`, `%%user.data.*`, `%%user.custom_data.*`, `%%user.type`. */
export type RuleUser = {
  readonly id: string;
  readonly name?: string;
  readonly isAdmin: boolean;
  readonly customData: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, string>>;
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
};

/** Which objects a right covers: all, none, or those that a query matches. */
export type RowRule = 'all' | 'none' | Query;

/** The rights of one user to one class, of the first role that applies. */
export interface ClassAccess {
  /** Name of the role; undefined when none applies, and then nothing is allowed. */
  readonly role: string | undefined;
  readonly read: RowRule;
  /** An object must match before and after a change. Implies {@link read}. */
  readonly write: RowRule;
  readonly mayInsert: boolean;
  readonly mayDelete: boolean;
  /** True when every field may be read, so that nobody needs to ask field by field. */
  readonly readsAllFields: boolean;
  readonly writesAllFields: boolean;
  mayReadField(field: string): boolean;
  mayWriteField(field: string): boolean;
  /** Equal for equal rights: users with the same signature see the same objects and fields. */
  readonly signature: string;
  /** Equal for equal rights to read. */
  readonly readSignature: string;
}

/** The rules of the flexible realm. */
export interface FlexibleRules {
  /** Throws nothing for a class that the rules do not name: then no role applies, unless there are default roles. */
  access(user: RuleUser, table: string, schema: RealmSchema): ClassAccess;
  /** Whether clients may add classes and properties (development), or only use those that exist. */
  readonly schemaMayGrow: boolean;
}

export function covers(rule: RowRule, object: QueryObject, world: QueryWorld): boolean {
  return rule === 'all' || (rule !== 'none' && rule.matches(object, world));
}
