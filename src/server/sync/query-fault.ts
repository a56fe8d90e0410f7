/** What is the client's own fault about its subscriptions, as a text for its app; undefined for anything else. */
import { QueryError } from '../../query/query-error.ts';

export function queryFault(error: unknown): string | undefined {
  return error instanceof QueryError ? error.message : undefined;
}
