/** JSON of the SQL half, for OPENJSON. */
export * from '../../sql/json-text.ts';
