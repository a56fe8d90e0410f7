/** What is wrong with the text of a condition or filter before any user or schema is known. */
import { evaluateCondition } from '../../query/compile.ts';
import { QueryError } from '../../query/query-error.ts';
import { variableFault } from './user-variables.ts';

/** A condition on the user: no properties, and only variables that exist. */
export function conditionFault(text: string): string | undefined {
  return faultOf((variables) => evaluateCondition(text, variables));
}

/** A filter on objects. Its properties are not looked at. */
export function filterFault(_text: string): string | undefined {
  return undefined;
}

function faultOf(judge: (variables: (path: readonly string[]) => undefined) => void): string | undefined {
  const faults: string[] = [];
  try {
    judge((path) => {
      const fault = variableFault(path);
      if (fault !== undefined) faults.push(fault);
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return error.message;
  }
  return faults[0];
}
