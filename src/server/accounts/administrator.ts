/** The administrator that every server has from its first start on. */
import { randomBytes } from 'node:crypto';
import type { Accounts } from './accounts.ts';

const DEFAULT_NAME = 'admin';
/** 128 bits, so that nobody guesses it. */
const GENERATED_PASSWORD_BYTES = 16;

export type AdministratorOptions = {
  readonly adminUser?: string | undefined;
  readonly adminPassword?: string | undefined;
};

/**
 * Sees to it that there is an administrator. Options win over `ISTHMUS_ADMIN_USER` and `ISTHMUS_ADMIN_PASSWORD`; a
 * password that is given holds from this start on, also for an administrator that exists. Without one, the first
 * start makes one up and returns it, this once.
 */
export async function ensureAdministrator(
  accounts: Accounts,
  options: AdministratorOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ name: string; generated?: { user: string; password: string } }> {
  const name = options.adminUser ?? environment.ISTHMUS_ADMIN_USER ?? accounts.adminName() ?? DEFAULT_NAME;
  const given = options.adminPassword ?? environment.ISTHMUS_ADMIN_PASSWORD;
  if (given !== undefined) {
    await accounts.ensureAdmin(name, given);
    return { name };
  }
  const existing = accounts.adminName();
  if (existing !== undefined) return { name: existing };
  const password = randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url');
  await accounts.ensureAdmin(name, password);
  return { name, generated: { user: name, password } };
}
