/** Which session has which client file bound, so that a file is never synchronised by two sessions at once. */

/** What a client file is bound to. */
export type FileHolder = {
  readonly connection: object;
  /** Ends the connection of a session that another one has replaced. */
  supersede(): void;
  /** Resolves when the session is over; undefined when it has not been unbound. */
  departure(): Promise<void> | undefined;
};

export class BoundFiles {
  readonly #holders = new Map<string, FileHolder>();

  /**
   * Binds a file. A holder on another connection is a zombie, whose client has come back before the server noticed
   * that it was gone; it is ended. One on the same connection makes this a mistake of the client: the answer is
   * false (spec/wire-protocol.md §5.5).
   */
  claim(path: string, fileIdent: number, holder: FileHolder): boolean {
    const key = fileKey(path, fileIdent);
    const current = this.#holders.get(key);
    if (current?.connection === holder.connection) return false;
    this.#holders.set(key, holder);
    current?.supersede();
    return true;
  }

  /** Resolves when nobody on this connection who has been unbound holds a file any more. */
  async departed(path: string, fileIdent: number, connection: object): Promise<void> {
    const current = this.#holders.get(fileKey(path, fileIdent));
    if (current?.connection === connection) await current.departure();
  }

  /** The client files of a realm that are bound. */
  *of(path: string): IterableIterator<number> {
    for (const key of this.#holders.keys()) {
      const end = key.indexOf(':');
      if (key.slice(end + 1) === path) yield Number(key.slice(0, end));
    }
  }

  /** Gives a file back, unless another session has taken it over. */
  release(path: string, fileIdent: number, holder: FileHolder): void {
    const key = fileKey(path, fileIdent);
    if (this.#holders.get(key) === holder) this.#holders.delete(key);
  }
}

function fileKey(path: string, fileIdent: number): string {
  return `${fileIdent}:${path}`;
}
