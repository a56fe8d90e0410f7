/** What a login provider found proven by credentials. */

export const ANONYMOUS = 'anon-user';

export type Proof =
  /** Somebody new without a name. */
  | { readonly kind: 'anonymous' }
  /** The owner of a name and password. */
  | { readonly kind: 'password'; readonly identityId: string }
  /** The holder of an API key: the user who made it, or, without one, a user that the key itself stands for. */
  | {
      readonly kind: 'key';
      readonly keyId: string;
      readonly keyName: string;
      readonly userId: string | undefined;
    }
  /** Somebody for whom an issuer outside vouches. */
  | {
      readonly kind: 'external';
      readonly provider: string;
      /** Which of several issuers of that provider; names of different ones are different people. */
      readonly source: string;
      readonly name: string;
      /** What the issuer tells about the user. */
      readonly data: Readonly<Record<string, string>>;
      /** Whether the user is an administrator, when the issuer has a say in that. */
      readonly isAdmin?: boolean;
    };
