using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Several instances with one virtual clock, disks that outlive processes, and a network that can be cut. Nothing in it is random.</summary>
internal sealed class World
{
    private static readonly (byte[] Der, byte[] Key) Shared = MakeCertificate();

    private readonly PriorityQueue<Action, (TimeSpan, long)> _events = new();
    private readonly HashSet<(string, string)> _cuts = [];
    private long _order;
    private long _guid;
    private long _incoming;

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public Dictionary<string, Node> Nodes { get; } = [];

    /// <summary>Sees each message and each line of an error log, when set.</summary>
    public Action<string>? Witness { get; set; }

    /// <summary>Where identifiers come from: counted, unless a test wants chance.</summary>
    public Func<Guid>? Guids { get; init; }

    public static byte[] CertificateDer => Shared.Der;

    public Node Add(string name, Action<Node>? configure = null)
    {
        var node = new Node(this, name);
        configure?.Invoke(node);
        Nodes.Add(name, node);
        node.Start();
        node.Do(new CreateMasterKey("M4sterKey!pass"));
        node.Do(new GenerateCertificate("dbm", null, "dbm"));
        node.Do(new CreateEndpoint("dbm", 5022, "dbm") { Started = true });
        return node;
    }

    public void At(TimeSpan time, Action action) => _events.Enqueue(action, (time, _order++));

    public void Run(double seconds)
    {
        var end = Now + TimeSpan.FromSeconds(seconds);
        while (Step(end))
        {
        }

        Now = end;
    }

    /// <summary>Lets time pass until a condition holds; fails when it does not within a minute of virtual time.</summary>
    public void Until(Func<bool> condition, string what, double seconds = 60)
    {
        var end = Now + TimeSpan.FromSeconds(seconds);
        while (!condition())
        {
            if (!Step(end))
            {
                Assert.Fail($"Not within {seconds} s: {what}");
            }
        }
    }

    /// <summary>Loses everything between two nodes without a word, in both directions.</summary>
    public void Cut(string a, string b)
    {
        _cuts.Add((a, b));
        _cuts.Add((b, a));
    }

    public void Isolate(string name)
    {
        foreach (var other in Nodes.Keys.Where(other => other != name))
        {
            Cut(name, other);
        }
    }

    public void Heal() => _cuts.Clear();

    public bool IsCut(string a, string b) => _cuts.Contains((a, b));

    public Guid NextGuid()
    {
        if (Guids is not null)
        {
            return Guids();
        }

        var bytes = new byte[16];
        BitConverter.TryWriteBytes(bytes, ++_guid);
        return new Guid(bytes);
    }

    public long NextIncoming() => -++_incoming;

    private bool Step(TimeSpan end)
    {
        if (!_events.TryPeek(out _, out var next) || next.Item1 > end)
        {
            return false;
        }

        var action = _events.Dequeue();
        Now = next.Item1 > Now ? next.Item1 : Now;
        action();
        return true;
    }

