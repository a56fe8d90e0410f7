/** What names and passwords must look like. */
import { AccountError } from './account-error.ts';

const MIN_PASSWORD = 6;
/** Beyond this a password buys no safety, only work for whoever must hash it. */
export const MAX_PASSWORD = 128;
/** The longest address that mail can be sent to. */
const MAX_NAME = 254;

/** The name without the space around it. Throws InvalidParameter. */
export function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MAX_NAME) {
    throw new AccountError('InvalidParameter', `email must have 1 to ${MAX_NAME} characters`);
  }
  return trimmed;
}

/** Throws InvalidParameter. */
export function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD || password.length > MAX_PASSWORD) {
    throw new AccountError(
      'InvalidParameter',
      `password must have ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`,
    );
  }
}
