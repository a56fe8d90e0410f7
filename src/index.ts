/**
 * The library: what applications import from `isthmus`. Everything that is exported here is public and keeps its name
 * and its meaning.
 */
export { PostgresAdapter } from '../connectors/postgres/adapter.ts';
export { PostgresRealmLoader } from '../connectors/postgres/loader.ts';
export type { PostgresOptions } from '../connectors/postgres/options.ts';
export { SQLServerAdapter } from '../connectors/sqlserver/adapter.ts';
export { SQLServerRealmLoader } from '../connectors/sqlserver/loader.ts';
export type { SQLServerOptions } from '../connectors/sqlserver/options.ts';
export { Adapter, type AdapterOptions, type ChangeListener } from './adapter/adapter.ts';
export type { InstructionObject } from './adapter/instruction-objects.ts';
export type { RealmFilter } from './adapter/realm-filter.ts';
export { CompensatingWriteError } from './client/flexible/compensating-write.ts';
export type { Credentials } from './client/http/app-client.ts';
export type { ObjectRealm } from './client/realm/object-realm.ts';
export { type OpenedRealm, type OpenRealmOptions, openRealm } from './client/realm/open-realm.ts';
export { type LogInOptions, logIn, type User } from './client/user.ts';
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export type { SyncedTransaction } from './connector/engine.ts';
export type { LoadProgress, LoadReport } from './connector/load/run-load.ts';
export { IsthmusError } from './errors.ts';
export type { Logger } from './log.ts';
export { createFileLogger, createLogger, type LogLevel, LogLevels } from './logging/logger.ts';
export type {
  AppFunction,
  AppFunctionsOptions,
  FunctionContext,
  FunctionOptions,
} from './server/functions/app-function.ts';
export type { PushService, PushServices } from './server/functions/push-service.ts';
export type { Permissions, RealmAccess } from './server/permissions.ts';
export type {
  ClassRule,
  FieldRule,
  PathLevel,
  PathRule,
  Role,
  RulesOptions,
} from './server/rules/options.ts';
export type { RunningServer, ServerOptions } from './server/server-options.ts';
export { startServer } from './server/start-server.ts';
