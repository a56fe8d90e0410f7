/** What an error says. */
import { decisive } from './error-numbers.ts';

export function message(error: unknown): string {
  const decided = decisive(error);
  return decided instanceof Error ? decided.message : String(decided);
}
