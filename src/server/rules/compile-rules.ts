/** From the configuration's rules to what sessions ask: who may do what in the flexible realm and in all others. */
import { ConfigError } from '../../config/config-error.ts';
import { type Logger, silentLogger } from '../../log.ts';
import { rulesProblems } from './check-rules.ts';
import { EVERYTHING, noAccess } from './class-access.ts';
import { ClassRules, EVERYBODY_EVERYTHING } from './class-rules.ts';
import type { FlexibleRules } from './contract.ts';
import type { RulesOptions } from './options.ts';
import { PathRules } from './path-rules.ts';

export type RulesSettings = {
  readonly rules?: RulesOptions;
  /** Everybody may everything in the flexible realm, and its schema may grow. */
  readonly development?: boolean;
  /** `additive` lets flexible clients add classes and properties; default `fixed`. */
  readonly schema?: 'additive' | 'fixed';
  readonly logger?: Logger;
};

export type CompiledRules = { readonly flexible: FlexibleRules; readonly paths: PathRules };

/** Throws a `ConfigError` with every mistake that shows without a schema. */
export function compileRules(settings: RulesSettings): CompiledRules {
  const { rules = {}, development = false, schema = 'fixed', logger = silentLogger } = settings;
  const problems = rulesProblems(rules);
  if (problems.length > 0) throw new ConfigError('The configuration of the server', problems.map(inServer));
  const schemaMayGrow = schema === 'additive';
  return {
    flexible: development
      ? EVERYBODY_EVERYTHING
      : rules.classes === undefined
        ? administratorsOnly(schemaMayGrow, logger)
        : new ClassRules(rules.classes, { schemaMayGrow, logger }),
    paths: new PathRules(rules.paths ?? [], logger),
  };
}

/** Without any rules the flexible realm is for administrators. Says so when the first other user comes. */
function administratorsOnly(schemaMayGrow: boolean, logger: Logger): FlexibleRules {
  let hinted = false;
  return {
    schemaMayGrow,
    access: (user) => {
      if (user.isAdmin) return EVERYTHING;
      if (!hinted) {
        hinted = true;
        logger.warn(
          'no rules give ordinary users access to the flexible realm: state roles in `rules.classes`, or set `development`',
          { user: user.id },
        );
      }
      return noAccess();
    },
  };
}

function inServer<P extends { readonly path: string }>(problem: P): P {
  return { ...problem, path: `server.${problem.path}` };
}
