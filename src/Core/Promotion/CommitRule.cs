namespace Agents.Promotion;

/// <summary>Rule S10: how many secondaries must harden a commit before the client sees it succeed.</summary>
public static class CommitRule
{
    /// <summary>
    /// REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT for a number of synchronous replicas, the primary included: 0 for two, because a lost
    /// secondary must not block writes there, else half of them rounded down.
    /// </summary>
    /// <param name="synchronousReplicas">Synchronous replicas, the primary included.</param>
    public static int RequiredSecondaries(int synchronousReplicas) => synchronousReplicas == 2 ? 0 : synchronousReplicas / 2;
}
