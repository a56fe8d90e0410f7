/** Finds the mistakes of rules at the start of the server, as far as they show without a schema. */
import type { ConfigProblem } from '../../config/config-error.ts';
import type { Condition, FieldRule, PathRule, Role, RulesOptions } from './options.ts';
import { patternFault } from './path-pattern.ts';
import { conditionFault, filterFault } from './text-fault.ts';

/** Every mistake with its place below `rules`. Whether classes and properties exist shows at their first use. */
export function rulesProblems({ classes = {}, paths = [] }: RulesOptions): readonly ConfigProblem[] {
  return [
    ...Object.entries(classes).flatMap(([table, { roles }]) =>
      rolesProblems(`rules.classes.${table}`, roles),
    ),
    ...paths.flatMap((rule, index) => pathProblems(`rules.paths[${index}]`, rule)),
  ];
}

function rolesProblems(place: string, roles: readonly Role[]): ConfigProblem[] {
  const names = roles.map(({ name }) => name);
  return roles.flatMap((role, index) => {
    const at = `${place}.roles[${index}]`;
    const repeated = names.indexOf(role.name) < index;
    return [
      ...(repeated ? [problem(`${at}.name`, `expected a name of its own, found "${role.name}" again`)] : []),
      ...roleProblems(at, role),
    ];
  });
}

function roleProblems(place: string, role: Role): ConfigProblem[] {
  const within = (reason: string): string => `in the role "${role.name}": ${reason}`;
  const { write = false, fields = {}, additionalFields } = role;
  const found = [
    ...textProblems(`${place}.applyWhen`, role.applyWhen, conditionFault),
    ...textProblems(`${place}.read`, role.read, filterFault),
    ...textProblems(`${place}.write`, role.write, filterFault),
    ...(write === false ? pointlessProblems(place, role) : []),
    ...Object.entries(fields).flatMap(([name, rule]) => fieldProblems(`${place}.fields.${name}`, rule)),
    ...fieldProblems(`${place}.additionalFields`, additionalFields ?? {}),
  ];
  return found.map(({ path, message }) => problem(path, within(message)));
}

function textProblems(
  place: string,
  condition: Condition | undefined,
  fault: (text: string) => string | undefined,
): ConfigProblem[] {
  const message = typeof condition === 'string' ? fault(condition) : undefined;
  return message === undefined ? [] : [problem(place, message)];
}

/** Rights that would seem to be given, and are not. */
function pointlessProblems(place: string, role: Role): ConfigProblem[] {
  return (['insert', 'delete'] as const)
    .filter((right) => role[right] === true)
    .map((right) =>
      problem(`${place}.${right}`, `expected \`write\` as well: without it nothing is written`),
    );
}

function fieldProblems(place: string, { read, write }: FieldRule): ConfigProblem[] {
  return read === false && write === true
    ? [problem(place, 'expected no `write` without `read`: what may be written may be read')]
    : [];
}

function pathProblems(place: string, { path, users = 'all' }: PathRule): ConfigProblem[] {
  const fault = patternFault(path);
  return [
    ...(fault === undefined ? [] : [problem(`${place}.path`, `"${path}" is no path: ${fault}`)]),
    ...(users === 'all' ? [] : textProblems(`${place}.users`, users, conditionFault)),
  ];
}

function problem(path: string, message: string): ConfigProblem {
  return { path, message };
}
