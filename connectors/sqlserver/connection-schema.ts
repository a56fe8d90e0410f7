/**
 * `sqlserverConfig` as written: in the form of the reference, `{ user, password, server, port, connectionTimeout,
 * requestTimeout, pool, options }`, in that of the driver, `{ server, authentication, options }`, or as a URL.
 */
import { z } from 'zod';
import { accepted, flag, text, wholeNumber } from '../../src/config/validation.ts';
import { isObject, LARGEST_PORT, milliseconds } from '../../src/connector/configuration/option-parts.ts';

const MOST_RETRIES = 1_000;
/** What the protocol takes. */
const SMALLEST_PACKET = 512;
const LARGEST_PACKET = 32_767;

const textOrNone = (expectation: string): z.ZodOptional<z.ZodString> => text(expectation).optional();
const anything = (expectation: string): z.ZodType<Readonly<Record<string, unknown>>> =>
  accepted(expectation, (value): value is Readonly<Record<string, unknown>> => isObject(value));

const encrypt = accepted(
  "true, false or 'strict'",
  (value): value is boolean | 'strict' => typeof value === 'boolean' || value === 'strict',
);

const driverFunction = accepted(
  'a function',
  (value): value is (...parameters: never[]) => unknown => typeof value === 'function',
);

/** Those of the driver that values and statements depend on are taken, and set by the connector (driver-config.ts). */
const ignored = z.unknown().optional();

const driverOptions = z.strictObject(
  {
    encrypt: encrypt.optional(),
    trustServerCertificate: flag().optional(),
    serverName: textOrNone('the name in the certificate of the server'),
    cryptoCredentialsDetails: anything('options of tls.createSecureContext').optional(),
    connectTimeout: milliseconds(1).optional(),
    requestTimeout: milliseconds().optional(),
    cancelTimeout: milliseconds(1).optional(),
    connectionRetryInterval: milliseconds(1).default(500),
    maxRetriesOnTransientErrors: wholeNumber(0, MOST_RETRIES).default(3),
    port: wholeNumber(1, LARGEST_PORT).optional(),
    instanceName: textOrNone('the name of an instance'),
    database: textOrNone('a database name'),
    multiSubnetFailover: flag().optional(),
    packetSize: wholeNumber(SMALLEST_PACKET, LARGEST_PACKET, 'bytes').optional(),
    localAddress: textOrNone('an address of this machine'),
    workstationId: textOrNone('a name'),
    tdsVersion: z.enum(['7_3_A', '7_3_B', '7_4'], { error: "'7_3_A', '7_3_B' or '7_4'" }).optional(),
    columnEncryptionSetting: flag().optional(),
    columnEncryptionKeyCacheTTL: milliseconds().optional(),
    encryptionKeyStoreProviders: ignored,
    connector: driverFunction.optional(),
    debug: anything('{ packet, data, payload, token }').optional(),
    fallbackToDefaultDb: ignored,
    readOnlyIntent: ignored,
    appName: ignored,
    language: ignored,
    dateFormat: ignored,
    datefirst: ignored,
    textsize: ignored,
    useUTC: ignored,
    useColumnNames: ignored,
    camelCaseColumns: ignored,
    columnNameReplacer: ignored,
    lowerCaseGuids: ignored,
    rowCollectionOnDone: ignored,
    rowCollectionOnRequestCompletion: ignored,
    isolationLevel: ignored,
    connectionIsolationLevel: ignored,
    abortTransactionOnError: ignored,
    enableAnsiNull: ignored,
    enableAnsiNullDefault: ignored,
    enableAnsiPadding: ignored,
    enableAnsiWarnings: ignored,
    enableArithAbort: ignored,
    enableConcatNullYieldsNull: ignored,
    enableCursorCloseOnCommit: ignored,
    enableImplicitTransactions: ignored,
    enableNumericRoundabort: ignored,
    enableQuotedIdentifier: ignored,
  },
  { error: '{ encrypt, trustServerCertificate, … } as the driver tedious takes them' },
);

const authentication = z.strictObject(
  {
    type: z.enum(
      [
        'default',
        'ntlm',
        'token-credential',
        'azure-active-directory-password',
        'azure-active-directory-access-token',
        'azure-active-directory-msi-vm',
        'azure-active-directory-msi-app-service',
        'azure-active-directory-service-principal-secret',
        'azure-active-directory-default',
      ],
      { error: "'default', 'ntlm', 'token-credential' or one of 'azure-active-directory-…'" },
    ),
    options: anything("what the authentication needs, such as { userName, password } for 'default'").default(
      {},
    ),
  },
  { error: '{ type, options }' },
);

export const sqlserverConfig = z.strictObject(
  {
    connectionString: textOrNone('a URL, such as sqlserver://user:password@host:1433/database'),
    server: textOrNone('a host name, or host\\instance'),
    port: wholeNumber(1, LARGEST_PORT).optional(),
    user: textOrNone('a login'),
    password: z.string({ error: 'a password' }).optional(),
    domain: textOrNone('a Windows domain'),
    database: textOrNone('a database name'),
    authentication: authentication.optional(),
    connectionTimeout: milliseconds(1).optional(),
    requestTimeout: milliseconds().optional(),
    /** Of the reference: the connector keeps no pool but a few connections with tasks of their own. */
    pool: anything('{ max, min, idleTimeoutMillis }').optional(),
    parseJSON: ignored,
    stream: ignored,
    options: driverOptions.prefault({}),
  },
  { error: '{ server, port, user, password, options } or { connectionString }' },
);

export type SqlServerConfig = z.output<typeof sqlserverConfig>;
