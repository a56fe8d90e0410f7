/** What a client sent is no TDS that a server can go on with: the connection ends, the server does not. */
export class ProtocolError extends Error {}

/** A message ends before what it announces; or, for a message that is still arriving, the rest has to be awaited. */
export class EndOfBytes extends ProtocolError {
  constructor(wanted: number, left: number) {
    super(`the message ends ${wanted - left} bytes too early`);
  }
}

/** The other side is gone, so that nothing can be sent to it any more. */
export class ConnectionEnded extends Error {
  constructor() {
    super('the client has closed the connection');
  }
}
