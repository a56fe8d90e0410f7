/** Rules across the options of a connector. */
import type { z } from 'zod';
import { realmPathFromText } from '../realm-path.ts';
import { isObject } from './option-parts.ts';

export type OptionRule = {
  /** The option that is at fault. */
  readonly option: string;
  readonly holds: (options: Readonly<Record<string, unknown>>) => boolean;
  /** Completes the sentence "expected …". */
  readonly expectation: string | ((options: Readonly<Record<string, unknown>>) => string);
};

/** The rules are checked even when single options are wrong, so that one run shows every mistake. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly OptionRule[]): S {
  return rules.reduce(
    (checked, { option, holds, expectation }) =>
      checked.refine((options) => !isObject(options) || holds(options), {
        path: [option],
        error: ({ input }) =>
          typeof expectation === 'string' ? expectation : expectation(isObject(input) ? input : {}),
        when: ({ value }) => isObject(value),
      }),
    schema,
  );
}

/** The rules that every connector has, for the names that it has for the options. */
export function commonRules(names: {
  readonly realmPathOfRow: string;
  readonly initializeRealm: string;
}): readonly OptionRule[] {
  return [
    {
      option: names.realmPathOfRow,
      holds: ({ [names.realmPathOfRow]: mapped, realmRegex: regex }) =>
        mapped !== undefined || !(regex instanceof RegExp) || pathOfRegex(regex) !== undefined,
      expectation: 'a realm path or a function, because realmRegex can match more than one realm',
    },
    {
      option: 'schema',
      holds: ({ schema, [names.initializeRealm]: initialize }) => schema !== undefined || initialize === true,
      expectation: `a list of models (or ${names.initializeRealm}: true, which makes them from the tables)`,
    },
    knownClasses('ignoreSQLerrors'),
    knownClasses('compoundPrimaryKeys'),
  ];
}

function knownClasses(option: string): OptionRule {
  return {
    option,
    holds: (options) => unknownClasses(options, option).length === 0,
    expectation: (options) =>
      `names of classes in schema, which has none called ${unknownClasses(options, option).join(', ')}`,
  };
}

function unknownClasses(options: Readonly<Record<string, unknown>>, option: string): readonly string[] {
  const { schema, [option]: named } = options;
  if (!isObject(named) || !Array.isArray(schema)) return [];
  const known = new Set<unknown>(schema.map((entry) => (isObject(entry) ? entry.name : undefined)));
  return Object.keys(named).filter((className) => !known.has(className));
}

/** The path of an expression that matches just one; `undefined` for a true pattern. */
export function pathOfRegex(regex: RegExp): string | undefined {
  return regex.flags === ''
    ? realmPathFromText(regex.source.replaceAll('\\/', '/').replaceAll('\\.', '.'))
    : undefined;
}
