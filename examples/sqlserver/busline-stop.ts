/** One to many in order: a line's stops are a list, whose order both sides may change. */
import { randomUUID } from 'node:crypto';
import { type Example, type Found, one } from './example.ts';

const Stop = {
  name: 'Stop',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'StopId',
  properties: {
    RealmId: 'string',
    BusLineId: { type: 'linkingObjects', objectType: 'BusLine', property: 'Stops' },
    StopId: { type: 'int', optional: true },
    Name: 'string',
  },
};

const BusLine = {
  name: 'BusLine',
  primaryKey: 'RealmId',
  sqlserverPrimaryKey: 'BusLineId',
  properties: {
    RealmId: 'string',
    BusLineId: { type: 'int', optional: true },
    Name: 'string',
    Stops: { type: 'list', objectType: 'Stop', watch_table: true },
  },
};

type List = {
  splice(start: number, deleteCount?: number, ...values: unknown[]): unknown[];
} & Iterable<Found>;

function stopsOf(line: Found): List {
  return line.Stops as List;
}

export const buslineStop: Example = {
  name: 'busline-stop',
  script: 'busline-stop.sql',
  tables: ['BusLine', 'Stop'],
  options: { schema: [Stop, BusLine] },
  query: `SELECT l.Name AS BusLine, o.idx, s.Name AS Stop, s.BusLineId
FROM dbo.__BusLine__Stops o JOIN dbo.BusLine l ON l.BusLineId = o.oid JOIN dbo.Stop s ON s.StopId = o.target
ORDER BY o.oid, o.idx`,
  shown: (realm) =>
    [...realm.objects<Found>('BusLine')]
      .sort((a, b) => Number(a.BusLineId) - Number(b.BusLineId))
      .map((line) => `${line.Name}: ${[...stopsOf(line)].map((stop) => stop.Name).join(', ')}`),
  steps: [
    {
      title: 'A device puts a new stop between the first and the second of Marina',
      onDevice: (realm) => {
        const stop = realm.create('Stop', { RealmId: randomUUID(), Name: 'Chestnut' });
        stopsOf(one(realm, 'BusLine', 'Name', 'Marina')).splice(1, 0, stop);
      },
    },
    {
      title: 'An application adds a stop to SOMA, by its foreign key alone',
      inSql: "INSERT INTO dbo.Stop (Name, BusLineId) VALUES ('Caltrain', 2)",
    },
    {
      title: 'An application turns the order of Mission round',
      inSql: `UPDATE o SET target = CASE o.idx WHEN 0 THEN 6 ELSE 5 END FROM dbo.__BusLine__Stops AS o WHERE o.oid = 3`,
    },
    {
      title: 'A device moves a stop from Marina to the beginning of SOMA',
      onDevice: (realm) => {
        const [stop] = stopsOf(one(realm, 'BusLine', 'Name', 'Marina')).splice(0, 1);
        stopsOf(one(realm, 'BusLine', 'Name', 'SOMA')).splice(0, 0, stop);
      },
    },
  ],
};
