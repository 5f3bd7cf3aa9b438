using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <returns>True when the command is done; false when the operation ends later.</returns>
    private bool Dispatch(EngineSession session, EngineCommand command, Operation operation)
    {
        RequireMasterSpace(command);
        switch (command)
        {
            case SetSessionContext set:
                if (!session.SetContext(set.Key, set.Value, set.ReadOnly))
                {
                    throw new SqlErrorException(15664, 16, $"Cannot set key '{set.Key}' in the session context. The key has been set as read_only for this session.");
                }

                return true;
            case UseDatabase use:
                session.Database = Open(session, use.Name);
                return true;
            case KillSession kill:
                if (!Has(session.Login, "ALTER ANY CONNECTION", SecurableClass.Server, ""))
                {
                    throw new SqlErrorException(6102, 14, "User does not have permission to use the KILL statement.");
                }

                if (kill.SessionId == session.Id)
                {
                    throw new SqlErrorException(6104, 16, "Cannot use KILL to kill your own process.");
                }

                if (!_sessions.TryGetValue(kill.SessionId, out var victim))
                {
                    throw new SqlErrorException(6106, 16, $"Process ID {kill.SessionId} is not an active process ID.");
                }

                End(victim);
                return true;
            case Shutdown:
                if (!Has(session.Login, "SHUTDOWN", SecurableClass.Server, ""))
                {
                    throw new SqlErrorException(6004, 14, "User does not have permission to perform this action.");
                }

                operation.Inform(Errors.Make(6005, 10, "SHUTDOWN is in progress."));
                Environment.Exit();
                return true;
            case BeginTransaction:
                Begin(session);
                return true;
            case CommitTransaction:
                return Commit(session, operation);
            case RollbackTransaction:
                if (session.Transaction is null)
                {
                    throw new SqlErrorException(3903, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.");
                }

                Rollback(session);
                return true;
            case SaveTransaction save:
                (session.Transaction ?? throw new SqlErrorException(628, 16, "Cannot issue SAVE TRANSACTION when there is no active transaction.")).Save(save.Name);
                return true;
            case RollbackToSavepoint rollback:
                if (session.Transaction?.RollBackTo(rollback.Name) != true)
                {
                    throw new SqlErrorException(
                        6401, 16, $"Cannot roll back {rollback.Name}. No transaction or savepoint of that name was found.");
                }

                return true;
            case InsertRows insert:
                return Insert(session, insert, operation);
            case UpdateRows update:
                return Modify(session, update, "UPDATE", update.Change, operation);
            case DeleteRows delete:
                return Modify(session, delete, "DELETE", null, operation);
            case CreateTable create:
                return Create(session, create, operation);
            case DropTable drop:
                return Drop(session, drop, operation);
            case CreateDatabase create:
                RefuseInTransaction(session, "CREATE DATABASE");
                Create(session, create);
                return true;
            case DropDatabase drop:
                RefuseInTransaction(session, "DROP DATABASE");
                Drop(session, drop);
                return true;
            case AlterDatabase alter:
                RefuseInTransaction(session, "ALTER DATABASE");
                return Alter(session, alter, operation);
            case Checkpoint:
                CheckpointDatabase(session);
                return true;
            case Backup backup:
                RefuseInTransaction(session, "BACKUP DATABASE");
                BackUp(session, backup, operation);
                return true;
            case Restore restore:
                RefuseInTransaction(session, "RESTORE DATABASE");
                Restore(session, restore, operation);
                return true;
            case SetHadr set:
                RefuseInTransaction(session, "ALTER DATABASE");
                Alter(session, set);
                return true;
            case CreateUser create:
                return Create(session, create, operation);
            case AlterUser alter:
                return Alter(session, alter, operation);
            case DropUser drop:
                return Drop(session, drop, operation);
            case CreateRole create:
                return Create(session, create, operation);
            case AlterRole alter:
                return Alter(session, alter, operation);
            case DropRole drop:
                return Drop(session, drop, operation);
            case ChangePermissions change:
                return ChangePermissions(session, change, operation);
            case CreateGroup or DropGroup or AlterGroup:
                RefuseInTransaction(session, command switch
                {
                    CreateGroup => "CREATE AVAILABILITY GROUP",
                    DropGroup => "DROP AVAILABILITY GROUP",
                    _ => "ALTER AVAILABILITY GROUP",
                });
                return DispatchGroup(session, command, operation);
            default:
                Secure(session, command, operation);
                SaveMaster();
                return true;
        }
    }

    private void Secure(EngineSession session, EngineCommand command, Operation operation)
    {
        switch (command)
        {
            case CreateLogin create:
                Create(session, create);
                break;
            case AlterLogin alter:
                Alter(session, alter);
                break;
            case DropLogin drop:
                Drop(session, drop);
                break;
            case CreateServerRole create:
                Create(session, create);
                break;
            case AlterServerRole alter:
                Alter(session, alter);
                break;
            case DropServerRole drop:
                Drop(session, drop);
                break;
            case CreateMasterKey or RegenerateMasterKey or OpenMasterKey or CloseMasterKey or AlterMasterKeyEncryption or DropMasterKey or BackUpMasterKey or RestoreMasterKey:
                ChangeMasterKey(session, command);
                break;
            case CreateCertificate or LoadCertificate or GenerateCertificate or DropCertificate or BackUpCertificate:
                ChangeCertificates(session, command);
                break;
            case CreateEndpoint or AlterEndpoint or DropEndpoint:
                ChangeEndpoint(session, command);
                break;
            case AlterAuthorization alter:
                Alter(session, alter);
                break;
            case AddServer add:
                Add(session, add);
                break;
            case DropServer drop:
                Drop(session, drop);
                break;
            case Configure configure:
                Change(session, configure, operation);
                break;
            case Reconfigure:
                Install(session);
                break;
            default:
                throw new SqlErrorException(50505, 16, $"Statement '{command.GetType().Name}' is not simulated.");
        }
    }

    private static void RefuseInTransaction(EngineSession session, string statement)
    {
        if (session.InTransaction)
        {
            throw new SqlErrorException(574, 16, $"{statement} statement cannot be used inside a user transaction.");
        }
    }
}
