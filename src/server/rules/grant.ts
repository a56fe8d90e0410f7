/** Grants and offers, and how they look in the tables of grant-store.ts. */
import { PATH_LEVELS, type PathLevel } from './options.ts';

/** All realms of the grantor. */
export const ALL_REALMS = '*';
/** Grantor of what administrators grant on all realms. */
export const ADMINISTRATION = '';

/** Whom a right is given to. A name is that of somebody who has not logged in yet. */
export type Subject =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'everybody' };

export type GrantPlace = { readonly path: string; readonly scope: string };

/** `name` is the one that the grantor gave, when it was no id. Times are milliseconds since 1970. */
export type Grant = GrantPlace & {
  readonly subject: Subject;
  readonly access: PathLevel;
  readonly name?: string;
  readonly grantedBy: string;
  readonly updatedAt: number;
};

/** Without its token, of which only the hash is kept: who reads the file cannot accept what is offered. */
export type Offer = {
  readonly id: string;
  readonly path: string;
  readonly access: PathLevel;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
};

/** Where a page of a list ended. */
export type GrantPosition = readonly [path: string, scope: string, subject: string];

type Row = Record<string, unknown>;

/** The token of everybody. */
export const EVERYBODY = '*';

export function positionOf(grant: Grant): GrantPosition {
  return [grant.path, grant.scope, tokenOf(grant.subject)];
}

export function tokenOf(subject: Subject): string {
  switch (subject.kind) {
    case 'user':
      return userToken(subject.id);
    case 'name':
      return `name:${subject.name}`;
    case 'everybody':
      return EVERYBODY;
  }
}

export function userToken(userId: string): string {
  return `id:${userId}`;
}

function subjectOf(token: string): Subject {
  if (token === EVERYBODY) return { kind: 'everybody' };
  const rest = token.slice(token.indexOf(':') + 1);
  return token.startsWith('id:') ? { kind: 'user', id: rest } : { kind: 'name', name: rest };
}

export function grantOf(row: Row): Grant {
  return {
    path: text(row, 'path'),
    scope: text(row, 'scope'),
    subject: subjectOf(text(row, 'subject')),
    access: levelOf(row.access),
    ...(typeof row.name === 'string' && { name: row.name }),
    grantedBy: text(row, 'granted_by'),
    updatedAt: Number(row.updated_at),
  };
}

export function offerOf(row: Row): Offer {
  return {
    id: text(row, 'id'),
    path: text(row, 'path'),
    access: levelOf(row.access),
    createdBy: text(row, 'created_by'),
    createdAt: Number(row.created_at),
    ...(typeof row.expires_at === 'number' && { expiresAt: row.expires_at }),
  };
}

export function levelOf(rank: unknown): PathLevel {
  return PATH_LEVELS[Number(rank)] ?? 'none';
}

export function text(row: Row, column: string): string {
  return String(row[column]);
}
