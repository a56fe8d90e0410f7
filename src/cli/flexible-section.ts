/** The option `flexibleSync` of the `server` section. */
import { z } from 'zod';
import { accepted, callback, text } from '../config/validation.ts';
import { realmPathFault } from '../server/realms/realm-path.ts';
import type { PartitionMigration } from '../server/sync/flexible-options.ts';

const path = accepted(
  'a path such as / or /shared that is not reserved',
  (value): value is string => typeof value === 'string' && realmPathFault(value) === undefined,
);

const section = z.strictObject(
  {
    realm: path.optional(),
    schema: z.enum(['additive', 'fixed'], { error: "'additive' or 'fixed'" }).optional(),
    indexes: z
      .record(z.string(), z.array(text('a property')), { error: '{ Class: [property, …] }' })
      .optional(),
    migration: callback<PartitionMigration>('(path, user) => a query, or undefined').optional(),
  },
  { error: 'false, or { realm, schema, indexes, migration }' },
);

/** `false` switches it off ({@link isSwitchedOff}); anything else is said in detail. */
export const flexibleSyncSchema = z.preprocess(
  (value) => (value === false ? undefined : value),
  section.optional(),
);

/** Whether a `server` section says that there is no flexible sync. */
export function isSwitchedOff(server: unknown): boolean {
  return (
    typeof server === 'object' && server !== null && 'flexibleSync' in server && server.flexibleSync === false
  );
}
