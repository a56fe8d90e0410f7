/** Many to many: objects of the join table, whose keys are the numbers of what they join. */
import { randomUUID } from 'node:crypto';
import { type Example, type Found, one, through } from './example.ts';

const Route = {
  name: 'Route',
  primaryKey: 'RealmID',
  sqlserverPrimaryKey: 'RouteKey',
  properties: {
    RealmID: 'string',
    RouteKey: { type: 'int', optional: true },
    RouteName: 'string',
    Employees: { type: 'linkingObjects', objectType: 'EmployeeRoute', property: 'RouteKey' },
  },
};

const EmployeeRoute = {
  name: 'EmployeeRoute',
  primaryKey: 'PK',
  properties: { PK: 'string', EmployeeKey: 'Employee', RouteKey: 'Route' },
};

const Employee = {
  name: 'Employee',
  primaryKey: 'RealmID',
  sqlserverPrimaryKey: 'EmployeeKey',
  properties: {
    RealmID: 'string',
    EmployeeKey: { type: 'int', optional: true },
    EmployeeName: { type: 'string', optional: true },
    Routes: { type: 'linkingObjects', objectType: 'EmployeeRoute', property: 'EmployeeKey' },
  },
};

export const routeEmployee: Example = {
  name: 'route-employee',
  script: 'route-employee.sql',
  tables: ['Route', 'Employee', 'EmployeeRoute'],
  options: {
    schema: [Route, EmployeeRoute, Employee],
    compoundPrimaryKeys: {
      EmployeeRoute: [
        { property: 'EmployeeKey', dbColumn: 'EmployeeKey', type: 'int' },
        { property: 'RouteKey', dbColumn: 'RouteKey', type: 'int' },
      ],
    },
  },
  query: `SELECT j.EmployeeKey, j.RouteKey, e.EmployeeName, r.RouteName
FROM dbo.EmployeeRoute j JOIN dbo.Employee e ON e.EmployeeKey = j.EmployeeKey JOIN dbo.Route r ON r.RouteKey = j.RouteKey
ORDER BY j.EmployeeKey, j.RouteKey`,
  shown: (realm) =>
    [...realm.objects<Found>('EmployeeRoute')]
      .map(
        (join) =>
          `${join.PK}: ${through(join, 'EmployeeKey', 'EmployeeName')} on ${through(join, 'RouteKey', 'RouteName')}`,
      )
      .sort(),
  steps: [
    {
      title: 'A device puts Nathan on the route North: 3-3',
      onDevice: (realm) => {
        realm.create('EmployeeRoute', {
          PK: '3-3',
          EmployeeKey: one(realm, 'Employee', 'EmployeeName', 'Nathan'),
          RouteKey: one(realm, 'Route', 'RouteName', 'North'),
        });
      },
    },
    {
      title: 'A device takes on Ada, whom the database has yet to number, and puts her on the route West',
      onDevice: (realm) => {
        const ada = realm.create('Employee', { RealmID: randomUUID(), EmployeeName: 'Ada' });
        const west = one(realm, 'Route', 'RouteName', 'West');
        realm.create('EmployeeRoute', {
          PK: `${String(ada.RealmID)}-${String(west.RealmID)}`,
          EmployeeKey: ada,
          RouteKey: west,
        });
      },
    },
    {
      title: 'An application puts Tom on the route West',
      inSql: 'INSERT INTO dbo.EmployeeRoute (EmployeeKey, RouteKey) VALUES (1, 2)',
    },
    {
      title: 'A device lets Tom work on North instead of East: one object goes, another comes',
      onDevice: (realm) => {
        const tom = one(realm, 'Employee', 'EmployeeName', 'Tom');
        realm.delete(one(realm, 'EmployeeRoute', 'PK', '1-1'));
        realm.create('EmployeeRoute', {
          PK: '1-3',
          EmployeeKey: tom,
          RouteKey: one(realm, 'Route', 'RouteName', 'North'),
        });
      },
    },
  ],
};
