/** What the server does wrong on purpose, as networks and servers do now and then. Each is done once. */
export class WireFaults {
  /** New connections are closed before a word is said, until this is set back. */
  refuseConnections = false;
  #rowsUntilCut: number | undefined;
  #cutAfterCommit = false;

  /** Cuts the connection in the middle of a result, after so many more rows of whichever connection. */
  cutAfterRows(rows: number): void {
    this.#rowsUntilCut = rows;
  }

  /** Cuts the connection whose transaction is committed next, after the commit and before the client hears of it. */
  cutAfterCommit(): void {
    this.#cutAfterCommit = true;
  }

  /** Says that a row is sent; true when the connection is to be cut now. */
  rowSent(): boolean {
    if (this.#rowsUntilCut === undefined) return false;
    if (this.#rowsUntilCut-- > 0) return false;
    this.#rowsUntilCut = undefined;
    return true;
  }

  /** Says that a transaction was committed; true when the connection is to be cut now. */
  committed(): boolean {
    const cut = this.#cutAfterCommit;
    this.#cutAfterCommit = false;
    return cut;
  }
}
