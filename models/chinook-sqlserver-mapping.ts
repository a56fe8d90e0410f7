/**
 * Names on their way between the Chinook tables of SQL Server and the classes. Tables are named as the classes, columns
 * are `PascalCase`, properties `camelCase`; links drop the `Id` of their column. The functions of each pair are inverse
 * to one another, as the connector needs them to be.
 */

/** Link properties and their columns, by class. */
const LINK_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Album: { artist: 'ArtistId' },
  Track: { album: 'AlbumId', mediaType: 'MediaTypeId', genre: 'GenreId' },
  PlaylistTrack: { playlist: 'PlaylistId', track: 'TrackId' },
  Customer: { supportRep: 'SupportRepId' },
  Invoice: { customer: 'CustomerId' },
  InvoiceLine: { invoice: 'InvoiceId', track: 'TrackId' },
};

/** `Track`, `MediaTypeId` → `mediaType`; `MediaType`, `MediaTypeId` → `mediaTypeId` */
export function mapSQLServerColumnName(tableName: string, columnName: string): string {
  const links = LINK_COLUMNS[tableName] ?? {};
  const link = Object.entries(links).find(([, column]) => column === columnName);
  return link?.[0] ?? columnName.charAt(0).toLowerCase() + columnName.slice(1);
}

/** `Track`, `mediaType` → `MediaTypeId`; `MediaType`, `mediaTypeId` → `MediaTypeId` */
export function mapRealmPropertyName(className: string, propertyName: string): string {
  const link = LINK_COLUMNS[className]?.[propertyName];
  return link ?? propertyName.charAt(0).toUpperCase() + propertyName.slice(1);
}

/** The parts of keys that span several columns. */
export const compoundPrimaryKeys = {
  PlaylistTrack: [
    { property: 'playlist', dbColumn: 'PlaylistId', type: 'int' as const },
    { property: 'track', dbColumn: 'TrackId', type: 'int' as const },
  ],
};
