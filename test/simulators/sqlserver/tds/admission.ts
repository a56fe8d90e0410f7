/** Lets a client in, or tells it why not. */
import { type SqlEngine, SqlFailure, type SqlSession } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type LoginRequest, readLogin, TDS_VERSION } from './login.ts';
import { INITIAL_PACKET_SIZE, MAXIMUM_PACKET_SIZE, MINIMUM_PACKET_SIZE } from './packets.ts';
import {
  DoneStatus,
  DoneToken,
  type Server,
  writeCollation,
  writeDone,
  writeLanguage,
  writeLoginAcknowledgement,
  writeMessage,
  writePacketSize,
} from './tokens.ts';
import type { ToldState } from './told.ts';

const LANGUAGE_CHANGED = 5703;
const LANGUAGE = 'us_english';

export type Admission = { readonly session: SqlSession; readonly packetSize: number };

/** Writes the whole answer to a login; `undefined` when the client was turned away. */
export function admit(
  body: Buffer,
  engine: SqlEngine,
  server: Server,
  told: ToldState,
  out: ByteWriter,
): Admission | undefined {
  const request = readLogin(body);
  try {
    checkRequest(request);
    const session = engine.login(request);
    const packetSize = agreedPacketSize(request.packetSize);
    welcome(session, packetSize, server, told, out);
    return { session, packetSize };
  } catch (error) {
    if (!(error instanceof SqlFailure)) throw error;
    const { number, severity, state, message, line } = error;
    writeMessage(out, server, { number, severity, state, message, line });
    writeDone(out, DoneToken.batch, DoneStatus.error);
    return undefined;
  }
}

function checkRequest({ tdsVersion, integratedSecurity }: LoginRequest): void {
  if (tdsVersion < TDS_VERSION) {
    throw new SqlFailure(50_000, 'The simulator speaks TDS 7.4 only.', { severity: 20 });
  }
  if (integratedSecurity) {
    throw new SqlFailure(
      18452,
      'Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.',
      { severity: 14 },
    );
  }
}

function agreedPacketSize(wanted: number): number {
  if (wanted === 0) return INITIAL_PACKET_SIZE;
  return Math.min(Math.max(wanted, MINIMUM_PACKET_SIZE), MAXIMUM_PACKET_SIZE);
}

function welcome(
  session: SqlSession,
  packetSize: number,
  server: Server,
  told: ToldState,
  out: ByteWriter,
): void {
  told.database(out, session.database);
  writeCollation(out);
  writeLanguage(out, LANGUAGE);
  writeMessage(out, server, {
    number: LANGUAGE_CHANGED,
    severity: 10,
    state: 1,
    message: `Changed language setting to ${LANGUAGE}.`,
    line: 1,
  });
  writeLoginAcknowledgement(out, server);
  writePacketSize(out, packetSize, INITIAL_PACKET_SIZE);
  writeDone(out, DoneToken.batch, 0);
}
