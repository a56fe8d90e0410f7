import { IsthmusError } from '../errors.ts';

/** The embedded PostgreSQL server could not be created, started or stopped. */
export class EmbeddedPostgresError extends IsthmusError {
  readonly code = 'EMBEDDED_POSTGRES';
}
