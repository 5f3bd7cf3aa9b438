namespace Unit.TSql;

/// <summary>BACKUP and RESTORE as administrators write them, on real files.</summary>
public sealed class BackupStatementsTests
{
    [TestCase("BACKUP DATABASE d TO DISK = 'x.bak' WITH FORMAT, INIT, COMPRESSION, CHECKSUM, NAME = N'n', DESCRIPTION = 'm', STATS = 50, COPY_ONLY, MAXTRANSFERSIZE = 1048576", new int[0])]
    [TestCase("BACKUP LOG d TO DISK = 'x.trn'", new int[0])]
    [TestCase("BACKUP LOG e TO DISK = 'x.trn'", new[] { 4214, 3013 })]
    [TestCase("BACKUP DATABASE d TO DISK = '/root/x.bak'", new[] { 3201, 3013 })]
    [TestCase("BACKUP DATABASE d TO DISK = '../../x.bak'", new[] { 3201, 3013 })]
    [TestCase("BACKUP DATABASE d TO URL = 's3://host:9000/bucket/d.bak' WITH FORMAT, COMPRESSION", new[] { 3201, 3013 })]
    [TestCase("BACKUP DATABASE d TO DISK = 'x.bak' WITH DIFFERENTIAL", new[] { 50505 })]
    [TestCase("BACKUP DATABASE d TO TAPE = 'x'", new[] { 50505 })]
    [TestCase("BACKUP DATABASE d", new[] { 50505 })]
    [TestCase("RESTORE VERIFYONLY FROM DISK = 'd.bak' WITH CHECKSUM", new int[0])]
    [TestCase("RESTORE VERIFYONLY FROM DISK = 'nope.bak'", new[] { 3201, 3013 })]
    [TestCase("RESTORE HEADERONLY FROM DISK = 'd.bak' WITH FILE = 7", new[] { 4038, 3013 })]
    [TestCase("RESTORE DATABASE d FROM DISK = 'd.bak'", new[] { 3159, 3013 })]
    [TestCase("RESTORE DATABASE d FROM DISK = 'd.bak' WITH REPLACE, NORECOVERY, STATS = 5; USE d", new[] { 927 })]
    [TestCase("RESTORE DATABASE c FROM DISK = N'd.bak' WITH FILE = 1, MOVE 'd' TO '/c.mdf', MOVE 'd_log' TO '/c.ldf', RECOVERY; USE c", new int[0])]
    [TestCase("RESTORE LOG d FROM DISK = 'd.bak' WITH NORECOVERY", new[] { 3135, 3013 })]
    [TestCase("RESTORE DATABASE d WITH RECOVERY", new[] { 3153, 3013 })]
    [TestCase("RESTORE DATABASE d FROM DISK = 'd.bak' WITH STANDBY = 'x'", new[] { 50505 })]
    [TestCase("BEGIN TRAN RESTORE DATABASE d FROM DISK = 'd.bak'", new[] { 3021 })]
    public async Task Answers(string batch, int[] errors)
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("CREATE DATABASE d; CREATE DATABASE e; BACKUP DATABASE d TO DISK = 'd.bak'");
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo(errors));
    }

    [Test]
    public async Task Devices_and_history_tell_of_backups()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("""
            CREATE DATABASE d;
            BACKUP DATABASE d TO DISK = 'd.bak' WITH NAME = 'first', STATS = 50;
            USE d; CREATE TABLE t (id int PRIMARY KEY); INSERT t VALUES (1);
            BACKUP LOG d TO DISK = 'd.bak';
            USE master;
            """);
        Assert.That(output.Messages.Select(message => message.Number), Is.EqualTo(new[] { 3211, 3211, 4035, 3014, 4035, 3014 }));
        Assert.That(output.Messages[3].Message, Does.StartWith("BACKUP DATABASE successfully processed"));
        Assert.That(
            (await sql.RunAsync("SELECT database_name, type, position, name, recovery_model FROM msdb.dbo.backupset ORDER BY backup_set_id")).Story,
            Is.EqualTo("[d,D,1,first,FULL] [d,L,2,NULL,FULL] (2)"));
        Assert.That(
            (await sql.RunAsync("SELECT s.type, f.physical_device_name FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id WHERE s.first_lsn <= s.last_lsn")).Story,
            Is.EqualTo("[D,d.bak] [L,d.bak] (2)"));
        var header = await sql.RunAsync("RESTORE HEADERONLY FROM DISK = 'd.bak'");
        Assert.That(header.Rows.Select(row => row[2]), Is.EqualTo(new object[] { (short)1, (short)2 }));
        Assert.That((await sql.RunAsync("RESTORE FILELISTONLY FROM DISK = '/var/opt/mssql/data/d.bak'")).Rows.Select(row => row[0]), Is.EqualTo(new[] { "d", "d_log" }));
        Assert.That((await sql.RunAsync("RESTORE VERIFYONLY FROM DISK = 'd.bak'")).Story, Is.EqualTo("'The backup set on file 1 is valid.'"));
        await sql.RunAsync("DROP DATABASE d; RESTORE DATABASE d FROM DISK = 'd.bak' WITH NORECOVERY; RESTORE LOG d FROM DISK = 'd.bak' WITH FILE = 2");
        Assert.That((await sql.RunAsync("SELECT id FROM d.dbo.t")).Story, Is.EqualTo("[1] (1)"));
        Assert.That(
            (await sql.RunAsync("USE msdb; SELECT destination_database_name, restore_type, recovery FROM restorehistory")).Story,
            Does.EndWith("[d,D,False] [d,L,True] (2)"));
    }

    [Test]
    public async Task A_handler_sees_only_that_the_backup_ended()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("BEGIN TRY BACKUP LOG nope TO DISK = 'x' END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH");
        Assert.That(output.Story, Is.EqualTo("[3013] (1)"));
    }
}
