/** Failures that several parts raise, with SQL Server's numbers, severities and wording of our own knowledge of them. */
import { SqlFailure } from '../contract.ts';

/** The line of a failure that its raiser does not know: that of the statement, which the engine puts in. */
export const LINE_OF_STATEMENT = 0;

/** What could be valid T-SQL but is outside the subset: loud, so that nobody takes silence for success. */
export function notSimulated(what: string, line: number = LINE_OF_STATEMENT): SqlFailure {
  return new SqlFailure(50_900, `${what} is not supported by the simulator.`, { line });
}

export function syntaxFailure(near: string, line: number): SqlFailure {
  return new SqlFailure(102, `Incorrect syntax near '${near}'.`, { severity: 15, line });
}

export function keywordFailure(keyword: string, line: number): SqlFailure {
  return new SqlFailure(156, `Incorrect syntax near the keyword '${keyword}'.`, { severity: 15, line });
}
