/** What functions of the configuration say of who logged in, taken with care. */
import { z } from 'zod';
import { AccountError } from '../account-error.ts';
import type { Proof } from '../proof.ts';

/** Longer ones name nobody. */
const MAX_ID = 512;

const id = z.string().min(1).max(MAX_ID);
const told = z.union([
  id.transform((text) => ({ id: text, data: {} })),
  z.object({ id, data: z.record(z.string(), z.string()).default({}) }),
]);

/** Throws AuthError when it is no user. */
export function externalProof(provider: string, answer: unknown): Proof {
  const parsed = told.safeParse(answer);
  if (!parsed.success) {
    throw new AccountError('AuthError', 'the login was refused', {
      cause: new TypeError(`the function for ${provider} gave neither an id nor { id, data } of texts`),
    });
  }
  return { kind: 'external', provider, source: '', name: parsed.data.id, data: parsed.data.data };
}

/** What `ask` says. A failure of it refuses the login, and stays its cause. */
export async function askOutside(provider: string, ask: () => Promise<unknown>): Promise<Proof> {
  let answer: unknown;
  try {
    answer = await ask();
  } catch (cause) {
    throw new AccountError('AuthError', 'the login was refused', { cause });
  }
  return externalProof(provider, answer);
}
