/** Which request body each login provider wants (spec/app-services-http.md §4.1). A new provider is one more entry. */
import { type ZodType, z } from 'zod';
import type { Credentials } from '../accounts/accounts.ts';

const device = z.object({ device: z.object({ deviceId: z.string().optional() }).optional() }).optional();

export type LoginRequest = { readonly credentials: Credentials; readonly deviceId: string | undefined };

const PROVIDERS: ReadonlyMap<string, ZodType<LoginRequest>> = new Map<string, ZodType<LoginRequest>>([
  [
    'anon-user',
    z.object({ options: device }).transform(
      ({ options }): LoginRequest => ({
        credentials: { provider: 'anon-user' },
        deviceId: options?.device?.deviceId,
      }),
    ),
  ],
  [
    'local-userpass',
    z.object({ username: z.string(), password: z.string(), options: device }).transform(
      ({ username, password, options }): LoginRequest => ({
        credentials: { provider: 'local-userpass', username, password },
        deviceId: options?.device?.deviceId,
      }),
    ),
  ],
]);

/** What a login body of that provider must look like; undefined for a provider that is not offered. */
export function loginProvider(name: string): ZodType<LoginRequest> | undefined {
  return PROVIDERS.get(name);
}
