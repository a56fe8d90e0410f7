export {
  createSqlServerDialect,
  SqlServerDialect,
  type SqlServerDialectOptions,
} from './sqlserver-dialect.ts';
