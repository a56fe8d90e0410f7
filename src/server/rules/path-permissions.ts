/**
 * Rights to whole realms (partition-based sync). What decides, first to last:
 *
 * 1. Administrators may everything; system realms are theirs alone.
 * 2. The configuration's `permissions` function, when there is one.
 * 3. Own realms (`/<user id>/…`): the configured rules, behind which the owner may everything. No grant lowers that.
 * 4. What was granted to the user for this path, else what was granted to the user for all realms of a grantor.
 * 5. The higher one of what was granted to everybody and of what the configured rules say.
 *
 * The realm of flexible sync as a whole is past the rules of its classes. It is opened by nothing that was said of many
 * paths (the function, rules with patterns, grants on all realms), only by 1. and what names its path: grants, and rules.
 *
 * In development everybody writes everywhere besides.
 */
import { createHash, randomBytes } from 'node:crypto';
import { newHexId } from '../accounts/hex-id.ts';
import type { Permissions } from '../permissions.ts';
import { isSystemPath, ownerSegment } from '../realms/realm-path.ts';
import type { RuleUser } from './contract.ts';
import {
  ADMINISTRATION,
  ALL_REALMS,
  type Grant,
  type GrantPlace,
  type GrantPosition,
  type Offer,
  type Subject,
} from './grant.ts';
import type { GrantFilter, GrantStore } from './grant-store.ts';
import { higherLevel, includesLevel, type PathLevel } from './options.ts';
import type { PathRules } from './path-rules.ts';
import { PermissionError } from './permission-error.ts';

/** Grants that one ordinary user may have standing: enough to share with a company, and no way to fill the disk. */
const MOST_GRANTS = 10_000;
/** The same for offers that have not expired. */
const MOST_OFFERS = 1_000;
/** Nobody guesses a token of this length. */
const TOKEN_BYTES = 32;

/** Whose rights changed: those of one user, or of everybody, to one path, or to all. */
export type PermissionChange = { readonly path?: string; readonly userId?: string };

/** Whom a request names. `id` may be `*` for everybody. */
export type Recipient = { readonly id: string } | { readonly name: string };

/** The users that exist. */
export type UserDirectory = {
  byId(id: string): RuleUser | undefined;
  /** By the name with which the user logs in. */
  byName(name: string): RuleUser | undefined;
};

