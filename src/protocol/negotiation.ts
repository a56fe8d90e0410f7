/** Which protocol a connection speaks: the subprotocol header of the WebSocket handshake (wire-protocol.md §1.2). */

/** `pbs`: a realm per partition; `flx`: one realm seen through subscriptions. */
export type SyncMode = 'pbs' | 'flx';

export const OLDEST_VERSION = 2;
export const NEWEST_VERSION = 14;

const PREFIXES: Readonly<Record<SyncMode, string>> = {
  pbs: 'com.mongodb.realm-sync',
  flx: 'com.mongodb.realm-query-sync',
};

export type Negotiated = {
  readonly mode: SyncMode;
  readonly version: number;
  /** The value to answer with in Sec-WebSocket-Protocol. */
  readonly protocol: string;
};

/** What a client offers: every version, the newest first. */
export function offeredProtocols(mode: SyncMode): string[] {
  const count = NEWEST_VERSION - OLDEST_VERSION + 1;
  return Array.from({ length: count }, (_, index) => `${PREFIXES[mode]}#${NEWEST_VERSION - index}`);
}

/** The newest common version of an offer; entries may be ranges (`…#2-14`). `undefined` without overlap. */
export function negotiate(header: string): Negotiated | undefined {
  let best: Negotiated | undefined;
  for (const entry of header.split(',')) {
    const offer = parseOffer(entry.trim());
    if (offer === undefined) continue;
    const version = Math.min(offer.to, NEWEST_VERSION);
    if (version < offer.from || version < OLDEST_VERSION) continue;
    if (best !== undefined && best.version >= version) continue;
    best = { mode: offer.mode, version, protocol: `${PREFIXES[offer.mode]}${offer.separator}${version}` };
  }
  return best;
}

/** Reads a server's answer, as a client must: one value, a version that is in range. */
export function parseAnswer(protocol: string, mode: SyncMode): number | undefined {
  const offer = parseOffer(protocol);
  if (offer === undefined || offer.mode !== mode || offer.from !== offer.to) return undefined;
  return offer.from >= OLDEST_VERSION && offer.from <= NEWEST_VERSION ? offer.from : undefined;
}

function parseOffer(
  entry: string,
): { mode: SyncMode; separator: string; from: number; to: number } | undefined {
  const match = /^(com\.mongodb\.realm-(?:query-)?sync)([#/])(\d{1,4})(?:-(\d{1,4}))?$/.exec(entry);
  if (match === null) return undefined;
  const [, prefix, separator = '#', from = '', to = from] = match;
  return { mode: prefix === PREFIXES.flx ? 'flx' : 'pbs', separator, from: Number(from), to: Number(to) };
}
