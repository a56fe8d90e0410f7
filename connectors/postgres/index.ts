export { createPostgresDialect, PostgresDialect, type PostgresDialectOptions } from './postgres-dialect.ts';
