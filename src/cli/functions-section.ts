/** The options `functions` and `pushServices` of the `server` section. */
import { z } from 'zod';
import { accepted, callback, flag } from '../config/validation.ts';
import type { AppFunction, AppFunctionsOptions, FunctionOptions } from '../server/functions/app-function.ts';
import type { PushService, PushServices } from '../server/functions/push-service.ts';

type PlainFunction = Extract<AppFunction, (...args: never[]) => unknown>;

const described = z.strictObject({
  run: callback<FunctionOptions['run']>('(context, …arguments) => result'),
  canExecute: callback<NonNullable<FunctionOptions['canExecute']>>('(user) => true or false').optional(),
  private: flag().optional(),
});
const plain = accepted(
  'a function (…arguments) => result, or { run, canExecute, private }',
  (value): value is PlainFunction => typeof value === 'function',
);

/** Told apart first, so that mistakes are reported where they are. */
const appFunction = z.unknown().transform((value, context): AppFunction => {
  const result =
    typeof value === 'object' && value !== null ? described.safeParse(value) : plain.safeParse(value);
  if (result.success) return result.data;
  for (const { message, path, ...issue } of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      context.issues.push({ code: issue.code, keys: issue.keys, message, path, input: {} });
    } else context.issues.push({ code: 'custom', message, path, input: value });
  }
  return z.NEVER;
});

export const functionsSchema: z.ZodType<AppFunctionsOptions> = z.record(z.string(), appFunction, {
  error: 'functions by name',
});

export const pushServicesSchema: z.ZodType<PushServices> = z.record(
  z.string(),
  z.strictObject(
    {
      register: callback<PushService['register']>('(user, registrationToken) => …'),
      deregister: callback<PushService['deregister']>('(user) => …'),
    },
    { error: '{ register, deregister }' },
  ),
  { error: 'services by name' },
);
