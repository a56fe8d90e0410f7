import { IsthmusError } from '../../errors.ts';

/** The server refuses a set of subscriptions; the replica keeps the objects of the one before. */
export class SubscriptionError extends IsthmusError {
  readonly code = 'subscription';
  /** Of the set. */
  readonly version: number;
  /** The server's words. */
  readonly reason: string;

  constructor(version: number, reason: string) {
    super(`the server refuses version ${version} of the subscriptions: ${reason}`, {
      remedy: 'correct the query that is named, and update the subscriptions again',
    });
    this.version = version;
    this.reason = reason;
  }
}
