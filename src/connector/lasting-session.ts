/** A session for single statements of many callers: opened when first needed, and again when it broke. */

/** What is asked of a session of either database. */
export type ClosableSession = {
  readonly broken: boolean;
  close(): Promise<void>;
};

/** Lends a session for what `doing` says, and names it when that fails. */
export type UseSession<S> = <T>(doing: string, use: (session: S) => Promise<T>) => Promise<T>;

export class LastingSession<S extends ClosableSession> {
  readonly #connect: () => Promise<S>;
  readonly #setUp: ((session: S) => Promise<unknown>) | undefined;
  #session: Promise<S> | undefined;

  /** `setUp` sends what a session begins with. */
  constructor(connect: () => Promise<S>, setUp?: (session: S) => Promise<unknown>) {
    this.#connect = connect;
    this.#setUp = setUp;
  }

  /** Throws what connecting throws. */
  async open(): Promise<S> {
    const current = this.#session;
    const opened = await current?.catch(() => undefined);
    if (opened !== undefined && !opened.broken) return opened;
    // Only the first of several callers opens anew; the others find its promise.
    if (this.#session === current) this.#session = this.#begin();
    return this.#session ?? this.open();
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    await session?.close();
  }

  async #begin(): Promise<S> {
    const session = await this.#connect();
    if (this.#setUp === undefined) return session;
    try {
      await this.#setUp(session);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }
}
