/** Users as rules see them. */
import type { RuleUser } from '../../../../src/server/rules/contract.ts';

export function userOf(id: string, more: Partial<RuleUser> = {}): RuleUser {
  return { id, isAdmin: false, customData: {}, data: {}, identities: [], ...more };
}
