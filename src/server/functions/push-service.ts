/** Services of the configuration that devices register with for messages: the option `pushServices`. */
import type { User } from '../accounts/accounts.ts';

export type PushService = {
  /** The user's device can be reached under that token from now on. */
  readonly register: (user: User, registrationToken: string) => void | Promise<void>;
  /** None of the user's devices is to be sent messages any more. */
  readonly deregister: (user: User) => void | Promise<void>;
};

export type PushServices = Readonly<Record<string, PushService>>;
