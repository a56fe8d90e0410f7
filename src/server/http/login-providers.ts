/** Which request body each login provider wants (spec/app-services-http.md §4.1). A new provider is one more entry. */
import { z } from 'zod';
import type { Accounts } from '../accounts/accounts.ts';
import type { Proof } from '../accounts/proof.ts';

const device = z.object({ device: z.object({ deviceId: z.string().optional() }).optional() }).optional();

export type LoginRequest = {
  readonly deviceId: string | undefined;
  readonly prove: (accounts: Accounts) => Promise<Proof>;
};

const anonymous = z.object({ options: device }).transform(
  ({ options }): LoginRequest => ({
    deviceId: options?.device?.deviceId,
    prove: async () => ({ kind: 'anonymous' }),
  }),
);
const password = z.object({ username: z.string(), password: z.string(), options: device }).transform(
  (body): LoginRequest => ({
    deviceId: body.options?.device?.deviceId,
    prove: (accounts) => accounts.email.verify(body.username, body.password),
  }),
);

/** What a login body of that provider must look like; undefined for a provider that is not offered. */
export function loginProvider(name: string): z.ZodType<LoginRequest> | undefined {
  if (name === 'anon-user') return anonymous;
  if (name === 'local-userpass') return password;
  return undefined;
}