    private static (byte[], byte[]) MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=dbm", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2090, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return (certificate.RawData, key.ExportPkcs8PrivateKey());
    }

    /// <summary>A machine: its disk stays, its process comes and goes.</summary>
    internal sealed class Node(World world, string name) : IEngineEnvironment
    {
        private readonly Dictionary<string, MemoryStream> _disk = [];
        private readonly Dictionary<long, (Node Peer, long Link)> _up = [];
        private readonly Dictionary<long, string> _dialling = [];
        private readonly Dictionary<long, Queue<byte[]>> _sent = [];
        private readonly List<Action> _held = [];
        private readonly List<Action> _afterwards = [];
        private readonly List<EngineSession> _ended = [];
        private int _life;
        private long _tick;
        private bool _listening;

        public string Name => name;

        public SqlInstance Instance { get; private set; } = null!;

        public bool IsRunning { get; private set; }

        public bool IsFrozen { get; private set; }

        public EngineSession Sa { get; private set; } = null!;

        public InstanceOptions Options { get; set; } = new() { MachineName = name, SaPassword = "Sa!Passw0rd" };

        public List<string> ErrorLog { get; } = [];

        public IReadOnlyList<EngineSession> Ended => _ended;

        public Group Group => Instance.Groups.Values.Single();

        public ReplicaRole Role => Group.Role;

        public void Start()
        {
            IsRunning = true;
            _life++;
            Instance = new SqlInstance(Options, this);
            RunAfterwards();
            Sa = LogIn();
        }

        public void Kill()
        {
            IsRunning = false;
            IsFrozen = false;
            _life++;
            _held.Clear();
            _afterwards.Clear();
            _listening = false;
            _dialling.Clear();
            foreach (var (link, peer) in _up.ToList())
            {
                Drop(link, peer);
            }
        }

        public void Restart()
        {
            Kill();
            Start();
        }

        /// <summary>SIGSTOP: nothing runs, connections stay up, time passes.</summary>
        public void Freeze() => IsFrozen = true;

        public void Thaw()
        {
            IsFrozen = false;
            var held = _held.ToList();
            _held.Clear();
            foreach (var action in held)
            {
                Enter(action);
            }
        }

        /// <summary>Makes something go wrong, until it is healed or the process ends.</summary>
        public void Inflict(Fault fault)
        {
            if (fault is Freeze)
            {
                Freeze();
            }
            else
            {
                Enter(() => Instance.Inflict(fault));
            }
        }

        /// <summary>Heals every fault.</summary>
        public void HealAll()
        {
            if (IsFrozen)
            {
                Thaw();
            }

            Enter(() => Instance.Heal(_ => true));
        }

        public void TearTail(string file, int bytes) => _disk[file].SetLength(_disk[file].Length - bytes);

        public void Garble(string file) => _disk[file].GetBuffer()[_disk[file].Length - 1] ^= 0xFF;

        /// <summary>A file as it lies on the disk, to be damaged in place.</summary>
        public Span<byte> Bytes(string file) => _disk[file].GetBuffer().AsSpan(0, (int)_disk[file].Length);

        public IEnumerable<string> Files => _disk.Keys;

        public EngineSession LogIn(string database = "", bool readOnly = false, string user = "sa", string password = "Sa!Passw0rd")
        {
            var result = Instance.LogIn(new LoginRequest(user, password, database, readOnly, "test", "test"));
            return result.Session ?? throw new SqlErrorException(result.Errors[0]);
        }

        public Operation Begin(EngineCommand command, EngineSession? session = null)
        {
            Operation? operation = null;
            Enter(() => operation = Instance.Execute(session ?? Sa, command));
            return operation!;
        }

        /// <summary>Runs a command to its end and expects success.</summary>
        public Operation Do(EngineCommand command, EngineSession? session = null)
        {
            var operation = Begin(command, session);
            world.Until(() => operation.IsCompleted, $"{command} on {name}");
            Assert.That(operation.Error, Is.Null, $"{command} on {name}");
            return operation;
        }

        /// <summary>Runs a command to its end and returns its error's number.</summary>
        public int Try(EngineCommand command, EngineSession? session = null)
        {
            var operation = Begin(command, session);
            world.Until(() => operation.IsCompleted, $"{command} on {name}");
            return operation.Error?.Number ?? 0;
        }

        public void FailOver(string group = "ag1", bool force = false)
        {
            Do(new SetSessionContext("external_cluster", "yes"));
            Do(new FailOver(group, force));
        }

        public int TryFailOver(string group = "ag1", bool force = false)
        {
            Do(new SetSessionContext("external_cluster", "yes"));
            return Try(new FailOver(group, force));
        }

        public IReadOnlyList<Dictionary<string, object?>> View(string view, EngineSession? session = null)
        {
            var found = SystemCatalog.Find("sys", view)!;
            return
            [
                .. found.Rows(Instance, session ?? Sa)
                    .Select(row => found.Columns.Zip(row).ToDictionary(pair => pair.First.Name, pair => pair.Second)),
            ];
        }

        public IReadOnlyList<object?> Values(string table = "t", string database = "db1")
        {
            // Looks below the access rules, at what this copy shows.
            var found = Instance.FindTables(database)!.Find("dbo", table);
            return found is null ? [] : [.. found.Rows.Values.Select(row => row[0])];
        }

        TimeSpan IEngineEnvironment.Now => world.Now;

        public DateTime UtcNow =>
            new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) + world.Now + (Instance?.Fault<ClockJump>()?.Offset ?? TimeSpan.Zero);

        public Guid NewGuid() => world.NextGuid();

        public void Random(Span<byte> buffer) => buffer.Fill(7);

        public (byte[] Certificate, byte[] PrivateKey) CreateCertificate(string subject, DateTime notBefore, DateTime notAfter) => Shared;

        public byte[]? Read(string file) => _disk.TryGetValue(file, out var content) ? content.ToArray() : null;

        /// <summary>Ends the process at one of its writes.</summary>
        public PowerCut? Cut { get; set; }

        public void Replace(string file, byte[] content) => Write(() =>
        {
            _disk[file] = new MemoryStream();
            Extend(file, content);
        });

        public void Append(string file, ReadOnlySpan<byte> bytes)
        {
            var kept = Cut?.Next(bytes.Length) ?? bytes.Length;
            if (Cut is { Behind: true })
            {
                // The negative control: what was written last is not there yet.
                Cut.Settle();
                var late = bytes[..kept].ToArray();
                Cut.Late = () => Extend(file, late);
            }
            else
            {
                Extend(file, bytes[..kept]);
            }

            Cut?.ThrowIfReached();
        }

        public void Truncate(string file, long length) => Write(() => _disk[file].SetLength(length));

        public void Delete(string file) => Write(() => _disk.Remove(file));

        // Happens as a whole or not at all.
        private void Write(Action write)
        {
            if (Cut?.Next(1) != 0)
            {
                Cut?.Settle();
                write();
            }

            Cut?.ThrowIfReached();
        }

        private void Extend(string file, ReadOnlySpan<byte> bytes)
        {
            if (!_disk.TryGetValue(file, out var content))
            {
                _disk[file] = content = new MemoryStream();
            }

            content.Position = content.Length;
            content.Write(bytes);
        }

        public byte[]? ReadServerFile(string path) => Read(path);

        public bool CreateServerFile(string path, byte[] content)
        {
            if (Read(path) is not null)
            {
                return false;
            }

            Replace(path, content);
            return true;
        }

        public void Listen(int port) => _listening = true;

        public void StopListening()
        {
            _listening = false;
            foreach (var (link, peer) in _up.Where(pair => pair.Key < 0).ToList())
            {
                Drop(link, peer);
            }
        }

        public void OpenLink(long link, string url)
        {
            _dialling[link] = url;
            Schedule(1, () => Dial(link));
        }

        public void CloseLink(long link)
        {
            _dialling.Remove(link);
            if (_up.TryGetValue(link, out var peer))
            {
                // Behind what was sent before.
                _afterwards.Add(() => Drop(link, peer));
            }
        }

        public void Send(long link, byte[] message) => _afterwards.Add(() =>
        {
            if (_up.TryGetValue(link, out var peer))
            {
                world.Witness?.Invoke($"{world.Now} {name} to {peer.Peer.Name}: {System.Text.Encoding.UTF8.GetString(message)}");
                if (!_sent.TryGetValue(link, out var queue))
                {
                    _sent[link] = queue = new Queue<byte[]>();
                }

                queue.Enqueue(message);
                peer.Peer.Schedule(1, () => Deliver(peer, queue));
            }
        });

        // As TCP does: in order, and again when the network is back, while the connection lasts.
        private void Deliver((Node Peer, long Link) peer, Queue<byte[]> queue)
        {
            if (!peer.Peer._up.ContainsKey(peer.Link))
            {
                return;
            }

            if (world.IsCut(name, peer.Peer.Name))
            {
                peer.Peer.Schedule(20, () => Deliver(peer, queue));
                return;
            }

            peer.Peer.Instance.Receive(peer.Link, queue.Dequeue());
        }

        public void RequestTick(TimeSpan at)
        {
            var tick = ++_tick;
            var life = _life;
            world.At(at > world.Now ? at : world.Now + TimeSpan.FromMilliseconds(1), () =>
            {
                if (tick == _tick && life == _life)
                {
                    Enter(() => Instance.Tick());
                }
            });
        }

        public void Log(string message)
        {
            world.Witness?.Invoke($"{world.Now} {name}: {message}");
            ErrorLog.Add(message);
        }

        public void EndSession(EngineSession session) => _ended.Add(session);

        public void Exit() => Kill();

        private void Dial(long link)
        {
            if (!_dialling.TryGetValue(link, out var url) || _up.ContainsKey(link))
            {
                return;
            }

            var host = new Uri(url).Host;
            if (!world.Nodes.Keys.Contains(host, StringComparer.OrdinalIgnoreCase))
            {
                Instance.LinkUnresolved(link);
            }

            if (world.Nodes.FirstOrDefault(pair => pair.Key.Equals(host, StringComparison.OrdinalIgnoreCase)).Value is { IsRunning: true, _listening: true } peer
                && !world.IsCut(name, peer.Name) && !peer.IsFrozen
                && Instance.Fault<ExpiredCertificate>() is null && peer.Instance.Fault<ExpiredCertificate>() is null)
            {
                var incoming = world.NextIncoming();
                _up[link] = (peer, incoming);
                peer._up[incoming] = (this, link);
                peer.Schedule(0, () => peer.Instance.LinkUp(incoming));
                Instance.LinkUp(link);
                return;
            }

            Schedule(100, () => Dial(link));
        }

        private void Drop(long link, (Node Peer, long Link) peer)
        {
            if (!_up.Remove(link))
            {
                return;
            }

            _sent.Remove(link);
            if (peer.Peer.IsRunning)
            {
                peer.Peer.Lost(peer.Link);
            }

            if (link > 0 && IsRunning && _dialling.ContainsKey(link))
            {
                Schedule(100, () => Dial(link));
            }
        }

        private void Lost(long link) => Schedule(2, () =>
        {
            if (!_up.Remove(link, out var peer))
            {
                return;
            }

            if (world.IsCut(name, peer.Peer.Name))
            {
                // Nobody tells.
                _up[link] = peer;
                Lost(link);
                return;
            }

            _sent.Remove(link);
            Instance.LinkDown(link, "closed");
            if (_dialling.ContainsKey(link))
            {
                Schedule(100, () => Dial(link));
            }
        });

        private void Schedule(double milliseconds, Action action)
        {
            var life = _life;
            world.At(world.Now + TimeSpan.FromMilliseconds(milliseconds), () =>
            {
                if (life != _life)
                {
                    return;
                }

                if (IsFrozen)
                {
                    _held.Add(action);
                }
                else
                {
                    Enter(action);
                }
            });
        }

        private void Enter(Action action)
        {
            if (IsFrozen)
            {
                _held.Add(action);
                return;
            }

            try
            {
                action();
            }
            catch (PowerCut.Exception)
            {
                Cut = null;
                Kill();
                return;
            }

            RunAfterwards();
        }

        private void RunAfterwards()
        {
            for (var index = 0; index < _afterwards.Count; index++)
            {
                _afterwards[index]();
            }

            _afterwards.Clear();
        }
    }
}
