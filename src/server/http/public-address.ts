/** The address under which clients reach the server, which `location` must name (spec/app-services-http.md §3). */

export class PublicAddress {
  readonly #publicUrl: string | undefined;
  readonly #fallback: () => string;

  /** Without a public URL the address that the client itself used is the best answer; `fallback` if it named none. */
  constructor(publicUrl: string | undefined, fallback: () => string) {
    this.#publicUrl = publicUrl?.replace(/\/+$/, '');
    this.#fallback = fallback;
  }

  http(hostHeader?: string): string {
    if (this.#publicUrl !== undefined) return this.#publicUrl;
    // Only a plain host and port: anything else would be reflected into the client's configuration.
    if (hostHeader !== undefined && /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(hostHeader)) {
      return `http://${hostHeader}`;
    }
    return this.#fallback();
  }

  webSocket(hostHeader?: string): string {
    return this.http(hostHeader).replace(/^http/, 'ws');
  }
}
