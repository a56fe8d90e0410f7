/** The `server` section of a configuration: its validation and its defaults. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { accepted, callback, flag, text, validate, wholeNumber } from '../config/validation.ts';
import { createLogger, isLogLevel, type LoggerLike, LogLevels, toLogger } from '../logging/logger.ts';
import { isAdminToken, SHORTEST_ADMIN_TOKEN } from '../server/admin-token.ts';
import { DEFAULT_LIMITS } from '../server/limits.ts';
import type { Permissions } from '../server/permissions.ts';
import type { ServerOptions } from '../server/server-options.ts';
import { authenticationSchema } from './authentication-section.ts';
import { flexibleSyncSchema, isSwitchedOff } from './flexible-section.ts';
import { functionsSchema, pushServicesSchema } from './functions-section.ts';
import { rulesSchema } from './rules-section.ts';

/** Where the server listens when nothing else is said; the port of src/server/start-server.ts. */
export const DEFAULT_SERVER_PORT = 9090;
const LARGEST_PORT = 65_535;
/** A hundred years. */
const LONGEST_OFFLINE_DAYS = 36_500;
const MOST_PROXIES = 10;

const limitNames = Object.keys(DEFAULT_LIMITS);
const limits = z.strictObject(
  Object.fromEntries(limitNames.map((name) => [name, wholeNumber(1, Number.MAX_SAFE_INTEGER).optional()])),
  { error: 'limits by name' },
);

const serverSchema = z.strictObject(
  {
    dataDirectory: text('a directory').default('isthmus-data/server'),
    host: text('an address to listen on').default('127.0.0.1'),
    port: wholeNumber(0, LARGEST_PORT).default(DEFAULT_SERVER_PORT),
    appId: text('an app id').default('isthmus'),
    adminUser: text('a user name').optional(),
    adminPassword: text('a password').optional(),
    adminToken: accepted(
      `a token of at least ${SHORTEST_ADMIN_TOKEN} printable characters without spaces`,
      (value): value is string => typeof value === 'string' && isAdminToken(value),
    ).optional(),
    development: flag().default(false),
    permissions: callback<Permissions>("(user, path) => 'none' | 'read' | 'write' | 'manage'").optional(),
    rules: rulesSchema.optional(),
    authentication: authenticationSchema.optional(),
    functions: functionsSchema.optional(),
    pushServices: pushServicesSchema.optional(),
    trustProxy: z
      .union([z.boolean(), wholeNumber(0, MOST_PROXIES)], { error: 'true, false or the number of proxies' })
      .default(false),
    redirectTo: z.url({ protocol: /^https?$/, error: 'the address of another server' }).optional(),
    flexibleSync: flexibleSyncSchema,
    partitionSync: flag().default(true),
    clientMaxOfflineDays: wholeNumber(1, LONGEST_OFFLINE_DAYS).default(30),
    publicUrl: z.url({ protocol: /^https?$/, error: 'the address for clients, http or https' }).optional(),
    limits: limits.default({}),
    logLevel: accepted(`one of ${Object.values(LogLevels).join(', ')}`, isLogLevel).default('info'),
    logger: accepted(
      'a logger with the methods error, warn and info, such as one of winston',
      (value): value is LoggerLike =>
        typeof value === 'object' && value !== null && 'error' in value && 'warn' in value && 'info' in value,
    ).optional(),
  },
  { error: 'an object of options' },
);

/** Validates the section. Relative directories are taken from `directory`. */
export function parseServerOptions(input: unknown, directory: string): ServerOptions {
  const section = validate('The configuration of the server', serverSchema, input, ['server']);
  const { logLevel, logger, adminUser, adminPassword, permissions, rules, publicUrl, flexibleSync, ...rest } =
    section;
  return {
    ...rest,
    dataDirectory: resolve(directory, section.dataDirectory),
    ...(adminUser === undefined ? {} : { adminUser }),
    ...(adminPassword === undefined ? {} : { adminPassword }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(rules === undefined ? {} : { rules }),
    ...(isSwitchedOff(input) ? { flexibleSync: false } : flexibleSync === undefined ? {} : { flexibleSync }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    limits: Object.fromEntries(Object.entries(section.limits).filter(([, value]) => value !== undefined)),
    logger: logger === undefined ? createLogger({ level: logLevel }) : toLogger(logger),
  };
}
