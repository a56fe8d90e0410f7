/** Users as a person reads them. */
import type { ShownUser } from './administration.ts';

const MINUTES = 16;
const WIDEST_STATE = 14;

export const LIST_HEADING = `${'id'.padEnd(24)}  ${'state'.padEnd(WIDEST_STATE)}  ${'last login'.padEnd(MINUTES)}  name`;

/** A line of the list; the name comes last, since it may be long. */
export function listLine(user: ShownUser): string {
  const lastLogin = user.lastLoginAt === undefined ? 'never' : minutes(user.lastLoginAt);
  return `${user.id}  ${state(user).padEnd(WIDEST_STATE)}  ${lastLogin.padEnd(MINUTES)}  ${nameOf(user)}`;
}

export function describeUser(user: ShownUser): string {
  const others = user.identities.map(({ provider }) => provider).join(', ');
  return `${nameOf(user)} (${user.id}): ${state(user)}, logs in by ${others || 'nothing'}`;
}

function state(user: ShownUser): string {
  if (user.disabled) return 'disabled';
  if (user.pending) return 'not confirmed';
  return user.admin ? 'administrator' : 'user';
}

/** Names are chosen by those who register: what a terminal would obey is not passed on. */
function nameOf({ name, identities }: ShownUser): string {
  const shown = name ?? identities[0]?.provider ?? 'no name';
  return shown.replaceAll(/\p{C}/gu, '\u{fffd}');
}

/** UTC, as far as minutes: `2026-01-31 23:59`. */
function minutes(date: string): string {
  return date.slice(0, MINUTES).replace('T', ' ');
}
