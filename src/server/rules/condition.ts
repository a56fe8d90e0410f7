/** Conditions on a user: `applyWhen` of roles and `users` of path rules. */
import { evaluateCondition } from '../../query/compile.ts';
import type { RuleUser } from './contract.ts';
import type { Condition } from './options.ts';
import { withVariables } from './user-variables.ts';

/** Throws `QueryError` when the user's data is of a type that the condition cannot compare. */
export function conditionHolds(condition: Condition, user: RuleUser): boolean {
  if (typeof condition === 'boolean') return condition;
  return withVariables(user, (variables) => evaluateCondition(condition, variables));
}
