/** What a scripted server says in flexible sync, after the exchange recorded in spec/wire-protocol.md §11. */
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { decompressBody } from '../../../src/protocol/compression.ts';
import { parseUploadBody } from '../../../src/protocol/entry-bodies.ts';
import type { ClientMessage, Download } from '../../../src/protocol/messages.ts';
import type { DownloadEntry } from '../../../src/store/server/contract.ts';
import { received } from '../../store/replica/items.ts';
import type { ScriptedConnection } from './scripted-server.ts';

type Rest = Partial<Omit<Download, 'batch'>> & {
  readonly entries?: readonly DownloadEntry[];
  readonly progress?: number;
};

export const NOTHING = (serverVersion: number, clientVersion = 0): DownloadEntry =>
  received(serverVersion, [], { clientVersion });

export function sendBatch(
  connection: ScriptedConnection,
  session: number,
  batch: { readonly queryVersion: number; readonly state: 0 | 1 | 2 },
  { progress = 1, ...rest }: Rest,
): void {
  connection.download(session, {
    latestServerVersionSalt: 55n,
    ...rest,
    batch: { ...batch, progress },
  });
}

/** BIND, IDENT and the bootstrap of version 0, with the MARKs before and after it. Ends at server version 1. */
export async function bindNewFlexible(connection: ScriptedConnection, fileIdent = 7): Promise<number> {
  const { session } = await connection.next('bind');
  connection.send({ type: 'ident', session, fileIdent, fileIdentSalt: 1234n });
  await connection.next('ident');
  await connection.next('mark');
  sendBatch(
    connection,
    session,
    { queryVersion: 0, state: 1 },
    { downloadServerVersion: 1, entries: [NOTHING(1)] },
  );
  await answerMark(connection);
  return session;
}

export async function answerMark(connection: ScriptedConnection): Promise<number> {
  const { session, request } = await connection.next('mark');
  connection.send({ type: 'mark', session, request });
  return request;
}

export async function instructionsOf(
  upload: Extract<ClientMessage, { type: 'upload' }>,
): Promise<readonly Instruction[]> {
  const entries = parseUploadBody(await decompressBody(upload.body));
  return entries.flatMap(({ changeset }) => decodeChangeset(changeset).instructions);
}
