/** INFORMATION_SCHEMA. */
import { tablesOf } from './object-views.ts';
import { precisionOf, scaleOf, systemTypeName } from './type-facts.ts';
import { catalogView } from './view-definition.ts';

export const informationViews = {
  tables: catalogView(
    'TABLE_CATALOG name, TABLE_SCHEMA name, TABLE_NAME name, TABLE_TYPE words',
    (session, database) => [
      ...tablesOf(session, database).map((table) => ({
        TABLE_CATALOG: database.name,
        TABLE_SCHEMA: table.schema,
        TABLE_NAME: table.name,
        TABLE_TYPE: 'BASE TABLE',
      })),
      ...[...database.views.values()].map((view) => ({
        TABLE_CATALOG: database.name,
        TABLE_SCHEMA: view.schema,
        TABLE_NAME: view.name,
        TABLE_TYPE: 'VIEW',
      })),
    ],
  ),
  columns: catalogView(
    'TABLE_CATALOG name, TABLE_SCHEMA name, TABLE_NAME name, COLUMN_NAME name, ORDINAL_POSITION int, COLUMN_DEFAULT text, IS_NULLABLE words, DATA_TYPE name, CHARACTER_MAXIMUM_LENGTH int, NUMERIC_PRECISION tinyint, NUMERIC_SCALE int, DATETIME_PRECISION smallint, COLLATION_NAME name',
    (session, database) =>
      tablesOf(session, database).flatMap((table) =>
        table.columns.map((column, at) => {
          const { type } = column;
          const numeric = /int$|decimal|money|real|float/.test(type.kind);
          const temporal = /date|time/.test(type.kind);
          return {
            TABLE_CATALOG: database.name,
            TABLE_SCHEMA: table.schema,
            TABLE_NAME: table.name,
            COLUMN_NAME: column.name,
            ORDINAL_POSITION: at + 1,
            COLUMN_DEFAULT: column.default?.text,
            IS_NULLABLE: column.nullable ? 'YES' : 'NO',
            DATA_TYPE: systemTypeName(type),
            CHARACTER_MAXIMUM_LENGTH:
              'length' in type ? (type.length === 'max' ? -1 : type.length) : undefined,
            NUMERIC_PRECISION: numeric ? precisionOf(type) : undefined,
            NUMERIC_SCALE: numeric ? scaleOf(type) : undefined,
            DATETIME_PRECISION: temporal ? scaleOf(type) : undefined,
            COLLATION_NAME: column.collation,
          };
        }),
      ),
  ),
};
