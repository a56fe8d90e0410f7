/** Sends a bootstrap to one client, in DOWNLOADs of which the last one completes it (spec/wire-protocol.md §6.5). */
import type { Body } from '../../protocol/messages.ts';
import type { SharedContent } from '../../protocol/spliced-body.ts';
import type { DownloadEntry } from '../../store/server/contract.ts';
import type { Transfer } from './bootstraps.ts';
import { bootstrapBody, entriesBody, entryRuns } from './flexible-messages.ts';
import type { FlexibleTeller } from './flexible-teller.ts';

const NOTHING: SharedContent = { bytes: new Uint8Array(), size: 0 };
/** The progress of a message that is not the last. */
const ALMOST_ALL = 0.999;

export type SendTransferOptions = {
  readonly teller: FlexibleTeller;
  readonly transfer: Transfer;
  /** What comes before and after what the transfer brings to everybody. */
  readonly lead: readonly DownloadEntry[];
  readonly tail: readonly DownloadEntry[];
  readonly queryVersion: number;
  /** Bytes of a message of lead or tail, about. */
  readonly messageSize: number;
  /** Resolves when the last message may go. */
  readonly remembered: Promise<void>;
  readonly isStopped: () => boolean;
};

/** The body of a message, which waits until it is known whether it is the last. */
type Held = { readonly body: Body | Promise<Body>; readonly progress: number };

/** Sends all but the last message, and returns how to send that; undefined when there is nobody any more. */
export async function sendTransfer(options: SendTransferOptions): Promise<(() => void) | undefined> {
  const { teller, transfer, lead, tail, queryVersion, messageSize, remembered, isStopped } = options;
  const { spool, version } = transfer;
  const send = async ({ body, progress }: Held): Promise<boolean> => {
    await teller.roomForMore();
    if (isStopped()) return false;
    teller.tellPortion({ body, state: 0, progress: Math.min(progress, ALMOST_ALL) }, queryVersion, version);
    return true;
  };
  for (const run of entryRuns(lead, messageSize)) {
    if (!(await send({ body: entriesBody(run), progress: 0 }))) return undefined;
  }
  let held: Held | undefined;
  for (let i = 0; ; i += 1) {
    const portion = await spool.portion(i);
    const isFollowed = portion !== undefined || tail.length > 0;
    if (held !== undefined && isFollowed && !(await send(held))) return undefined;
    if (portion === undefined) break;
    held = { body: bootstrapBody(teller.reached, portion.content), progress: portion.progress };
  }
  await remembered;
  await teller.roomForMore();
  if (isStopped()) return undefined;
  // An entry there must be, even if it says nothing.
  const last = tail.length > 0 ? entriesBody(tail) : (held?.body ?? bootstrapBody(teller.reached, NOTHING));
  return () => teller.tellPortion({ body: last, state: 1, progress: 1 }, queryVersion, version);
}
