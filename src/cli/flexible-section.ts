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

/** `false` is what is meant when nothing is said. */
export const flexibleSyncSchema = z.preprocess(
  (value) => (value === false ? undefined : value),
  section.optional(),
);
