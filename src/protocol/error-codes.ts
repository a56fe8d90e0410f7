/** The errors of the protocol (wire-protocol.md §7.1). */

export type ErrorLevel = 'connection' | 'session';

type ErrorInfo = { readonly name: string; readonly sendable: boolean };

const known = (name: string): ErrorInfo => ({ name, sendable: true });
/** Clients abort the process on these. */
const forbidden = (name: string): ErrorInfo => ({ name, sendable: false });

export const ERROR_CODES: ReadonlyMap<number, ErrorInfo> = new Map([
  [100, known('connection_closed')],
  [101, known('other_error')],
  [102, known('unknown_message')],
  [103, known('bad_syntax')],
  [104, forbidden('limits_exceeded')],
  [105, known('wrong_protocol_version')],
  [106, known('bad_session_ident')],
  [107, known('reuse_of_session_ident')],
  [108, known('bound_in_other_session')],
  [109, known('bad_message_order')],
  [110, known('bad_decompression')],
  [111, known('bad_changeset_header_syntax')],
  [112, known('bad_changeset_size')],
  [113, known('switch_to_flx_sync')],
  [114, known('switch_to_pbs')],
  [200, known('session_closed')],
  [201, known('other_session_error')],
  [202, forbidden('token_expired')],
  [203, forbidden('bad_authentication')],
  [204, known('illegal_realm_path')],
  [205, forbidden('no_such_realm')],
  [206, known('permission_denied')],
  [207, forbidden('bad_server_file_ident')],
  [208, known('bad_client_file_ident')],
  [209, known('bad_server_version')],
  [210, known('bad_client_version')],
  [211, known('diverging_histories')],
  [212, known('bad_changeset')],
  [214, forbidden('partial_sync_disabled')],
  [215, forbidden('unsupported_session_feature')],
  [216, known('bad_origin_file_ident')],
  [217, known('bad_client_file')],
  [218, forbidden('server_file_deleted')],
  [219, forbidden('client_file_blacklisted')],
  [220, forbidden('user_blacklisted')],
  [221, forbidden('transact_before_upload')],
  [222, known('client_file_expired')],
  [223, known('user_mismatch')],
  [224, forbidden('too_many_sessions')],
  [225, known('invalid_schema_change')],
  [226, known('bad_query')],
  [227, known('object_already_exists')],
  [228, known('server_permissions_changed')],
  [229, known('initial_sync_not_completed')],
  [230, known('write_not_allowed')],
  [231, known('compensating_write')],
  [232, known('migrate_to_flx')],
  [233, known('bad_progress')],
  [234, known('revert_to_pbs')],
  [235, known('bad_schema_version')],
  [236, known('schema_version_changed')],
]);

export function errorLevel(code: number): ErrorLevel {
  return code < 200 ? 'connection' : 'session';
}

/** False for codes that make clients abort, and for codes that do not exist. */
export function isSendable(code: number): boolean {
  return ERROR_CODES.get(code)?.sendable ?? false;
}

export type ErrorAction =
  | 'ProtocolViolation'
  | 'ApplicationBug'
  | 'Warning'
  | 'Transient'
  | 'DeleteRealm'
  | 'ClientReset'
  | 'ClientResetNoRecovery'
  | 'MigrateToFLX'
  | 'RevertToPBS'
  | 'RefreshUser'
  | 'RefreshLocation'
  | 'LogOutUser'
  | 'MigrateSchema';

export type ErrorBody = {
  readonly message: string;
  readonly tryAgain: boolean;
  readonly action: ErrorAction;
  /** Seconds; with it the client's own back-off is replaced. */
  readonly backoff?: { readonly initial: number; readonly max: number; readonly multiplier: number };
  /** With 232: the query to subscribe each class with. */
  readonly partitionQuery?: string;
  /** With 236. */
  readonly previousSchemaVersion?: number;
  /** With 231 and 230: what was not taken. */
  readonly rejected?: RejectedWrites;
};

export type RejectedWrites = {
  /** `pk` is the base64 text of a stand-alone key (spec/changeset-format.md §3). */
  readonly updates: readonly { readonly reason: string; readonly table: string; readonly pk: string }[];
  /** Client version of the changeset. */
  readonly clientVersion: number;
  /** With 231: the server version whose changesets undo the write. */
  readonly serverVersion?: number;
};

/** The JSON of a JSON_ERROR with every key that clients require (wire-protocol.md §4.2). */
export function formatErrorBody(body: ErrorBody): string {
  const { message, tryAgain, action } = body;
  // Keys that are undefined are left out.
  return JSON.stringify({
    message,
    tryAgain,
    isRecoveryModeDisabled: action === 'ClientResetNoRecovery',
    shouldClientReset: action === 'ClientReset' || action === 'ClientResetNoRecovery',
    logURL: '',
    action,
    backoffIntervalSec: body.backoff?.initial,
    backoffMaxDelaySec: body.backoff?.max,
    backoffMultiplier: body.backoff?.multiplier,
    partitionQuery: body.partitionQuery,
    previousSchemaVersion: body.previousSchemaVersion,
    rejectedUpdates: body.rejected?.updates,
    rejectedClientVersion: body.rejected?.clientVersion,
    compensatingWriteServerVersion: body.rejected?.serverVersion,
  });
}
