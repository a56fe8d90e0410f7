-- One to one: every person may have a passport.
CREATE TABLE dbo.Passport (
  PassportId INT NOT NULL IDENTITY(1, 1),
  RealmId VARCHAR(255),
  Country VARCHAR(255) NOT NULL,
  CONSTRAINT PK_Passport PRIMARY KEY (PassportId)
);
CREATE TABLE dbo.Person (
  PersonId INT NOT NULL IDENTITY(1, 1),
  Name VARCHAR(255) NOT NULL,
  RealmId VARCHAR(255),
  PassportId INT FOREIGN KEY REFERENCES Passport (PassportId),
  CONSTRAINT PK_Person PRIMARY KEY (PersonId)
);
GO
SET IDENTITY_INSERT Passport ON;
INSERT INTO dbo.Passport (PassportId, Country) VALUES (1, 'USA'), (2, 'Canada');
SET IDENTITY_INSERT Passport OFF;
SET IDENTITY_INSERT Person ON;
INSERT INTO dbo.Person (PersonId, Name, PassportId) VALUES (1, 'Curly', 1), (2, 'Larry', 1), (3, 'Moe', 2);
SET IDENTITY_INSERT Person OFF;
