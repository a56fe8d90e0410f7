import { IsthmusError } from '../errors.ts';

/** One mistake in a configuration: where it is and what was expected there. */
export type ConfigProblem = { readonly path: string; readonly message: string };

/** A configuration that cannot be used. Names every mistake at once, so that one edit repairs all of them. */
export class ConfigError extends IsthmusError {
  readonly code = 'config-invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(what: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, message }) => `\n  ${path === '' ? '(whole)' : path}: ${message}`);
    super(
      `${what} has ${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}:${lines.join('')}`,
    );
    this.problems = problems;
  }
}
