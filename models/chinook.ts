/**
 * The Chinook music shop as realm classes, in the schema notation of the Realm SDKs: one class for each of the eleven
 * tables. Columns that refer to another table are links, named after what they lead to; `models/chinook-mapping.ts`
 * turns the names into those of the tables and back.
 */

export const Artist = {
  name: 'Artist',
  primaryKey: 'artistId',
  properties: {
    artistId: 'int',
    name: 'string?',
    albums: { type: 'linkingObjects', objectType: 'Album', property: 'artist' },
  },
};

export const Album = {
  name: 'Album',
  primaryKey: 'albumId',
  properties: {
    albumId: 'int',
    title: 'string',
    artist: 'Artist?',
    tracks: { type: 'linkingObjects', objectType: 'Track', property: 'album' },
  },
};

export const Genre = {
  name: 'Genre',
  primaryKey: 'genreId',
  properties: { genreId: 'int', name: 'string?' },
};

export const MediaType = {
  name: 'MediaType',
  primaryKey: 'mediaTypeId',
  properties: { mediaTypeId: 'int', name: 'string?' },
};

export const Track = {
  name: 'Track',
  primaryKey: 'trackId',
  properties: {
    trackId: 'int',
    name: 'string',
    album: 'Album?',
    mediaType: 'MediaType?',
    genre: 'Genre?',
    composer: 'string?',
    milliseconds: 'int',
    bytes: 'int?',
    unitPrice: 'decimal128',
  },
};

export const Playlist = {
  name: 'Playlist',
  primaryKey: 'playlistId',
  properties: {
    playlistId: 'int',
    name: 'string?',
    /** An ordered list. It has no column; the connector keeps it in the table `playlist_favourites`. */
    favourites: 'Track[]',
    entries: { type: 'linkingObjects', objectType: 'PlaylistTrack', property: 'playlist' },
  },
};

/** A join table: its key spans two columns, so the object's key is `'<playlist_id>-<track_id>'`. */
export const PlaylistTrack = {
  name: 'PlaylistTrack',
  primaryKey: 'key',
  properties: { key: 'string', playlist: 'Playlist?', track: 'Track?' },
};

export const Employee = {
  name: 'Employee',
  primaryKey: 'employeeId',
  properties: {
    employeeId: 'int',
    lastName: 'string',
    firstName: 'string',
    title: 'string?',
    reportsTo: 'Employee?',
    birthDate: 'date?',
    hireDate: 'date?',
    address: 'string?',
    city: 'string?',
    state: 'string?',
    country: 'string?',
    postalCode: 'string?',
    phone: 'string?',
    fax: 'string?',
    email: 'string?',
    reports: { type: 'linkingObjects', objectType: 'Employee', property: 'reportsTo' },
  },
};

export const Customer = {
  name: 'Customer',
  primaryKey: 'customerId',
  properties: {
    customerId: 'int',
    firstName: 'string',
    lastName: 'string',
    company: 'string?',
    address: 'string?',
    city: 'string?',
    state: 'string?',
    country: 'string?',
    postalCode: 'string?',
    phone: 'string?',
    fax: 'string?',
    email: 'string',
    supportRep: 'Employee?',
    invoices: { type: 'linkingObjects', objectType: 'Invoice', property: 'customer' },
  },
};

export const Invoice = {
  name: 'Invoice',
  primaryKey: 'invoiceId',
  properties: {
    invoiceId: 'int',
    customer: 'Customer?',
    invoiceDate: 'date',
    billingAddress: 'string?',
    billingCity: 'string?',
    billingState: 'string?',
    billingCountry: 'string?',
    billingPostalCode: 'string?',
    total: 'decimal128',
    lines: { type: 'linkingObjects', objectType: 'InvoiceLine', property: 'invoice' },
  },
};

export const InvoiceLine = {
  name: 'InvoiceLine',
  primaryKey: 'invoiceLineId',
  properties: {
    invoiceLineId: 'int',
    invoice: 'Invoice?',
    track: 'Track?',
    unitPrice: 'decimal128',
    quantity: 'int',
  },
};

export const chinookModels = [
  Artist,
  Album,
  Genre,
  MediaType,
  Track,
  Playlist,
  PlaylistTrack,
  Employee,
  Customer,
  Invoice,
  InvoiceLine,
];
