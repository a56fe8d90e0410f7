/** An issuer of JSON Web Tokens with its own web server, which publishes keys and exchanges codes. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

export type SigningKey = {
  readonly kid: string;
  readonly algorithm: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly pem: string;
};

export function signingKey(algorithm: 'RS256' | 'ES256' = 'RS256'): SigningKey {
  const pair =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { kid: randomUUID(), algorithm, ...pair, pem };
}

/** A token that is good for a while unless the claims say otherwise. */
export function signed(
  key: { readonly algorithm: string; readonly privateKey: KeyObject | Uint8Array; readonly kid?: string },
  claims: JWTPayload,
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ iat: now, exp: now + 600, ...claims })
    .setProtectedHeader({ alg: key.algorithm, ...(key.kid !== undefined && { kid: key.kid }), ...header })
    .sign(key.privateKey);
}

export class TokenIssuer {
  /** Keys that are published at the moment. */
  keys: SigningKey[] = [];
  /** What the next requests are answered with, in place of what was asked. */
  broken: number | undefined;
  fetches = 0;
  /** Forms that came to the token endpoint, and what they are answered with. */
  readonly exchanges: Record<string, string>[] = [];
  exchanged: (form: Record<string, string>) => Promise<Record<string, unknown> | undefined> = async () =>
    undefined;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.destroy(Error(String(error))));
  });

  static async start(...keys: SigningKey[]): Promise<TokenIssuer> {
    const issuer = new TokenIssuer();
    issuer.keys = keys;
    issuer.#server.listen(0, '127.0.0.1');
    await once(issuer.#server, 'listening');
    onTestFinished(() => issuer.stop());
    return issuer;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (this.broken !== undefined) return answer(this.broken, {});
    if (request.url === '/token') {
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      this.exchanges.push(form);
      const given = await this.exchanged(form);
      return given === undefined ? answer(400, { error: 'invalid_grant' }) : answer(200, given);
    }
    this.fetches++;
    const keys = await Promise.all(
      this.keys.map(async ({ publicKey, kid, algorithm }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg: algorithm,
        use: 'sig',
      })),
    );
    return answer(200, { keys });
  }
}
