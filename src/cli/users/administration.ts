/** What `isthmus user` does to users, wherever they are: behind the admin API, or in a data directory. */

import type { UserJson } from '../../server/http/admin-user-routes.ts';

export type ShownUser = UserJson;

export type UserChange = {
  readonly admin?: boolean;
  readonly disabled?: boolean;
  readonly password?: string;
  readonly customData?: Readonly<Record<string, unknown>>;
};

/** `user` is always an id, or the name that the user logs in with. */
export type UserAdministration = {
  /** All users in pages, in the order of their ids. */
  list(): AsyncIterable<readonly ShownUser[]>;
  find(user: string): Promise<ShownUser>;
  create(user: {
    readonly name: string;
    readonly password: string;
    readonly admin: boolean;
  }): Promise<ShownUser>;
  change(user: string, change: UserChange): Promise<ShownUser>;
  remove(user: string): Promise<void>;
  revoke(user: string): Promise<void>;
  close(): Promise<void>;
};

/** Users that are asked for at once. */
export const PAGE = 500;
