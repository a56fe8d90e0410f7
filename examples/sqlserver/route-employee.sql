-- Many to many: who works on which route. The key of the join table is the pair.
CREATE TABLE dbo.Route (
  RouteKey int NOT NULL IDENTITY(1, 1),
  RouteName nvarchar(32),
  RealmID nvarchar(128),
  CONSTRAINT PK_Route PRIMARY KEY (RouteKey)
);
CREATE TABLE dbo.Employee (
  EmployeeKey int NOT NULL IDENTITY(1, 1),
  EmployeeName nvarchar(64),
  RealmID nvarchar(128),
  CONSTRAINT PK_Employee PRIMARY KEY (EmployeeKey)
);
CREATE TABLE dbo.EmployeeRoute (
  RouteKey int FOREIGN KEY REFERENCES Route (RouteKey) NOT NULL,
  EmployeeKey int FOREIGN KEY REFERENCES Employee (EmployeeKey) NOT NULL
);
ALTER TABLE dbo.EmployeeRoute ADD CONSTRAINT PK_EMPLOYEE_ROUTE PRIMARY KEY (EmployeeKey, RouteKey);
GO
SET IDENTITY_INSERT Employee ON;
INSERT INTO dbo.Employee (EmployeeKey, EmployeeName) VALUES (1, 'Tom'), (2, 'David'), (3, 'Nathan');
SET IDENTITY_INSERT Employee OFF;
SET IDENTITY_INSERT Route ON;
INSERT INTO dbo.Route (RouteKey, RouteName) VALUES (1, 'East'), (2, 'West'), (3, 'North');
SET IDENTITY_INSERT Route OFF;
INSERT INTO dbo.EmployeeRoute (EmployeeKey, RouteKey) VALUES (1, 1), (2, 1), (3, 1), (2, 3);
