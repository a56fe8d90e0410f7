-- One to many in order: the stops of a line. The table of their order, __BusLine__Stops, is made by the loader.
CREATE TABLE dbo.BusLine (
  BusLineId INT NOT NULL IDENTITY(1, 1),
  Name VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  CONSTRAINT PK_BusLine PRIMARY KEY (BusLineId)
);
CREATE TABLE dbo.Stop (
  StopId INT NOT NULL IDENTITY(1, 1),
  Name VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  BusLineId INT FOREIGN KEY REFERENCES BusLine (BusLineId),
  CONSTRAINT PK_Stop PRIMARY KEY (StopId)
);
GO
SET IDENTITY_INSERT BusLine ON;
INSERT INTO dbo.BusLine (BusLineId, Name) VALUES (1, 'Marina'), (2, 'SOMA'), (3, 'Mission');
SET IDENTITY_INSERT BusLine OFF;
SET IDENTITY_INSERT Stop ON;
INSERT INTO dbo.Stop (StopId, Name, BusLineId) VALUES
  (1, 'Market', 1), (2, 'Gough', 1), (3, 'Union', 1), (4, 'Townsend', 2), (5, 'Mission', 3), (6, 'Van Ness', 3);
SET IDENTITY_INSERT Stop OFF;
