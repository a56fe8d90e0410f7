/** Tokens that prove that somebody got a mail: random, kept as hashes, good for a while and for once. */
import { AccountError } from './account-error.ts';
import type { AccountStore } from './account-store.ts';
import type { EmailTokenPurpose } from './email-token-table.ts';
import { newHexId } from './hex-id.ts';
import type { IdentityRow } from './identity-table.ts';
import { hashOf, matchesHash, newSecret } from './secret-hash.ts';

/** Good at the same time for one identity: who asks again may still open the earlier mail. */
const KEPT_TOKENS = 5;

export type EmailToken = { readonly token: string; readonly tokenId: string };

export class EmailTokens {
  readonly #store: AccountStore;
  readonly #now: () => number;

  /** `now` gives seconds since 1970. */
  constructor(store: AccountStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  issue(identityId: string, purpose: EmailTokenPurpose, lifetimeSeconds: number): EmailToken {
    const token = newSecret();
    const tokenId = newHexId();
    const now = this.#now();
    this.#store.atomically(() => {
      this.#store.emailTokens.removeExpiredBy(now);
      this.#store.emailTokens.removeOldOf(identityId, purpose, KEPT_TOKENS - 1);
      this.#store.emailTokens.add({
        id: tokenId,
        identityId,
        purpose,
        hash: hashOf(token),
        expiresAt: now + lifetimeSeconds,
      });
    });
    return { token, tokenId };
  }

  /** The identity that the token was made for. Throws UserpassTokenInvalid. */
  check({ token, tokenId }: EmailToken, purpose: EmailTokenPurpose): IdentityRow {
    const row = this.#store.emailTokens.get(tokenId);
    const identity = row && this.#store.identities.get(row.identityId);
    if (
      row === undefined ||
      identity === undefined ||
      row.purpose !== purpose ||
      row.expiresAt <= this.#now() ||
      !matchesHash(token, row.hash)
    ) {
      throw new AccountError('UserpassTokenInvalid', 'invalid token data');
    }
    return identity;
  }

  /** Does `work` if the token is still good, and uses up all tokens of that kind. */
  redeem(token: EmailToken, purpose: EmailTokenPurpose, work: (identity: IdentityRow) => void): void {
    this.#store.atomically(() => {
      const identity = this.check(token, purpose);
      this.#store.emailTokens.removeOldOf(identity.id, purpose, 0);
      work(identity);
    });
  }
}
