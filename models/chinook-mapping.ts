/**
 * Names on their way between the Chinook tables and classes. Tables and columns are `lower_case_with_underscores`,
 * classes `PascalCase`, properties `camelCase`; links drop the `_id` of their column. The functions of each pair are
 * inverse to one another, as the connector needs them to be.
 */

/** Link properties and their columns, by class. */
const LINK_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Album: { artist: 'artist_id' },
  Track: { album: 'album_id', mediaType: 'media_type_id', genre: 'genre_id' },
  PlaylistTrack: { playlist: 'playlist_id', track: 'track_id' },
  Customer: { supportRep: 'support_rep_id' },
  Invoice: { customer: 'customer_id' },
  InvoiceLine: { invoice: 'invoice_id', track: 'track_id' },
};

/** `media_type` → `MediaType` */
export function mapPostgresTableName(tableName: string): string {
  const camel = camelCase(tableName);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}

/** `MediaType` → `media_type` */
export function mapRealmClassName(className: string): string {
  return snakeCase(className.charAt(0).toLowerCase() + className.slice(1));
}

/** `track`, `media_type_id` → `mediaType`; `media_type`, `media_type_id` → `mediaTypeId` */
export function mapPostgresColumnName(tableName: string, columnName: string): string {
  const links = LINK_COLUMNS[mapPostgresTableName(tableName)] ?? {};
  const link = Object.entries(links).find(([, column]) => column === columnName);
  return link?.[0] ?? camelCase(columnName);
}

/** `Track`, `mediaType` → `media_type_id`; `MediaType`, `mediaTypeId` → `media_type_id` */
export function mapRealmPropertyName(className: string, propertyName: string): string {
  return LINK_COLUMNS[className]?.[propertyName] ?? snakeCase(propertyName);
}

/** The parts of keys that span several columns. */
export const compoundPrimaryKeys = {
  PlaylistTrack: [
    { property: 'playlist', dbColumn: 'playlist_id', type: 'int' as const },
    { property: 'track', dbColumn: 'track_id', type: 'int' as const },
  ],
};

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
