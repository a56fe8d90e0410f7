/** The section `authentication` of the server's options: which providers log users in, and how. */
import type { EmailAccountsOptions } from './email-options.ts';

/** A claim that is kept as data of the user. */
export type ClaimMapping = {
  /** Path of the claim, its parts joined by dots; a dot within a name is written `\.`. */
  readonly from: string;
  readonly to: string;
  /** A token without the claim is refused. Default `false`. */
  readonly required?: boolean | undefined;
};

/** A key of an issuer: the secret text for HS256, a public key or certificate in PEM for the others. */
export type IssuerKey = string | { readonly kid?: string | undefined; readonly key: string };

/** An issuer of JSON Web Tokens, for the provider `custom-token`. */
export type CustomTokenOptions = {
  /** Tells several issuers apart: users of two of them are never the same. Do not change it later. */
  readonly name?: string | undefined;
  readonly algorithm: 'HS256' | 'RS256' | 'ES256';
  /** Exactly one of `key`, `keys` and `jwksUrl`. */
  readonly key?: IssuerKey | undefined;
  readonly keys?: readonly IssuerKey[] | undefined;
  readonly jwksUrl?: string | undefined;
  /** One of these must be in the token's `aud`. Without it tokens for any audience are taken. */
  readonly audience?: string | readonly string[] | undefined;
  readonly issuer?: string | undefined;
  /** Path of the claim that identifies the user. Default `sub`. */
  readonly userIdField?: string | undefined;
  readonly metadata?: readonly ClaimMapping[] | undefined;
  /** Path of the claim that says, at every login, whether the user is an administrator. */
  readonly isAdminField?: string | undefined;
};

/** Who logged in, and what is told about them. */
export type ExternalUser = { readonly id: string; readonly data?: Readonly<Record<string, string>> };

export type CustomFunctionContext = {
  /** The address that the request came from. */
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
};

/** Finds out who sent a payload; a failure, and anything but an id, refuses the login. */
export type CustomFunction = (
  payload: Readonly<Record<string, unknown>>,
  context: CustomFunctionContext,
) => string | ExternalUser | Promise<string | ExternalUser>;

/** Google or Apple. What is left out is taken from the provider's documentation. */
export type OpenIdOptions = {
  /** Audiences whose tokens are taken; the first is the one with which this server asks for tokens itself. */
  readonly clientIds: readonly string[];
  readonly jwksUrl?: string | undefined;
  readonly issuer?: string | undefined;
  /** For codes, and for logging in by redirect. A function makes a fresh one each time, as Apple wants it. */
  readonly clientSecret?: string | (() => string | Promise<string>) | undefined;
  /** Where a code is exchanged for tokens. */
  readonly tokenUrl?: string | undefined;
  /** What the app named as redirect address when it asked for an `authCode`. Default the empty text. */
  readonly authCodeRedirectUri?: string | undefined;
  /** Where browsers are sent to log in. */
  readonly authorizationUrl?: string | undefined;
  /** Pages that browsers may be sent back to. Without any there is no logging in by redirect. */
  readonly redirectUris?: readonly string[] | undefined;
};

export type FacebookOptions = {
  /** Asks the provider whose access token it is, and whether it was made for this app. */
  readonly verify: (accessToken: string) => ExternalUser | Promise<ExternalUser>;
};

export type AuthenticationOptions = {
  /** Default `true`. */
  readonly anonymous?: boolean | undefined;
  /** Default `true`: whoever registers may log in, and only administrators set new passwords. */
  readonly emailPassword?: boolean | EmailAccountsOptions | undefined;
  /** Keys that users and administrators make for programs. Default `false`. */
  readonly apiKey?: boolean | undefined;
  readonly customToken?: CustomTokenOptions | readonly CustomTokenOptions[] | undefined;
  readonly customFunction?: CustomFunction | undefined;
  readonly google?: OpenIdOptions | undefined;
  readonly apple?: OpenIdOptions | undefined;
  readonly facebook?: FacebookOptions | undefined;
};
