/** An examination: named checks, each of which finds something; one that fails is a finding itself and stops no other. */
import { IsthmusError } from '../../errors.ts';
import { type Finding, failed, problem } from '../finding.ts';

export type Examined = { readonly subject: string; readonly findings: readonly Finding[] };

/** Runs a check; what it throws becomes its finding, under the check's name. */
export async function attempt(
  check: string,
  examine: () => Promise<readonly Finding[]> | readonly Finding[],
): Promise<readonly Finding[]> {
  try {
    return await examine();
  } catch (error) {
    if (error instanceof IsthmusError) return [failed(check, error)];
    return [problem(check, error instanceof Error ? error.message : String(error))];
  }
}
