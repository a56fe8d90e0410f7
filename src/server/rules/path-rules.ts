/** The configured rights to whole realms: the first rule that fits path and user decides. */
import type { Logger } from '../../log.ts';
import { QueryError } from '../../query/query-error.ts';
import { isSystemPath } from '../realms/realm-path.ts';
import { conditionHolds } from './condition.ts';
import type { RuleUser } from './contract.ts';
import type { PathLevel, PathRule } from './options.ts';
import { compilePattern, names, type PathPattern } from './path-pattern.ts';

/** Behind all configured rules: users own the realms below their id. */
const OWN_REALMS: readonly PathRule[] = [
  { path: '/~', access: 'manage' },
  { path: '/~/**', access: 'manage' },
];

/** Different problems that are logged. */
const MOST_REPORTED = 1_000;

type CompiledRule = { readonly rule: PathRule; readonly fits: PathPattern };

export class PathRules {
  readonly #rules: readonly CompiledRule[];
  readonly #logger: Logger;
  /** Problems that were logged already. */
  readonly #reported = new Set<string>();

  /** The rules are free of faults (check-rules.ts). */
  constructor(rules: readonly PathRule[], logger: Logger) {
    this.#rules = [...rules, ...OWN_REALMS].map((rule) => ({ rule, fits: compilePattern(rule.path) }));
    this.#logger = logger;
  }

  /** `path` is the resolved path of a realm (realm-path.ts). */
  access(user: RuleUser, path: string): PathLevel {
    if (user.isAdmin) return 'manage';
    if (isSystemPath(path)) return 'none';
    return this.#decide(user, path, ({ fits }) => fits(path, user.id));
  }

  /** As {@link access}, by those rules alone that name the path, and no other. */
  accessByName(user: RuleUser, path: string): PathLevel {
    if (user.isAdmin) return 'manage';
    return this.#decide(user, path, ({ rule }) => names(rule.path, path));
  }

  #decide(user: RuleUser, path: string, fits: (rule: CompiledRule) => boolean): PathLevel {
    try {
      const deciding = this.#rules.find((compiled) => fits(compiled) && concerns(compiled.rule, user));
      return deciding?.rule.access ?? 'none';
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      // A rule that cannot be judged must not let a later, wider one decide.
      this.#report(path, error);
      return 'none';
    }
  }

  /** Says what is wrong once, and not at every attempt. */
  #report(path: string, error: QueryError): void {
    if (this.#reported.has(error.message) || this.#reported.size >= MOST_REPORTED) return;
    this.#reported.add(error.message);
    this.#logger.warn(`${path} stays closed to some users, since a rule cannot be judged: ${error.message}`);
  }
}

function concerns({ users = 'all' }: PathRule, user: RuleUser): boolean {
  return users === 'all' || conditionHolds(users, user);
}
