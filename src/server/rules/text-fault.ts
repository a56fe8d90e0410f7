/** What is wrong with the text of a condition or filter before any user or schema is known. */
import { evaluateCondition } from '../../query/compile.ts';
import type { QueryArgument } from '../../query/contract.ts';
import { parseQuery } from '../../query/parser.ts';
import { QueryError } from '../../query/query-error.ts';
import { NULL } from '../../schema/value.ts';
import { variableFault } from './user-variables.ts';

/** What a variable may turn out to be. A text is good when it makes sense with one of these in place of them all. */
const SAMPLES: readonly QueryArgument[] = [
  NULL,
  { type: 'string', value: 'x' },
  { type: 'int', value: 1n },
  { type: 'bool', value: true },
  [{ type: 'string', value: 'x' }],
];

type Variables = (path: readonly string[]) => QueryArgument;

/** A condition on the user: no properties, and only variables that exist. */
export function conditionFault(text: string): string | undefined {
  return faultOf((variables) => {
    evaluateCondition(text, variables);
    return undefined;
  });
}

/** A filter on objects. Whether its properties exist shows when the schema is known. */
export function filterFault(text: string): string | undefined {
  return faultOf((variables) => {
    const { descriptors } = parseQuery(text, { variables });
    return descriptors.length === 0
      ? undefined
      : 'SORT, DISTINCT and LIMIT have no place in a rule: each object is judged by itself';
  });
}

function faultOf(judge: (variables: Variables) => string | undefined): string | undefined {
  let first: string | undefined;
  for (const sample of SAMPLES) {
    const { unknown, fault } = trial(judge, sample);
    if (unknown !== undefined || fault === undefined) return unknown;
    first ??= fault;
  }
  return first;
}

type Trial = { readonly unknown?: string | undefined; readonly fault?: string | undefined };

function trial(judge: (variables: Variables) => string | undefined, sample: QueryArgument): Trial {
  let unknown: string | undefined;
  const variables: Variables = (path) => {
    unknown ??= variableFault(path);
    return sample;
  };
  try {
    const fault = judge(variables);
    return { unknown, fault };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { unknown, fault: error.message };
  }
}
