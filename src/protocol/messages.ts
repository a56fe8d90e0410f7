/** Every message of the sync protocol (wire-protocol.md §3, §4). Bodies stay encoded until somebody needs them. */
import type { SyncMode } from './negotiation.ts';

/** A body as it travels: deflated when `compressed`. `size` is that of the uncompressed body. */
export type Body = { readonly bytes: Uint8Array; readonly compressed: boolean; readonly size: number };

export type Ident = {
  readonly type: 'ident';
  readonly session: number;
  readonly fileIdent: number;
  readonly fileIdentSalt: bigint;
  readonly downloadServerVersion: number;
  readonly downloadClientVersion: number;
  readonly latestServerVersion: number;
  readonly latestServerVersionSalt: bigint;
  /** Flexible sync only. */
  readonly query?: { readonly version: number; readonly text: string };
};

export type ClientMessage =
  | {
      readonly type: 'bind';
      readonly session: number;
      /** The partition value (partition sync), or the JSON of flexible sync; possibly empty. */
      readonly path: string;
      readonly token: string;
      readonly needFileIdent: boolean;
      readonly isSubserver: boolean;
    }
  | Ident
  | { readonly type: 'query'; readonly session: number; readonly version: number; readonly text: string }
  | {
      readonly type: 'upload';
      readonly session: number;
      readonly body: Body;
      readonly progressClientVersion: number;
      readonly progressServerVersion: number;
      readonly lockedServerVersion: number;
    }
  | { readonly type: 'mark'; readonly session: number; readonly request: number }
  | { readonly type: 'unbind'; readonly session: number }
  | {
      readonly type: 'json_error';
      readonly session: number;
      readonly errorCode: number;
      readonly json: string;
    }
  | {
      readonly type: 'test_command';
      readonly session: number;
      readonly request: number;
      readonly json: string;
    }
  | { readonly type: 'ping'; readonly timestamp: number; readonly roundTrip: number };

export type Download = {
  readonly type: 'download';
  readonly session: number;
  readonly downloadServerVersion: number;
  readonly downloadClientVersion: number;
  readonly latestServerVersion: number;
  readonly latestServerVersionSalt: bigint;
  readonly uploadClientVersion: number;
  readonly uploadServerVersion: number;
  /** Partition sync; 0 in flexible sync. */
  readonly downloadableBytes: number;
  /** Flexible sync only. */
  readonly batch?: { readonly queryVersion: number; readonly state: 0 | 1 | 2; readonly progress: number };
  readonly body: Body;
};

export type ServerMessage =
  | {
      readonly type: 'ident';
      readonly session: number;
      readonly fileIdent: number;
      readonly fileIdentSalt: bigint;
    }
  | Download
  | { readonly type: 'mark'; readonly session: number; readonly request: number }
  | { readonly type: 'unbound'; readonly session: number }
  | {
      readonly type: 'error';
      readonly session: number;
      readonly errorCode: number;
      readonly tryAgain: boolean;
      readonly message: string;
    }
  | {
      readonly type: 'json_error';
      readonly session: number;
      readonly errorCode: number;
      readonly json: string;
    }
  | {
      readonly type: 'query_error';
      readonly session: number;
      readonly errorCode: number;
      readonly queryVersion: number;
      readonly message: string;
    }
  | { readonly type: 'log_message'; readonly session: number; readonly json: string }
  | {
      readonly type: 'test_command';
      readonly session: number;
      readonly request: number;
      readonly text: string;
    }
  | { readonly type: 'pong'; readonly timestamp: number };

export type { SyncMode };
