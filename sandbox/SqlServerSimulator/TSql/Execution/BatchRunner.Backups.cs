using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Execution;

internal sealed partial class BatchRunner
{
    private void Inspect(InspectBackupStatement statement)
    {
        var what = statement.Kind switch
        {
            BackupInspection.HeaderOnly => "HEADERONLY",
            BackupInspection.FileListOnly => "FILELIST",
            BackupInspection.LabelOnly => "LABELONLY",
            _ => "VERIFY DATABASE",
        };
        if (_session.TransactionCount > 0) throw new SqlErrorException(3021, 16, "Cannot perform a backup or restore operation within a transaction.");
        if (Look(_ => !_session.Instance.HasPermission(_session.Engine, "CREATE ANY DATABASE")))
            throw new SqlErrorException(262, 14, $"{(statement.Kind == BackupInspection.VerifyOnly ? "VERIFY" : what)} permission denied in database 'master'.");
        try
        {
            var found = statement.Devices.Select(device => _session.Gate.Read(instance => BackupCatalog.Inspect(instance, statement.Kind, device, statement.File))).ToList();
            if (statement.Kind == BackupInspection.VerifyOnly)
            {
                _output.Message(new SqlError(3262, 0, 1, $"The backup set on file {statement.File ?? 1} is valid.", Line: statement.Line));
                Done(null);
                return;
            }

            _output.Columns(found[0].Columns);
            foreach (var row in found[0].Rows) _output.Row(row);
            Done(found[0].Rows.Count);
        }
        catch (SqlErrorException error)
        {
            if (_tries == 0) _output.Message(error.Error with { Line = statement.Line });
            throw new SqlErrorException(3013, 16, $"{what} is terminating abnormally.");
        }
    }
}
