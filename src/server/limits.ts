/** What the server bounds, why, and by how much. Every value can be overridden through `ServerOptions.limits`. */

export type ServerLimits = {
  /** Largest HTTP request body, in bytes: a login with its device information takes less than one KiB. */
  readonly httpBody: number;
  /** Largest HTTP request body of a function's call, in bytes. */
  readonly functionCall: number;
  /** Largest result of a function, in bytes: clients hold it in memory several times over. */
  readonly functionResult: number;
  /** Milliseconds after which a function's caller gets an error; clients wait for 60 s and would not learn the reason. */
  readonly functionTime: number;
  /** Functions that run at the same time, for all users together. */
  readonly functionsRunning: number;
  /** Password checks that wait for a turn; scrypt is slow on purpose, so that a flood must be turned away. */
  readonly waitingPasswordChecks: number;
  /** Failed logins of one address before it has to wait; everybody behind one router shares an address. */
  readonly loginFailuresPerAddress: number;
  /** Failed logins to one account, from wherever, before they have to wait: enough for a person who tries all theirs. */
  readonly loginFailuresPerAccount: number;
  /** Milliseconds of the first wait; each further failure doubles it. */
  readonly loginPause: number;
  /** Milliseconds that no wait exceeds, since an attacker can make the owner of an account wait. */
  readonly longestLoginPause: number;
  /** Addresses and accounts whose failures are remembered, at about 200 bytes each. */
  readonly loginFailuresKept: number;
  /** WebSockets open at the same time, the ones turned away with a pause included. */
  readonly connections: number;
  /** Sessions of one connection; an SDK client opens one per realm. */
  readonly sessionsPerConnection: number;
  /**
   * Largest WebSocket message, in bytes. Clients fill a message up to 16 MiB and exceed that only for one single
   * changeset (spec/wire-protocol.md §3.3); beyond this limit the close code 1009 makes them reset.
   */
  readonly message: number;
  /** Largest body after decompression, in bytes, whatever the message claims of itself. */
  readonly decompressedBody: number;
  /** Bytes of received, not yet integrated messages of one connection before its socket is no longer read. */
  readonly uploadBacklog: number;
  /** The same for all connections together; beyond it each connection has one message handled at a time. */
  readonly serverBacklog: number;
  /**
   * Bytes of changesets that are integrated, and made durable, in one step: enough to share a commit among the small
   * uploads of a stream, and little enough that a huge one does not hold up every other realm.
   */
  readonly integratedTogether: number;
  /** Bytes waiting in a socket before no further download is computed for it. */
  readonly sendBuffer: number;
  /**
   * Uncompressed bytes after which a DOWNLOAD message ends (spec/wire-protocol.md §5.6). Far below what the protocol
   * allows: many clients that start from nothing at once hold one message each.
   */
  readonly download: number;
  /** Milliseconds without any message before a connection is dropped; clients ping every minute. */
  readonly idle: number;
  /**
   * Milliseconds before a connection with a bad token is closed. Clients answer with a new token and come back
   * without any back-off, thousands of times a second if nothing slows them down.
   */
  readonly badTokenPause: number;
  /** Milliseconds that `close()` waits for integrations and for peers that say goodbye. */
  readonly shutdown: number;
};

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: ServerLimits = Object.freeze({
  httpBody: 64 * 1024,
  functionCall: MIB,
  functionResult: 16 * MIB,
  functionTime: 45_000,
  functionsRunning: 1_000,
  waitingPasswordChecks: 200,
  loginFailuresPerAddress: 50,
  loginFailuresPerAccount: 10,
  loginPause: 1_000,
  longestLoginPause: 15 * 60_000,
  loginFailuresKept: 50_000,
  connections: 10_000,
  sessionsPerConnection: 1_000,
  message: 64 * MIB,
  decompressedBody: 128 * MIB,
  uploadBacklog: 32 * MIB,
  serverBacklog: 256 * MIB,
  integratedTogether: MIB,
  sendBuffer: 2 * MIB,
  download: MIB,
  idle: 30 * 60_000,
  badTokenPause: 1_000,
  shutdown: 8_000,
});