export type PathPermissionsOptions = {
  readonly rules: PathRules;
  readonly grants: GrantStore;
  readonly users: UserDirectory;
  /** The configuration's function; it wins over rules and grants. */
  readonly permissions?: Permissions;
  readonly development?: boolean;
  /** Path of the realm of flexible sync. */
  readonly flexibleRealm?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export class PathPermissions {
  readonly #rules: PathRules;
  readonly #grants: GrantStore;
  readonly #users: UserDirectory;
  readonly #permissions: Permissions | undefined;
  readonly #development: boolean;
  readonly #flexibleRealm: string | undefined;
  readonly #now: () => number;
  readonly #listeners = new Set<(change: PermissionChange) => void>();

  constructor(options: PathPermissionsOptions) {
    this.#rules = options.rules;
    this.#grants = options.grants;
    this.#users = options.users;
    this.#permissions = options.permissions;
    this.#development = options.development ?? false;
    this.#flexibleRealm = options.flexibleRealm;
    this.#now = options.now;
  }

  /** What a user may do with the realm of a resolved path (realm-path.ts). */
  async access(user: RuleUser, path: string): Promise<PathLevel> {
    if (user.isAdmin) return 'manage';
    if (isSystemPath(path)) return 'none';
    if (this.#development) return higherLevel('write', this.#granted(user, path));
    const isDecidedAlone = this.#permissions !== undefined && path !== this.#flexibleRealm;
    return isDecidedAlone ? this.#permissions(user, path) : this.#granted(user, path);
  }

  /** Calls back after rights changed. Returns its undo. */
  onChanged(listener: (change: PermissionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Gives a right to a path, or to all realms of the grantor (`*`). The level `none` is an explicit refusal, which goes
   * before what everybody may; {@link revoke} takes a grant back.
   */
  async grant(grantor: RuleUser, path: string, recipient: Recipient, access: PathLevel): Promise<Grant> {
    const place = await this.#managed(grantor, path);
    const subject = this.#subject(recipient);
    refuseOwner(place, subject);
    const before = this.#grants.level(place, subject);
    const grant: Grant = {
      ...place,
      subject,
      access,
      ...('name' in recipient && { name: recipient.name }),
      grantedBy: grantor.id,
      updatedAt: this.#now(),
    };
    if (!grantor.isAdmin && this.#grants.countBy(grantor.id) >= MOST_GRANTS) {
      throw new PermissionError('too-many', `${MOST_GRANTS} grants of one user are the most`, 'revoke some');
    }
    this.#grants.atomically(() => {
      if ('name' in recipient) this.#grants.remove(place, { kind: 'name', name: recipient.name });
      this.#grants.put(grant);
    });
    this.#announce(place, subject, [before, access]);
    return grant;
  }

  /** Takes a grant back; what everybody may, or a rule says, holds again. Returns whether there was one. */
  async revoke(grantor: RuleUser, path: string, recipient: Recipient): Promise<boolean> {
    const place = await this.#managed(grantor, path);
    // Not asked whether the user exists: what was granted to users who are gone can be cleared away, too.
    const subject = 'id' in recipient ? subjectOfId(recipient.id) : this.#subject(recipient);
    const before = this.#grants.level(place, subject);
    const removed = this.#grants.atomically(() => {
      const byName =
        'name' in recipient && this.#grants.remove(place, { kind: 'name', name: recipient.name });
      return this.#grants.remove(place, subject) || byName;
    });
    if (removed) this.#announce(place, subject, [before]);
    return removed;
  }

  /** What was granted to a user, apart from what everybody may. */
  grantedTo(user: RuleUser): readonly Grant[] {
    this.#adopt(user);
    return this.#listAll({ kind: 'subject', userId: user.id });
  }

  /** What a user granted. */
  grantedBy(user: RuleUser): readonly Grant[] {
    return this.#listAll({ kind: 'grantor', userId: user.id });
  }

  /** What was granted on a path, for those who may manage it. */
  async grantsOn(user: RuleUser, path: string): Promise<readonly Grant[]> {
    const place = await this.#managed(user, path);
    return this.#listAll({ kind: 'path', path: place.path }).filter(({ scope }) => scope === place.scope);
  }

  /** All grants, for administrators, in pages. */
  page(filter: GrantFilter, limit: number, after?: GrantPosition): readonly Grant[] {
    return this.#grants.list(filter, limit, after);
  }

  /** Offers a right to whoever brings the token. It can be accepted by several, until it expires or is revoked. */
  async offer(
    creator: RuleUser,
    path: string,
    access: Exclude<PathLevel, 'none'>,
    expiresAt?: number,
  ): Promise<{ readonly offer: Offer; readonly token: string }> {
    if (path === ALL_REALMS) throw new PermissionError('invalid', 'an offer is for one path');
    const place = await this.#managed(creator, path);
    const now = this.#now();
    if (expiresAt !== undefined && expiresAt <= now) {
      throw new PermissionError('invalid', 'the offer would have expired already', 'choose a later date');
    }
    this.#grants.removeOffersExpiredBy(now);
    if (this.#grants.offersBy(creator.id).length >= MOST_OFFERS) {
      throw new PermissionError('too-many', `${MOST_OFFERS} offers of one user are the most`, 'revoke some');
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const offer: Offer = {
      id: newHexId(),
      path: place.path,
      access,
      createdBy: creator.id,
      createdAt: now,
      ...(expiresAt !== undefined && { expiresAt }),
    };
    this.#grants.addOffer(offer, hashOf(token));
    return { offer, token };
  }

  /** The offers of a user that can still be accepted. */
  offersBy(user: RuleUser): readonly Offer[] {
    this.#grants.removeOffersExpiredBy(this.#now());
    return this.#grants.offersBy(user.id);
  }

  /** Whoever accepted it keeps the right. Returns whether there was such an offer. */
  revokeOffer(user: RuleUser, id: string): boolean {
    return this.#grants.removeOffer(id, user.id);
  }

  /** Gives the user what was offered. Nobody loses a higher right by that. */
  async accept(
    user: RuleUser,
    token: string,
  ): Promise<{ readonly path: string; readonly access: PathLevel }> {
    const offer = this.#grants.offerByToken(hashOf(token));
    if (offer === undefined || (offer.expiresAt !== undefined && offer.expiresAt <= this.#now())) {
      throw unknownOffer();
    }
    const { path } = offer;
    const creator = this.#users.byId(offer.createdBy);
    // Whoever may no longer give the right himself has nothing to offer.
    if (creator === undefined || !includesLevel(await this.access(creator, path), 'manage'))
      throw unknownOffer();
    const before = await this.access(user, path);
    if (includesLevel(before, offer.access)) return { path, access: before };
    if (this.#grants.levels(user.id, path, ownerSegment(path)).userOnPath === 'none') {
      throw new PermissionError('denied', `access to ${path} was refused to this user`);
    }
    const subject: Subject = { kind: 'user', id: user.id };
    const place = { path, scope: '' };
    refuseOwner(place, subject);
    this.#grants.put({
      ...place,
      subject,
      access: offer.access,
      grantedBy: offer.createdBy,
      updatedAt: this.#now(),
    });
    this.#announce(place, subject, [before, offer.access]);
    return { path, access: offer.access };
  }

  /** Removes what concerns a user who is gone for good. */
  forgetUser(userId: string): void {
    this.#grants.forgetUser(userId);
    this.#tell({});
  }

  close(): void {
    this.#listeners.clear();
    this.#grants.close();
  }

  #granted(user: RuleUser, path: string): PathLevel {
    if (path === this.#flexibleRealm) return this.#grantedByName(user, path);
    const byRule = this.#rules.access(user, path);
    const owner = ownerSegment(path);
    if (owner === user.id) return byRule;
    this.#adopt(user);
    const { user: toUser, everybody } = this.#grants.levels(user.id, path, owner);
    return toUser ?? higherLevel(everybody ?? 'none', byRule);
  }

  /** Only what was said of that very path. */
  #grantedByName(user: RuleUser, path: string): PathLevel {
    this.#adopt(user);
    const { userOnPath, everybodyOnPath } = this.#grants.levels(user.id, path, undefined);
    return userOnPath ?? higherLevel(everybodyOnPath ?? 'none', this.#rules.accessByName(user, path));
  }

  /** What was granted to a name belongs to the user who logs in with it. */
  #adopt(user: RuleUser): void {
    if (user.name !== undefined) this.#grants.adopt(user.name, user.id);
  }

  /** The place of a grant on that path, if the user may manage it. */
  async #managed(user: RuleUser, path: string): Promise<GrantPlace> {
    if (path === ALL_REALMS) return { path, scope: user.isAdmin ? ADMINISTRATION : user.id };
    if (isSystemPath(path)) {
      throw new PermissionError('denied', `${path} is a system realm: only administrators open it`);
    }
    if (!includesLevel(await this.access(user, path), 'manage')) {
      throw new PermissionError('denied', `no right to manage ${path}`);
    }
    return { path, scope: '' };
  }

  #subject(recipient: Recipient): Subject {
    if ('id' in recipient) {
      const subject = subjectOfId(recipient.id);
      if (subject.kind === 'user' && this.#users.byId(subject.id) === undefined) {
        throw new PermissionError('unknown-user', `there is no user with the id ${recipient.id}`);
      }
      return subject;
    }
    const user = this.#users.byName(recipient.name);
    return user === undefined ? { kind: 'name', name: recipient.name } : { kind: 'user', id: user.id };
  }

  #listAll(filter: GrantFilter): readonly Grant[] {
    return this.#grants.list(filter, MOST_GRANTS);
  }

  /** `levels` are those that the grant had before, and has now. */
  #announce({ path }: GrantPlace, subject: Subject, levels: readonly (PathLevel | undefined)[]): void {
    // Nobody has that name yet.
    if (subject.kind === 'name') return;
    // On a path, what somebody who may manage it granted on all realms depends on that right.
    const reachesOthers = path !== ALL_REALMS && levels.includes('manage');
    this.#tell({
      ...(path !== ALL_REALMS && { path }),
      ...(subject.kind === 'user' && !reachesOthers && { userId: subject.id }),
    });
  }

  #tell(change: PermissionChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function subjectOfId(id: string): Subject {
  return id === '*' ? { kind: 'everybody' } : { kind: 'user', id };
}

function refuseOwner({ path }: GrantPlace, subject: Subject): void {
  if (subject.kind === 'user' && path !== ALL_REALMS && ownerSegment(path) === subject.id) {
    throw new PermissionError('invalid', `${path} belongs to that user, whose rights are not granted`);
  }
}

function unknownOffer(): PermissionError {
  return new PermissionError('unknown-offer', 'there is no such offer, or it has expired');
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
