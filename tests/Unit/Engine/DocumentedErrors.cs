namespace Unit.Engine;

/// <summary>
/// The documented errors of availability groups: transport and metadata, role and configuration, external cluster type. Each is either
/// shown to occur by a test or excused, so that nothing documented is left out without a word.
/// </summary>
public sealed class DocumentedErrors
{
    private static readonly int[] All =
    [
        35200, 35201, 35202, 35204, 35206, 35207, 35208, 35210, 35212, 35214, 35217, 35220, 35221, 35228, 35229, 35232, 35233, 35234, 35235, 35236, 35237,
        35238, 35239, 35240, 35242, 35244, 35248, 35249, 35250, 35251, 35252, 35256, 35262, 35264, 35265, 35266, 35267, 35278, 35279, 35280, 35281, 35282,
        35283, 35284, 35294, 35295, 35296, 35297, 35298,
        19402, 19403, 19404, 19405, 19406, 19407, 19416, 19419, 19420, 19421, 19422, 19423, 19424, 19435, 41041, 41042, 41044, 41045, 41046, 41059, 41091,
        41094, 41100, 41104, 41106, 41113, 41121, 41122, 41126, 41131, 41132, 41133, 41134, 41136, 41138, 41140, 41142, 41143, 41144, 41145, 41146, 41147,
        41148, 41149, 41150, 41151, 41152, 41154, 41155, 41156, 41158, 41159, 41160, 41162, 41163, 41164, 41165, 41167, 41171, 41178, 41183, 41184, 41185,
        41186, 41187, 41188, 41189, 41190, 41191, 41195, 41197, 41198, 41199,
        .. Enumerable.Range(47100, 53), 19544,
    ];

    private static readonly Dictionary<int, byte> Severities = new()
    {
        [35236] = 15, [41197] = 15, [41198] = 15, [47110] = 15, [41138] = 17, [5011] = 14, [976] = 14, [978] = 14, [979] = 14, [982] = 14, [983] = 14, [927] = 14,
    };

    /// <summary>Why a documented error does not occur here.</summary>
    private static readonly (string Why, int[] Numbers)[] Excused =
    [
        ("needs a Windows cluster", [19405, 19419, 19420, 19421, 19422, 19423, 19424, 41131, 41134, 41146, 41162, 41163, 41164, 41171, 47103]),
        ("a lack of memory or of threads that is not modelled in groups", [35217, 41165]),
        ("the text of a log line whose event is there, without the number", [35201, 35204, 35206, 35207, 35256, 35264, 35265, 35266, 35267, 35278, 41059, 41094, 41121, 41147]),
        ("an inner error is answered directly, not wrapped", [41150, 41152, 41159, 41160, 41167, 41183, 41184, 41188, 41189]),
        ("another statement cannot be under way: the engine takes one at a time", [41138, 41154, 41155, 41156, 41178, 41186, 41187]),
        ("a start that is not complete cannot be seen: the instance takes logins once its groups are loaded", [41126, 41143, 41144, 41151]),
        ("a second FAILOVER starts the first anew", [41113]),
        ("one version only", [41191]),
        ("the same refusal has another of the documented numbers", [35251, 35252, 41044, 41045, 41046, 41136, 41148, 41195, 35279]),
        ("joining a joined database is answered 35280", [41132, 41145]),
        ("backups, see the tests of databases", [35294, 35295, 35296, 35297, 35298]),
        ("contained groups are not simulated", [.. Enumerable.Range(47123, 29)]),
        ("no limit of databases is modelled", [47152]),
    ];

    /// <summary>Shown by a test that is not a row of a table.</summary>
    private static readonly Dictionary<int, string> Elsewhere = new()
    {
        [35202] = nameof(GroupStateTests.The_error_log_tells_each_change_of_role),
        [19406] = nameof(GroupStateTests.The_error_log_tells_each_change_of_role),
        [19407] = nameof(UncertainFactTests.The_end_of_a_lease),
        [41091] = nameof(UncertainFactTests.The_end_of_a_lease),
        [41149] = nameof(UncertainFactTests.The_end_of_a_lease),
        [35200] = nameof(GroupStateTests.A_basic_group_has_two_replicas_one_database_and_nothing_to_read_elsewhere),
        [35233] = nameof(GroupStateTests.An_edition_has_its_number_of_replicas),
        [41158] = nameof(GroupStateTests.Express_creates_no_group_but_keeps_the_configuration_of_one),
        [41199] = nameof(GroupStateTests.Express_creates_no_group_but_keeps_the_configuration_of_one),
        [41185] = nameof(RefusalTests.A_modification_that_changes_nothing_says_so_and_keeps_the_sequence_number),
        [47104] = nameof(RefusalTests.Failover_needs_the_session_key),
        [47116] = nameof(RefusalTests.A_group_without_lease_takes_none),
        [35262] = nameof(GroupStateTests.The_error_log_tells_that_databases_wait_for_their_group),
        [41041] = nameof(GroupStateTests.A_renamed_instance_loses_its_group),
        [19435] = nameof(GroupStateTests.A_renamed_instance_loses_its_group),
        [19544] = nameof(GroupStateTests.A_name_has_at_most_64_characters),
        [35250] = nameof(GroupStateTests.A_database_joins_only_while_the_primary_is_there),
    };

    public static byte SeverityOf(int number) => Severities.GetValueOrDefault(number, (byte)16);

    [Test]
    public void Each_documented_error_occurs_or_is_excused()
    {
        var shown = GroupRefusalTests.Numbers.Concat(RefusalTests.Numbers).Concat(Elsewhere.Keys).ToHashSet();
        var excused = Excused.SelectMany(group => group.Numbers).ToHashSet();
        using var all = Assert.EnterMultipleScope();
        Assert.That(All.Except(shown).Except(excused), Is.Empty, "neither shown nor excused");
        Assert.That(shown.Intersect(excused), Is.Empty, "excused, and shown all the same");
        Assert.That(excused.Except(All), Is.Empty, "excused without being documented");
    }
}
