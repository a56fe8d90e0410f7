import { IsthmusError } from '../../errors.ts';

/** Codes that a client reports to the server when it cannot integrate a DOWNLOAD (spec/wire-protocol.md §7.5). */
export type IntegrationErrorCode = 112 | 201 | 212 | 233;

/** What the server sent cannot be integrated; nothing of it was. The server is told `protocolCode`. */
export class IntegrationError extends IsthmusError {
  readonly code = 'replica/integration';
  readonly protocolCode: IntegrationErrorCode;

  constructor(protocolCode: IntegrationErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.protocolCode = protocolCode;
  }
}

/** Another process (or another store of this one) has the directory open. */
export class ReplicaLockedError extends IsthmusError {
  readonly code = 'replica/locked';
  readonly pid: number | undefined;
  readonly file: string;

  constructor(file: string, pid: number | undefined) {
    super(`the replicas are in use: ${file} is locked by process ${pid ?? 'unknown'}`, {
      remedy: 'stop that process, or give this one a directory of its own',
    });
    this.pid = pid;
    this.file = file;
  }
}

/** A call that the state of the replica does not admit. */
export class ReplicaStateError extends IsthmusError {
  readonly code = 'replica/state';
}
