-- The text of every statement that the SQL Server connector can send, for a representative set of tables.
-- Made by test/sqlserver/every-statement-is-known.test.ts; npm run golden writes it anew.

---- Checkpoints ----

-- read all
SELECT [realm], CONVERT(varchar(20), [sequence]) FROM [isthmus].[checkpoint] WHERE [adapter] = @adapter;
GO

-- wait for one
SELECT CONVERT(varchar(20), [sequence]) FROM [isthmus].[checkpoint] WITH (UPDLOCK, SERIALIZABLE) WHERE [adapter] = @adapter AND [realm] = @realm;
GO

-- move
UPDATE t SET t.[sequence] = CONVERT(bigint, s.[c1]) FROM [isthmus].[checkpoint] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[adapter] = @adapter AND t.[realm] = CONVERT(nvarchar(700), s.[c0]) COLLATE Latin1_General_100_BIN2;
INSERT INTO [isthmus].[checkpoint] ([adapter], [realm], [sequence]) SELECT @adapter, s.[c0], CONVERT(bigint, s.[c1]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s WHERE NOT EXISTS (SELECT 1 FROM [isthmus].[checkpoint] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[adapter] = @adapter AND t.[realm] = CONVERT(nvarchar(700), s.[c0]) COLLATE Latin1_General_100_BIN2);
GO

---- Writes ----

-- upsert Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Name] = CONVERT(nvarchar(4000), s.[c1]), t.[Email] = CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Born] = CONVERT(date, s.[c3], 23), t.[Salary] = CONVERT(decimal(10,2), s.[c4]), t.[Boss] = CONVERT(nvarchar(4000), s.[c5]) FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Person] ([Id], [Name], [Email], [Born], [Salary], [Boss]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(nvarchar(4000), s.[c1]), CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(date, s.[c3], 23), CONVERT(decimal(10,2), s.[c4]), CONVERT(nvarchar(4000), s.[c5]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]));
GO

-- update Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Name] = CONVERT(nvarchar(4000), s.[c1]), t.[Email] = CONVERT(varchar(8000), s.[c2] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Born] = CONVERT(date, s.[c3], 23), t.[Salary] = CONVERT(decimal(10,2), s.[c4]), t.[Boss] = CONVERT(nvarchar(4000), s.[c5]) FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- delete Person by Id
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- upsert Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]);
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Invoice] ([RealmId], [Total], [At]) SELECT CONVERT(uniqueidentifier, s.[c0]), CONVERT(money, s.[c1]), CONVERT(datetimeoffset(3), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]));
GO

-- update Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]);
GO

-- delete Invoice by RealmId
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]);
GO

-- upsert Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
SET IDENTITY_INSERT [dbo].[Invoice] ON;
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Invoice] ([InvoiceId], [Total], [At]) SELECT CONVERT(int, s.[c0]), CONVERT(money, s.[c1]), CONVERT(datetimeoffset(3), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Invoice] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[InvoiceId] = CONVERT(int, s.[c0]));
SET IDENTITY_INSERT [dbo].[Invoice] OFF;
GO

-- update Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Total] = CONVERT(money, s.[c1]), t.[At] = CASE WHEN s.[c2] LIKE N'%Z' AND t.[At] = CONVERT(datetimeoffset(3), s.[c2]) THEN t.[At] ELSE CONVERT(datetimeoffset(3), s.[c2]) END FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
GO

-- delete Invoice by InvoiceId
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]);
GO

-- upsert InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Text] = s.[c2], t.[Proof] = CONVERT(varbinary(max), s.[c3], 1) FROM [dbo].[InvoiceLine] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[InvoiceLine] ([InvoiceId], [Line], [Text], [Proof]) SELECT CONVERT(int, s.[c0]), CONVERT(smallint, s.[c1]), s.[c2], CONVERT(varbinary(max), s.[c3], 1) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[InvoiceLine] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]));
GO

-- update InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Text] = s.[c2], t.[Proof] = CONVERT(varbinary(max), s.[c3], 1) FROM [dbo].[InvoiceLine] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
GO

-- delete InvoiceLine by InvoiceId, Line
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[InvoiceLine] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[Line] = CONVERT(smallint, s.[c1]);
GO

