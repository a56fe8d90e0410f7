/** How addresses are confirmed and passwords reset: the options of `authentication.emailPassword`. */

export type Mail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
};

/** What sends mail; the configuration supplies it. */
export type MailTransport = { send(mail: Mail): Promise<void> };

/** What a confirmation or reset function is told. */
export type AccountRequest = {
  readonly token: string;
  readonly tokenId: string;
  readonly username: string;
  /** The password that was asked for, where one was. */
  readonly password?: string;
  /** What the client passed to the reset function. */
  readonly arguments?: readonly unknown[];
};

/**
 * `success` does at once what was asked; `pending` leaves it to whoever presents token and token id; `fail` refuses.
 */
export type AccountVerdict = { readonly status: 'success' | 'pending' | 'fail' };
export type AccountFunction = (request: AccountRequest) => AccountVerdict | Promise<AccountVerdict>;

export type ByFunction = {
  readonly function: AccountFunction;
  /** Minutes for which a token is good. */
  readonly tokenMinutes?: number | undefined;
};
type ByMail = {
  readonly mail: MailTransport;
  readonly subject?: string | undefined;
  readonly tokenMinutes?: number | undefined;
};
/** `confirmationUrl`: the page that the mail leads to; `token` and `tokenId` are appended to its query. */
export type ConfirmationByMail = ByMail & { readonly confirmationUrl: string };
/** `resetUrl`: the page that the mail leads to; `token` and `tokenId` are appended to its query. */
export type ResetByMail = ByMail & { readonly resetUrl: string };

export type EmailAccountsOptions = {
  /** Default `automatic`: whoever registers may log in. */
  readonly confirmation?: 'automatic' | ByFunction | ConfirmationByMail | undefined;
  /** Default `off`: only administrators set passwords. */
  readonly reset?: 'off' | ByFunction | ResetByMail | undefined;
};
