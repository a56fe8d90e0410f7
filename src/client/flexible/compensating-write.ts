/** Writes that the server has taken back (wire-protocol.md §7.2, code 231). */
import { z } from 'zod';
import { decodeStandAloneKey } from '../../changeset/stand-alone-key.ts';
import { IsthmusError } from '../../errors.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { PrimaryKey } from '../../schema/value.ts';

export type RejectedUpdate = { readonly reason: string; readonly table: string; readonly key: PrimaryKey };

/** The server did not take a part of what was written; the replica holds again what the server does. */
export class CompensatingWriteError extends IsthmusError {
  readonly code = 'compensating-write';
  readonly rejected: readonly RejectedUpdate[];
  /** Local version of the refused changes. */
  readonly clientVersion: number;
  /** Server version that took them back. */
  readonly serverVersion: number;

  constructor(
    message: string,
    options: { rejected: readonly RejectedUpdate[]; clientVersion: number; serverVersion: number },
  ) {
    super(`the server took back a write: ${message}`, {
      remedy: 'write only what the subscriptions show and the rules of the server allow',
    });
    this.rejected = options.rejected;
    this.clientVersion = options.clientVersion;
    this.serverVersion = options.serverVersion;
  }
}

const bodySchema = z.object({
  message: z.string(),
  rejectedClientVersion: z.int().nonnegative(),
  compensatingWriteServerVersion: z.int().positive(),
  rejectedUpdates: z.array(z.object({ reason: z.string(), table: z.string(), pk: z.string() })),
});

/** Reads the JSON of an error 231. Throws `ProtocolError` when it lacks what it must have. */
export function readCompensatingWrite(json: string): CompensatingWriteError {
  try {
    const body = bodySchema.parse(JSON.parse(json));
    return new CompensatingWriteError(body.message, {
      rejected: body.rejectedUpdates.map(({ reason, table, pk }) => ({
        reason,
        table,
        key: decodeStandAloneKey(Buffer.from(pk, 'base64')),
      })),
      clientVersion: body.rejectedClientVersion,
      serverVersion: body.compensatingWriteServerVersion,
    });
  } catch (cause) {
    throw new ProtocolError(103, 'json_error 231: the body does not say what was rejected', cause);
  }
}

/** Holds what was announced until the DOWNLOAD that undoes it is integrated. */
export class AnnouncedRejections {
  #waiting: CompensatingWriteError[] = [];

  /** Throws `ProtocolError` when its DOWNLOAD was integrated already, or it comes out of order. */
  announce(error: CompensatingWriteError, integrated: number): void {
    const last = this.#waiting.at(-1)?.serverVersion ?? 0;
    if (error.serverVersion <= integrated)
      throw new ProtocolError(103, 'json_error 231: the version that undoes the write was sent before');
    if (error.serverVersion < last) throw new ProtocolError(103, 'json_error 231: the versions decrease');
    this.#waiting.push(error);
  }

  /** What server versions up to this one have undone. */
  take(integrated: number): readonly CompensatingWriteError[] {
    const taken = this.#waiting.filter(({ serverVersion }) => serverVersion <= integrated);
    if (taken.length > 0) this.#waiting = this.#waiting.slice(taken.length);
    return taken;
  }

  /** The server says again what it has not undone. */
  forget(): void {
    this.#waiting = [];
  }
}
