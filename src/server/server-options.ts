import type { Logger } from '../log.ts';
import type { AuthenticationOptions } from './accounts/authentication-options.ts';
import type { AppFunctionsOptions } from './functions/app-function.ts';
import type { PushServices } from './functions/push-service.ts';
import type { ServerLimits } from './limits.ts';
import type { Permissions } from './permissions.ts';
import type { RulesOptions } from './rules/options.ts';
import type { FlexibleSyncOptions } from './sync/flexible-options.ts';

export type ServerOptions = {
  /** Where realms, users and keys are kept. Created when it does not exist. */
  readonly dataDirectory: string;
  /** Address to listen on; `0.0.0.0` or `::` for every interface. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. Default 9090. */
  readonly port?: number;
  /** The app id that clients are configured with. Default `isthmus`. */
  readonly appId?: string;
  /** Name of the administrator; default `ISTHMUS_ADMIN_USER`, or `admin`. */
  readonly adminUser?: string;
  /** Password of the administrator; default `ISTHMUS_ADMIN_PASSWORD`. Without one the first start makes one up. */
  readonly adminPassword?: string;
  /** Every logged-in user reads and writes every realm that is no system realm. Never in production. */
  readonly development?: boolean;
  /**
   * Decides alone who may do what with which realm, in place of `rules.paths` and of granted rights (permissions.ts). It is
   * not asked about the realm of flexible sync.
   */
  readonly permissions?: Permissions;
  /**
   * Who may do what: by class in the flexible realm, by path with all others (docs/permissions.md). Default: the flexible
   * realm is for administrators, users have their own realms and what was granted to them.
   */
  readonly rules?: RulesOptions;
  /** Which providers log users in (docs/authentication.md). Default: anonymous, and email with password. */
  readonly authentication?: AuthenticationOptions;
  /** What apps may call by name (docs/functions.md). Default: nothing. */
  readonly functions?: AppFunctionsOptions;
  /** Services that take down under which tokens devices can be sent messages. Default: none. */
  readonly pushServices?: PushServices;
  /**
   * Opens the admin API (docs/admin-api.md) besides administrators' logins; at least 32 characters. Default
   * `ISTHMUS_ADMIN_TOKEN`, or none.
   */
  readonly adminToken?: string;
  /**
   * Proxies between clients and this server, whose `X-Forwarded-For` is believed when logins are counted by address;
   * `true` is one. Default: none.
   */
  readonly trustProxy?: boolean | number;
  /** Where clients are told to go instead: the address of the server that this app moved to. */
  readonly redirectTo?: string;
  /** Serves flexible sync, from one realm; `false` does not. Default: from the realm `/`. */
  readonly flexibleSync?: false | FlexibleSyncOptions;
  /** Serves partition-based sync. Default `true`. */
  readonly partitionSync?: boolean;
  /**
   * Days after which a device that did not connect is given up: what it needs of the history is dropped, and when it
   * comes back, it starts anew and makes its unsynced changes again. Default 30.
   */
  readonly clientMaxOfflineDays?: number;
  readonly logger?: Logger;
  readonly limits?: Partial<ServerLimits>;
  /**
   * The address under which clients reach this server, when it is not the one they connect to, for example behind
   * a proxy that speaks TLS: `https://sync.example.com`.
   */
  readonly publicUrl?: string;
};

export type RunningServer = {
  /** The address for clients: the public URL, or host and port. */
  readonly url: string;
  readonly appId: string;
  readonly port: number;
  /** Name of the administrator. */
  readonly adminUser: string;
  /** The administrator made by this start with a made-up password, to be shown once. */
  readonly generatedAdmin?: { readonly user: string; readonly password: string };
  /** Stops accepting, lets integrations finish, closes all sockets. */
  close(): Promise<void>;
};
