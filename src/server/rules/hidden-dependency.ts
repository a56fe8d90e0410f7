/**
 * Whether a client's query would tell the client what it may not read: which objects match `salary > 1000` says what
 * stands in `salary`, without that the field itself is ever sent.
 */
import type { LinkStep, Query } from '../../query/contract.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { ClassAccess, FlexibleRules, RuleUser } from './contract.ts';

export type QueryReader = {
  readonly user: RuleUser;
  readonly rules: FlexibleRules;
  readonly schema: RealmSchema;
};

/**
 * What the query depends on and the user may not read, in words; undefined when all is well. At the end of a way to
 * other objects a query does not tell which fields it looks at, so that all fields of that class must be readable.
 */
export function hiddenDependency(query: Query, { user, rules, schema }: QueryReader): string | undefined {
  const access = (table: string): ClassAccess => rules.access(user, table, schema);
  const { fields, paths, everything } = query.dependencies;
  const own = access(query.table);
  for (const field of fields) {
    if (!own.mayReadField(field)) return `${query.table}.${field} may not be read`;
  }
  for (const path of paths) {
    for (const [index, step] of path.entries()) {
      const hidden = hiddenStep(step, index === path.length - 1, access);
      if (hidden !== undefined) return hidden;
    }
  }
  if (!everything) return undefined;
  const closed = [...schema.values()].find(
    ({ name, kind }) => kind === 'topLevel' && !readsWhole(access(name)),
  );
  return closed && `links in mixed values may lead to ${closed.name}, which may not be read as a whole`;
}

function hiddenStep(
  step: LinkStep,
  isLast: boolean,
  access: (table: string) => ClassAccess,
): string | undefined {
  const holder = step.kind === 'forward' ? step.table : step.source;
  const target = step.kind === 'forward' ? step.target : step.source;
  if (!access(holder).mayReadField(step.field)) return `${holder}.${step.field} may not be read`;
  const reached = access(target);
  if (reached.read === 'none') return `${target} may not be read`;
  return isLast && !reached.readsAllFields ? `not all fields of ${target} may be read` : undefined;
}

function readsWhole(access: ClassAccess): boolean {
  return access.read !== 'none' && access.readsAllFields;
}
