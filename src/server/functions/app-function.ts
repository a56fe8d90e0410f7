/** Functions that the configuration gives to apps: the option `functions` of the server (docs/functions.md). */
import type { User } from '../accounts/accounts.ts';

/** What a function may know of its call. It comes from the server alone, never from what a client sent. */
export type FunctionContext = {
  /** Who called, as of the call. */
  readonly user: User;
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Aborted when nobody waits any longer: the time is up, or the server stops. */
  readonly signal: AbortSignal;
  /** Calls another function in the name of the same user, private ones, too. */
  readonly callFunction: (name: string, ...args: readonly unknown[]) => Promise<unknown>;
};

export type FunctionOptions = {
  /** Takes what the client passed after the context, which no client can stand in for. */
  readonly run: (context: FunctionContext, ...args: never[]) => unknown;
  /** Who may call it; a failure of it is a no. Default: every user who is logged in. */
  readonly canExecute?: ((user: User) => boolean | Promise<boolean>) | undefined;
  /** Only other functions may call it. Default `false`. */
  readonly private?: boolean | undefined;
};

/** A plain function takes exactly what the client passed, and may be called by every user who is logged in. */
export type AppFunction = ((...args: never[]) => unknown) | FunctionOptions;

export type AppFunctionsOptions = Readonly<Record<string, AppFunction>>;