-- upsert Everything
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Bit] = CONVERT(bit, s.[c1]), t.[Tiny] = CONVERT(tinyint, s.[c2]), t.[Big] = CONVERT(bigint, s.[c3]), t.[Real] = CONVERT(real, s.[c4]), t.[Money] = CONVERT(smallmoney, s.[c5]), t.[Time] = CONVERT(time(7), s.[c6]), t.[Precise] = CONVERT(datetime2(7), s.[c7], 121), t.[Old] = CONVERT(datetime, s.[c8], 121), t.[Minute] = CONVERT(smalldatetime, s.[c9], 120), t.[Fixed] = CONVERT(varbinary(8000), s.[c10], 1), t.[Greek] = CONVERT(varchar(8000), s.[c11] COLLATE Greek_CI_AS), t.[Long] = CONVERT(varchar(max), s.[c12] COLLATE SQL_Latin1_General_CP1_CI_AS), t.[Xml] = CONVERT(xml, s.[c13], 1), t.[Any] = CASE LEFT(s.[c14], CHARINDEX(N':', s.[c14]) - 1) WHEN N'bit' THEN CONVERT(sql_variant, CONVERT(bit, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'int' THEN CONVERT(sql_variant, CONVERT(bigint, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'real' THEN CONVERT(sql_variant, CONVERT(real, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'float' THEN CONVERT(sql_variant, CONVERT(float(53), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'date' THEN CONVERT(sql_variant, CONVERT(datetime2(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 121)) WHEN N'datetimeoffset' THEN CONVERT(sql_variant, CONVERT(datetimeoffset(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'time' THEN CONVERT(sql_variant, CONVERT(time(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'uuid' THEN CONVERT(sql_variant, CONVERT(uniqueidentifier, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'data' THEN CONVERT(sql_variant, CONVERT(varbinary(8000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 1)) WHEN N'string' THEN CONVERT(sql_variant, CONVERT(nvarchar(4000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'decimal' THEN CASE CHARINDEX(N'.', REVERSE(STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 0 THEN CONVERT(sql_variant, CONVERT(decimal(38,0), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 2 THEN CONVERT(sql_variant, CONVERT(decimal(38,1), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 3 THEN CONVERT(sql_variant, CONVERT(decimal(38,2), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 4 THEN CONVERT(sql_variant, CONVERT(decimal(38,3), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 5 THEN CONVERT(sql_variant, CONVERT(decimal(38,4), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 6 THEN CONVERT(sql_variant, CONVERT(decimal(38,5), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 7 THEN CONVERT(sql_variant, CONVERT(decimal(38,6), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 8 THEN CONVERT(sql_variant, CONVERT(decimal(38,7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 9 THEN CONVERT(sql_variant, CONVERT(decimal(38,8), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 10 THEN CONVERT(sql_variant, CONVERT(decimal(38,9), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 11 THEN CONVERT(sql_variant, CONVERT(decimal(38,10), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 12 THEN CONVERT(sql_variant, CONVERT(decimal(38,11), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 13 THEN CONVERT(sql_variant, CONVERT(decimal(38,12), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 14 THEN CONVERT(sql_variant, CONVERT(decimal(38,13), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 15 THEN CONVERT(sql_variant, CONVERT(decimal(38,14), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 16 THEN CONVERT(sql_variant, CONVERT(decimal(38,15), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 17 THEN CONVERT(sql_variant, CONVERT(decimal(38,16), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 18 THEN CONVERT(sql_variant, CONVERT(decimal(38,17), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 19 THEN CONVERT(sql_variant, CONVERT(decimal(38,18), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 20 THEN CONVERT(sql_variant, CONVERT(decimal(38,19), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 21 THEN CONVERT(sql_variant, CONVERT(decimal(38,20), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 22 THEN CONVERT(sql_variant, CONVERT(decimal(38,21), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 23 THEN CONVERT(sql_variant, CONVERT(decimal(38,22), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 24 THEN CONVERT(sql_variant, CONVERT(decimal(38,23), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 25 THEN CONVERT(sql_variant, CONVERT(decimal(38,24), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 26 THEN CONVERT(sql_variant, CONVERT(decimal(38,25), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 27 THEN CONVERT(sql_variant, CONVERT(decimal(38,26), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 28 THEN CONVERT(sql_variant, CONVERT(decimal(38,27), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 29 THEN CONVERT(sql_variant, CONVERT(decimal(38,28), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 30 THEN CONVERT(sql_variant, CONVERT(decimal(38,29), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 31 THEN CONVERT(sql_variant, CONVERT(decimal(38,30), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 32 THEN CONVERT(sql_variant, CONVERT(decimal(38,31), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 33 THEN CONVERT(sql_variant, CONVERT(decimal(38,32), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 34 THEN CONVERT(sql_variant, CONVERT(decimal(38,33), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 35 THEN CONVERT(sql_variant, CONVERT(decimal(38,34), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 36 THEN CONVERT(sql_variant, CONVERT(decimal(38,35), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 37 THEN CONVERT(sql_variant, CONVERT(decimal(38,36), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 38 THEN CONVERT(sql_variant, CONVERT(decimal(38,37), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 39 THEN CONVERT(sql_variant, CONVERT(decimal(38,38), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) END END, t.[odd ]] name] = CONVERT(nvarchar(4000), s.[c15]) FROM [dbo].[Everything] AS t WITH (UPDLOCK, SERIALIZABLE) INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]', [c6] nvarchar(max) '$[6]', [c7] nvarchar(max) '$[7]', [c8] nvarchar(max) '$[8]', [c9] nvarchar(max) '$[9]', [c10] nvarchar(max) '$[10]', [c11] nvarchar(max) '$[11]', [c12] nvarchar(max) '$[12]', [c13] nvarchar(max) '$[13]', [c14] nvarchar(max) '$[14]', [c15] nvarchar(max) '$[15]') AS s ON t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2;
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Everything] ([Code], [Bit], [Tiny], [Big], [Real], [Money], [Time], [Precise], [Old], [Minute], [Fixed], [Greek], [Long], [Xml], [Any], [odd ]] name]) SELECT CONVERT(varchar(8000), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(bit, s.[c1]), CONVERT(tinyint, s.[c2]), CONVERT(bigint, s.[c3]), CONVERT(real, s.[c4]), CONVERT(smallmoney, s.[c5]), CONVERT(time(7), s.[c6]), CONVERT(datetime2(7), s.[c7], 121), CONVERT(datetime, s.[c8], 121), CONVERT(smalldatetime, s.[c9], 120), CONVERT(varbinary(8000), s.[c10], 1), CONVERT(varchar(8000), s.[c11] COLLATE Greek_CI_AS), CONVERT(varchar(max), s.[c12] COLLATE SQL_Latin1_General_CP1_CI_AS), CONVERT(xml, s.[c13], 1), CASE LEFT(s.[c14], CHARINDEX(N':', s.[c14]) - 1) WHEN N'bit' THEN CONVERT(sql_variant, CONVERT(bit, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'int' THEN CONVERT(sql_variant, CONVERT(bigint, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'real' THEN CONVERT(sql_variant, CONVERT(real, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'float' THEN CONVERT(sql_variant, CONVERT(float(53), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'date' THEN CONVERT(sql_variant, CONVERT(datetime2(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 121)) WHEN N'datetimeoffset' THEN CONVERT(sql_variant, CONVERT(datetimeoffset(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'time' THEN CONVERT(sql_variant, CONVERT(time(7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'uuid' THEN CONVERT(sql_variant, CONVERT(uniqueidentifier, STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'data' THEN CONVERT(sql_variant, CONVERT(varbinary(8000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''), 1)) WHEN N'string' THEN CONVERT(sql_variant, CONVERT(nvarchar(4000), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN N'decimal' THEN CASE CHARINDEX(N'.', REVERSE(STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 0 THEN CONVERT(sql_variant, CONVERT(decimal(38,0), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 2 THEN CONVERT(sql_variant, CONVERT(decimal(38,1), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 3 THEN CONVERT(sql_variant, CONVERT(decimal(38,2), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 4 THEN CONVERT(sql_variant, CONVERT(decimal(38,3), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 5 THEN CONVERT(sql_variant, CONVERT(decimal(38,4), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 6 THEN CONVERT(sql_variant, CONVERT(decimal(38,5), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 7 THEN CONVERT(sql_variant, CONVERT(decimal(38,6), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 8 THEN CONVERT(sql_variant, CONVERT(decimal(38,7), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 9 THEN CONVERT(sql_variant, CONVERT(decimal(38,8), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 10 THEN CONVERT(sql_variant, CONVERT(decimal(38,9), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 11 THEN CONVERT(sql_variant, CONVERT(decimal(38,10), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 12 THEN CONVERT(sql_variant, CONVERT(decimal(38,11), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 13 THEN CONVERT(sql_variant, CONVERT(decimal(38,12), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 14 THEN CONVERT(sql_variant, CONVERT(decimal(38,13), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 15 THEN CONVERT(sql_variant, CONVERT(decimal(38,14), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 16 THEN CONVERT(sql_variant, CONVERT(decimal(38,15), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 17 THEN CONVERT(sql_variant, CONVERT(decimal(38,16), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 18 THEN CONVERT(sql_variant, CONVERT(decimal(38,17), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 19 THEN CONVERT(sql_variant, CONVERT(decimal(38,18), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 20 THEN CONVERT(sql_variant, CONVERT(decimal(38,19), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 21 THEN CONVERT(sql_variant, CONVERT(decimal(38,20), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 22 THEN CONVERT(sql_variant, CONVERT(decimal(38,21), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 23 THEN CONVERT(sql_variant, CONVERT(decimal(38,22), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 24 THEN CONVERT(sql_variant, CONVERT(decimal(38,23), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 25 THEN CONVERT(sql_variant, CONVERT(decimal(38,24), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 26 THEN CONVERT(sql_variant, CONVERT(decimal(38,25), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 27 THEN CONVERT(sql_variant, CONVERT(decimal(38,26), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 28 THEN CONVERT(sql_variant, CONVERT(decimal(38,27), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 29 THEN CONVERT(sql_variant, CONVERT(decimal(38,28), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 30 THEN CONVERT(sql_variant, CONVERT(decimal(38,29), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 31 THEN CONVERT(sql_variant, CONVERT(decimal(38,30), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 32 THEN CONVERT(sql_variant, CONVERT(decimal(38,31), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 33 THEN CONVERT(sql_variant, CONVERT(decimal(38,32), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 34 THEN CONVERT(sql_variant, CONVERT(decimal(38,33), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 35 THEN CONVERT(sql_variant, CONVERT(decimal(38,34), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 36 THEN CONVERT(sql_variant, CONVERT(decimal(38,35), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 37 THEN CONVERT(sql_variant, CONVERT(decimal(38,36), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 38 THEN CONVERT(sql_variant, CONVERT(decimal(38,37), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) WHEN 39 THEN CONVERT(sql_variant, CONVERT(decimal(38,38), STUFF(s.[c14], 1, CHARINDEX(N':', s.[c14]), N''))) END END, CONVERT(nvarchar(4000), s.[c15]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]', [c3] nvarchar(max) '$[3]', [c4] nvarchar(max) '$[4]', [c5] nvarchar(max) '$[5]', [c6] nvarchar(max) '$[6]', [c7] nvarchar(max) '$[7]', [c8] nvarchar(max) '$[8]', [c9] nvarchar(max) '$[9]', [c10] nvarchar(max) '$[10]', [c11] nvarchar(max) '$[11]', [c12] nvarchar(max) '$[12]', [c13] nvarchar(max) '$[13]', [c14] nvarchar(max) '$[14]', [c15] nvarchar(max) '$[15]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Everything] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2);
GO

-- insert Person, keys alone
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[Person] ([Id]) SELECT CONVERT(nvarchar(4000), s.[c0]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Person] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]));
GO

-- update Person, freeing deleted rows
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[Boss] = CONVERT(nvarchar(4000), s.[c1]) FROM [dbo].[Person] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[Boss] = CONVERT(nvarchar(4000), s.[c0]) COLLATE SQL_Latin1_General_CP1_CI_AS;
GO

-- assign Invoice
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[RealmId] = CONVERT(uniqueidentifier, s.[c1]) FROM [dbo].[Invoice] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[InvoiceId] = CONVERT(int, s.[c0]) AND t.[RealmId] IS NULL;
GO

-- empty Person
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE FROM [dbo].[Person];
GO

-- leave the keys of Invoice to the database again
SET IDENTITY_INSERT [dbo].[Invoice] OFF;
GO

---- Lists and other collections ----

-- clear
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- cut
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] >= CONVERT(int, s.[c1]);
GO

-- erase
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] = CONVERT(int, s.[c1]);
GO

-- move
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[idx] = t.[idx] + CONVERT(int, s.[c2]) FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] >= CONVERT(int, s.[c1]);
GO

-- set
WITH CHANGE_TRACKING_CONTEXT (@context) UPDATE t SET t.[target] = CONVERT(nvarchar(4000), s.[c2]) FROM [dbo].[__Person__Friends] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]) AND t.[idx] = CONVERT(int, s.[c1]);
GO

-- insert
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[__Person__Friends] ([oid], [idx], [target]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(int, s.[c1]), CONVERT(nvarchar(4000), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s;
GO

-- read
SELECT s.[c0], CONVERT(varchar(20), t.[idx]), t.[target] FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[__Person__Friends] AS t WITH (UPDLOCK, SERIALIZABLE) ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- replace items: delete
WITH CHANGE_TRACKING_CONTEXT (@context) DELETE t FROM [dbo].[__Person__Marks] AS t INNER JOIN OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s ON t.[oid] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[oid]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[oid])) = DATALENGTH(s.[c0]);
GO

-- replace items: insert
WITH CHANGE_TRACKING_CONTEXT (@context) INSERT INTO [dbo].[__Person__Marks] ([oid], [key], [target]) SELECT CONVERT(nvarchar(4000), s.[c0]), CONVERT(nvarchar(4000), s.[c1]), CONVERT(float(53), s.[c2]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]', [c1] nvarchar(max) '$[1]', [c2] nvarchar(max) '$[2]') AS s;
GO

---- Single rows ----

-- look keys up
SELECT s.[c0], CONVERT(varchar(64), t.[InvoiceId]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Invoice] AS t ON t.[RealmId] = CONVERT(uniqueidentifier, s.[c0]);
GO

-- fetch Person
SELECT s.[c0], t.[Name], CONVERT(varchar(64), t.[Salary]) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Person] AS t ON t.[Id] = CONVERT(nvarchar(50), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Id]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2 AND DATALENGTH(CONVERT(nvarchar(max), t.[Id])) = DATALENGTH(s.[c0]);
GO

-- fetch Everything
SELECT s.[c0], CONVERT(varchar(64), t.[Bit]), CONVERT(varchar(64), t.[Tiny]), CONVERT(varchar(64), t.[Big]), CONVERT(varchar(64), t.[Real], 3), CONVERT(varchar(64), t.[Money], 2), CONVERT(varchar(64), t.[Time], 121), CONVERT(varchar(64), t.[Precise], 121), CONVERT(varchar(64), t.[Old], 121), CONVERT(varchar(64), t.[Minute], 120), t.[Fixed], CONVERT(nvarchar(4000), t.[Greek]), CONVERT(nvarchar(max), t.[Long]), CONVERT(nvarchar(max), t.[Xml]), CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(t.[Any], 'BaseType')) WHEN N'bit' THEN N'bit:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'tinyint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'smallint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'int' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'bigint' THEN N'int:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'real' THEN N'real:' + CONVERT(nvarchar(64), CONVERT(real, t.[Any]), 3) WHEN N'float' THEN N'float:' + CONVERT(nvarchar(64), CONVERT(float(53), t.[Any]), 3) WHEN N'decimal' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'numeric' THEN N'decimal:' + CONVERT(nvarchar(64), t.[Any]) WHEN N'money' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'smallmoney' THEN N'decimal:' + CONVERT(nvarchar(64), CONVERT(money, t.[Any]), 2) WHEN N'date' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'smalldatetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetime2' THEN N'date:' + CONVERT(nvarchar(64), CONVERT(datetime2(7), t.[Any]), 121) WHEN N'datetimeoffset' THEN N'datetimeoffset:' + CONVERT(nvarchar(64), CONVERT(datetimeoffset(7), t.[Any]), 121) WHEN N'time' THEN N'time:' + CONVERT(nvarchar(64), CONVERT(time(7), t.[Any]), 121) WHEN N'uniqueidentifier' THEN N'uuid:' + LOWER(CONVERT(nvarchar(64), CONVERT(uniqueidentifier, t.[Any]))) WHEN N'binary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'varbinary' THEN N'data:' + CONVERT(nvarchar(max), CONVERT(varbinary(8000), t.[Any]), 1) WHEN N'char' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'varchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) WHEN N'nvarchar' THEN N'string:' + CONVERT(nvarchar(max), t.[Any]) END, t.[odd ]] name] FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s INNER JOIN [dbo].[Everything] AS t ON t.[Code] = CONVERT(char(8), s.[c0] COLLATE SQL_Latin1_General_CP1_CI_AS) COLLATE SQL_Latin1_General_CP1_CI_AS AND CONVERT(nvarchar(max), t.[Code]) COLLATE Latin1_General_100_BIN2 = s.[c0] COLLATE Latin1_General_100_BIN2;
GO

-- probe Bit
SELECT COUNT(CASE WHEN CONVERT(bit, s.[c0]) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

-- probe Precise
SELECT COUNT(CASE WHEN CONVERT(datetime2(7), s.[c0], 121) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

-- probe Xml
SELECT COUNT(CASE WHEN CONVERT(xml, s.[c0], 1) IS NULL THEN NULL ELSE 1 END) FROM OPENJSON(@rows) WITH ([c0] nvarchar(max) '$[0]') AS s;
GO

---- Dead letters ----

-- insert
INSERT INTO [isthmus].[dead_letter] ([adapter], [direction], [realm], [sequence], [reason], [sql_state], [table_name], [column_name], [constraint_name], [objects], [payload], [statements], [subject]) VALUES (@adapter, @direction, @realm, @sequence, @reason, @sql_state, @table_name, @column_name, @constraint_name, @objects, @payload, @statements, @subject);
GO

-- list
SELECT TOP (@limit) CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND CHARINDEX([state], @states) > 0 AND [id] > @after ORDER BY [id];
GO

-- read
SELECT CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects, payload, statements FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i) ORDER BY [id];
GO

-- requested
SELECT TOP (@limit) CONVERT(varchar(20), [id]), adapter, direction, realm, CONVERT(varchar(20), [sequence]), REPLACE(CONVERT(varchar(30), [created_at], 121), ' ', 'T') + 'Z', state, REPLACE(CONVERT(varchar(30), [state_since], 121), ' ', 'T') + 'Z', CASE WHEN requested_at IS NOT NULL AND state = 'waiting' THEN 't' ELSE 'f' END, CONVERT(varchar(20), [attempts]), outcome, reason, sql_state, table_name, column_name, constraint_name, objects, payload, statements FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [requested_at] IS NOT NULL ORDER BY [id];
GO

-- acknowledge
UPDATE [isthmus].[dead_letter] SET [requested_at] = NULL WHERE [adapter] = @adapter AND [id] = @id AND [state] <> N'waiting';
GO

-- answer
UPDATE [isthmus].[dead_letter] SET [outcome] = @outcome, [requested_at] = NULL, [state_since] = CASE WHEN [state] = @state THEN [state_since] ELSE SYSUTCDATETIME() END, [state] = @state, [attempts] = [attempts] + 1 WHERE [adapter] = @adapter AND [id] = @id AND [state] = N'waiting';
GO

-- answerSequences
UPDATE [isthmus].[dead_letter] SET [outcome] = @outcome, [requested_at] = NULL, [state_since] = CASE WHEN [state] = @state THEN [state_since] ELSE SYSUTCDATETIME() END, [state] = @state WHERE [adapter] = @adapter AND [direction] = N'toSql' AND [realm] = @realm AND [state] = N'waiting' AND [sequence] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- keepRow
BEGIN TRANSACTION;
UPDATE [isthmus].[dead_letter] WITH (UPDLOCK, SERIALIZABLE) SET [state] = N'waiting', [state_since] = SYSUTCDATETIME(), [requested_at] = NULL, [outcome] = NULL, [direction] = @direction, [realm] = @realm, [sequence] = @sequence, [reason] = @reason, [sql_state] = @sql_state, [table_name] = @table_name, [column_name] = @column_name, [constraint_name] = @constraint_name, [objects] = @objects, [payload] = @payload, [statements] = @statements, [subject] = @subject WHERE [adapter] = @adapter AND [subject] = @subject;
IF @@ROWCOUNT = 0 INSERT INTO [isthmus].[dead_letter] ([adapter], [direction], [realm], [sequence], [reason], [sql_state], [table_name], [column_name], [constraint_name], [objects], [payload], [statements], [subject]) VALUES (@adapter, @direction, @realm, @sequence, @reason, @sql_state, @table_name, @column_name, @constraint_name, @objects, @payload, @statements, @subject);
COMMIT TRANSACTION;
GO

-- removeRow
DELETE FROM [isthmus].[dead_letter] WHERE [adapter] = @adapter AND [subject] = @subject AND [state] = N'waiting'; UPDATE [isthmus].[dead_letter] SET [subject] = NULL WHERE [adapter] = @adapter AND [subject] = @subject;
GO

-- request
UPDATE [isthmus].[dead_letter] SET [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- requestAll
UPDATE [isthmus].[dead_letter] SET [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting';
GO

-- discard
UPDATE [isthmus].[dead_letter] SET [state] = N'discarded', [state_since] = SYSUTCDATETIME(), [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- discardAll
UPDATE [isthmus].[dead_letter] SET [state] = N'discarded', [state_since] = SYSUTCDATETIME(), [requested_at] = SYSUTCDATETIME() OUTPUT CONVERT(varchar(20), inserted.[id]) WHERE [adapter] = @adapter AND [state] = N'waiting';
GO

-- purge
DELETE FROM [isthmus].[dead_letter] OUTPUT CONVERT(varchar(20), deleted.[id]) WHERE [adapter] = @adapter AND [state] <> N'waiting' AND [id] IN (SELECT CONVERT(bigint, i.[id]) FROM OPENJSON(@ids) WITH ([id] nvarchar(20) '$') AS i);
GO

-- purgeAll
DELETE FROM [isthmus].[dead_letter] OUTPUT CONVERT(varchar(20), deleted.[id]) WHERE [adapter] = @adapter AND [state] <> N'waiting';
GO

---- Own tables ----

-- what is there
SELECT CONVERT(varchar(20), SCHEMA_ID(N'isthmus')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[checkpoint]', N'U')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[dead_letter]', N'U')), CONVERT(varchar(20), OBJECT_ID(N'[isthmus].[feed]', N'U'));
GO

-- make 1
CREATE SCHEMA [isthmus]
GO

-- make 2
CREATE TABLE [isthmus].[checkpoint] (
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [realm] nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [sequence] bigint NOT NULL,
    CONSTRAINT [pk_checkpoint] PRIMARY KEY NONCLUSTERED ([adapter], [realm])
)
GO

-- make 3
CREATE TABLE [isthmus].[dead_letter] (
    [id] bigint IDENTITY(1,1) NOT NULL,
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [direction] nvarchar(20) NOT NULL,
    [realm] nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [sequence] bigint NOT NULL,
    [created_at] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_created_at] DEFAULT (SYSUTCDATETIME()),
    [state] nvarchar(20) NOT NULL CONSTRAINT [df_dead_letter_state] DEFAULT (N'waiting'),
    [state_since] datetime2(3) NOT NULL CONSTRAINT [df_dead_letter_state_since] DEFAULT (SYSUTCDATETIME()),
    [requested_at] datetime2(3) NULL,
    [attempts] int NOT NULL CONSTRAINT [df_dead_letter_attempts] DEFAULT (0),
    [outcome] nvarchar(max) NULL,
    [reason] nvarchar(max) NOT NULL,
    [sql_state] nvarchar(20) NULL,
    [table_name] nvarchar(400) NULL,
    [column_name] nvarchar(400) NULL,
    [constraint_name] nvarchar(400) NULL,
    [objects] nvarchar(max) NOT NULL,
    [payload] nvarchar(max) NOT NULL,
    [statements] nvarchar(max) NOT NULL,
    [subject] nvarchar(450) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT [pk_dead_letter] PRIMARY KEY ([id])
)
GO

-- make 4
CREATE INDEX [ix_dead_letter_subject] ON [isthmus].[dead_letter] ([adapter], [subject])
GO

-- make 5
CREATE TABLE [isthmus].[feed] (
    [adapter] nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [line] char(36) NOT NULL,
    [previous_line] char(36) NULL,
    [position] bigint NOT NULL,
    [confirmed_at] datetime2(3) NOT NULL CONSTRAINT [df_feed_confirmed_at] DEFAULT (SYSUTCDATETIME()),
    [holder] nvarchar(400) NULL,
    [held_since] datetime2(3) NULL,
    CONSTRAINT [pk_feed] PRIMARY KEY ([adapter])
)
GO
