package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// A NATS that is not there is named, without the password.
func TestClusterNamesTheNATSThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	addr := freePorts(t, 1)[0]
	p := stormwheel(t, "serve", "--node", "a", "--listen", "127.0.0.1:0", "--cluster", "nats://me:hush@"+addr)
	code, _ := p.exit()
	if said := p.stderr.String(); code != 1 || !strings.Contains(said, "--cluster: nats://me:xxxxx@"+addr+": ") || strings.Contains(said, "hush") {
		t.Errorf("exit %d: %s", code, said)
	}
}

func TestClusterFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"--cluster nats://embedded", "--cluster needs --node"},
		{"--cluster nats://embedded --node a.b", `--node: in a cluster a name has 1 to 64 letters, digits, - and _, unlike "a.b"`},
		{"--cluster embedded --node a", `--cluster must be nats://embedded, or nats://HOST:PORT`},
		{"--cluster nats://embedded,nats://b:4222 --node a", `--cluster must be nats://embedded, or nats://HOST:PORT`},
		{"--cluster nats://embedded --node a --cluster-homes-above 0", `--cluster-homes-above must be a number of nodes, or negative`},
		{"--cluster nats://embedded --node a --cluster-name x.y", `--cluster-name must have`},
		{"--cluster nats://embedded --node a --cluster-listen 0.0.0.0:6222", "--cluster-listen 0.0.0.0:6222 is beyond loopback, where anybody could join: it needs --cluster-secret-file"},
		{"--cluster nats://embedded --node a --cluster-listen :6222", "--cluster-listen :6222 is beyond loopback"},
		{"--cluster nats://embedded --node a --cluster-listen nowhere", `--cluster-listen: "nowhere" is not host:port`},
		{"--cluster nats://embedded --node a --cluster-peers nowhere", `--cluster-peers: "nowhere" is not host:port`},
		{"--cluster nats://embedded --node a --cluster-peers dns:nowhere", `--cluster-peers: "nowhere" is not host:port`},
		{"--cluster nats://embedded --node a --cluster-tls-cert x", "--cluster-tls-cert and --cluster-tls-key go together"},
		{"--cluster nats://embedded --node a --cluster-tls-cert x --cluster-tls-key y", "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca go together"},
		{"--cluster nats://embedded --node a --cluster-creds x", "--cluster-creds is for a NATS that is there"},
		{"--cluster nats://127.0.0.1:4222 --node a --cluster-peers b:6222", "--cluster-peers is for --cluster nats://embedded"},
		{"--cluster nats://embedded --node a --listen 0.0.0.0:7000", "--listen does not say where clients reach this node: --cluster needs --cluster-advertise, too"},
		{"--cluster nats://embedded --node a --cluster-advertise 10.0.0.1", `--cluster-advertise: "10.0.0.1" is not host:port`},
		{"--cluster-peers b:6222", "--cluster-peers needs --cluster"},
		{"--duplicates always", "--duplicates must be stand-beside, replace or refuse"},
	} {
		p := stormwheel(t, append([]string{"serve"}, strings.Fields(tc.args)...)...)
		code, out := p.exit()
		if said := p.stderr.String(); code != exitUsage || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tc.want) {
			t.Errorf("serve %s: exit %d, output %q, error %q; want exit %d and one line with %q", tc.args, code, out, said, exitUsage, tc.want)
		}
	}
}

// took waits for something, and returns how long that was.
func took(t *testing.T, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	waitFor(t, what, ok)
	return time.Since(began)
}

// Three real processes: who is ready has seen the others; who is killed is seen to be gone, and who is frozen is, until he
// comes back.
func TestClusterOfThreeSeesWhoGoesAndComes(t *testing.T) {
	t.Parallel()
	all := startCluster(t, 3)
	a, b, c := all[0], all[1], all[2]
	for _, n := range all {
		n.untilSaid(`msg="cluster: ready" live="[a b c]"`)
	}
	waitFor(t, "all see all", func() bool { return a.sees(3) && b.sees(3) && c.sees(3) })
	b.signal(syscall.SIGSTOP)
	frozen := took(t, "a and c see that b is frozen", func() bool { return a.sees(2) && c.sees(2) })
	t.Logf("frozen: noticed after %v", frozen)
	if m := a.member("b"); m.State != "gone" {
		t.Errorf("a says of the frozen node %+v", m)
	}
	b.signal(syscall.SIGCONT)
	back := took(t, "all see all", func() bool { return a.sees(3) && b.sees(3) && c.sees(3) })
	t.Logf("back: noticed after %v", back)
	c.signal(syscall.SIGKILL)
	killed := took(t, "a and b see that c is dead", func() bool { return a.sees(2) && b.sees(2) })
	t.Logf("killed: noticed after %v", killed)
	for _, line := range []string{`msg="cluster: a node is gone" peer=b`, `msg="cluster: a node is up" peer=b`, `msg="cluster: a node is gone" peer=c`} {
		a.untilSaid(line)
	}
	if _, body := a.get("GET", "/metrics"); !strings.Contains(body, "\nstormwheel_cluster_live 2\n") || !strings.Contains(body, `stormwheel_cluster_member{peer="c",state="gone"} 1`) {
		t.Errorf("/metrics does not tell who lives")
	}
	a.signal(syscall.SIGTERM)
	if code, _ := a.exit(); code != 0 {
		t.Errorf("a exits %d: %s", code, a.stderr.String())
	}
	waitFor(t, "b is alone, and a has left", func() bool { return b.sees(1) && b.member("a").State == "left" })
	b.untilSaid(`level=INFO msg="cluster: a node has left" peer=a`)
	if log := b.stderr.String(); strings.Contains(log, `a node is gone" peer=a`) {
		t.Errorf("b's log has a for gone, not for one that left:\n%s", log)
	}
}

// Who was frozen finds its connections closed, since the others took it for dead. It takes nobody for dead for that.
func TestClusterNodeThatWakesTakesNobodyForDead(t *testing.T) {
	t.Parallel()
	all := startCluster(t, 3)
	a, b, c := all[0], all[1], all[2]
	for _, asleep := range []time.Duration{0, 3 * time.Second} { // since the others noticed
		waitFor(t, "all see all", func() bool { return a.sees(3) && b.sees(3) && c.sees(3) })
		b.signal(syscall.SIGSTOP)
		waitFor(t, "a and c see that b is frozen", func() bool { return a.sees(2) && c.sees(2) })
		time.Sleep(asleep)
		before := len(b.stderr.String())
		b.signal(syscall.SIGCONT)
		waitFor(t, "a and c see b", func() bool { return a.sees(3) && c.sees(3) })
		if log := b.stderr.String()[before:]; !b.sees(3) || strings.Contains(log, "a node is gone") {
			t.Errorf("b was frozen, and takes others for dead:\n%s", log)
		}
	}
	a.signal(syscall.SIGKILL)
	waitFor(t, "b sees that a is dead", func() bool { return b.sees(2) })
}

// A client is at one node, whichever it logs in at, and knows the others by what the nodes tell.
func TestClusterHasOneSessionAClientAndTellsTheOthers(t *testing.T) {
	t.Parallel()
	all := startCluster(t, 2, "--drain-grace", "0s")
	a, b := all[0], all[1]
	first := join(t, client.Config{Endpoints: []string{a.listen}, ID: "alice"})
	second := join(t, client.Config{Endpoints: []string{b.listen}, ID: "alice"})
	waitFor(t, "one is left", func() bool {
		return first.Info().State == client.Stopped && second.Info().State == client.Ready
	})
	waitFor(t, "b names a", func() bool {
		_, body := b.get("GET", "/settings")
		return strings.Contains(body, a.listen)
	})
	// b goes: the client finds a, of which nobody but b has told it.
	b.signal(syscall.SIGTERM)
	waitFor(t, "it is at a", func() bool { return second.Info().Node == "a" && second.Info().State == client.Ready })
	if code, _ := b.exit(); code != 0 || second.Info().Losses != 0 {
		t.Errorf("b exits %d, and its client had %d losses: %s", code, second.Info().Losses, b.stderr.String())
	}
}

func TestClusterNeedsTheSecret(t *testing.T) {
	dir := t.TempDir()
	secret := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(strings.Repeat(text, 40)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, bad := secret("good", "x"), secret("bad", "y")
	peers := freePorts(t, 3)
	pa, pb := startMember(t, 0, peers[:2], "--cluster-secret-file", good), startMember(t, 1, peers[:2], "--cluster-secret-file", good)
	a, b := ready(t, pa), ready(t, pb)
	waitFor(t, "they see each other", func() bool { return a.sees(2) && b.sees(2) })
	stranger := startMember(t, 2, peers, "--cluster-secret-file", bad)
	waitFor(t, "the stranger says so", func() bool {
		return strings.Count(stranger.stderr.String(), `msg="cluster: no connection with a peer"`) >= 2
	})
	if a.member("c").Node != "" || b.member("c").Node != "" {
		t.Errorf("a stranger is let in: %+v", a.cluster())
	}
}

func TestClusterStatusIsATable(t *testing.T) {
	all := startCluster(t, 2)
	waitFor(t, "all see all", func() bool { return all[0].sees(2) && all[1].sees(2) })
	code, out := stormwheel(t, "cluster", "status", "--admin", all[0].admin).exit()
	if code != 0 || len(out) != 4 {
		t.Fatalf("exit %d, %q", code, out)
	}
	for i, want := range []string{"NODE", "a *", "b ", "2 live; * asked."} {
		if !strings.HasPrefix(out[i], want) {
			t.Errorf("line %d is %q, want %q", i, out[i], want)
		}
	}
	if !strings.Contains(out[2], "serving") || !strings.Contains(out[2], all[1].listen) {
		t.Errorf("of the other: %q", out[2])
	}
	code, out = stormwheel(t, "cluster", "status", "--json", "--admin", all[0].admin).exit()
	var st cluster.Status
	if err := json.Unmarshal([]byte(strings.Join(out, "\n")), &st); code != 0 || err != nil || st.Live != 2 || st.Node != "a" {
		t.Errorf("--json: exit %d, %v, %q", code, err, out)
	}
	alone := serve(t)
	p := stormwheel(t, "cluster", "status", "--admin", alone.admin)
	if code, _ = p.exit(); code != 1 || !strings.Contains(p.stderr.String(), "of no cluster") {
		t.Errorf("of a node that is alone: exit %d, %s", code, p.stderr.String())
	}
}

// Of a node that is gone its clients are not told; one that is heard and does not hear us says so.
func TestClusterStatusOfWhoIsGone(t *testing.T) {
	st := clusterAnswer{Status: cluster.Status{Node: "a", Live: 1, Members: []cluster.Member{
		{Node: "a", Self: true, State: "serving", Sessions: 71}, {Node: "b", State: "gone", Sessions: 72, Places: 82, AdmitRate: 92},
		{Node: "c", State: "left", Sessions: 73, Places: 83}, {Node: "d", State: "gone", Deaf: true, Sessions: 74}}},
		Bus: natsbus.Stats{Refusals: []natsbus.Refusal{{Peer: "10.0.0.9", Why: "it is another's"}}}}
	var out strings.Builder
	if err := writeStatus(&out, st); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"NODE STATE", "a * serving 0s 71 0 0/s", "b gone 0s - - -", "c left 0s - - -", "d gone, does not hear us 0s - - -", "No connection with 10.0.0.9: it is another's."} {
		if got := strings.Join(strings.Fields(lines[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

// The same name twice: the second that starts ends, and nobody notices. It finds the first by its address, or by the other's.
func TestClusterRefusesASecondNodeOfAName(t *testing.T) {
	t.Parallel()
	peers := freePorts(t, 3)
	pa, pb := startMember(t, 0, peers[:2]), startMember(t, 1, peers[:2])
	a, b := ready(t, pa), ready(t, pb)
	for _, known := range peers[:2] {
		again := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--node", "a",
			"--cluster", "nats://embedded", "--cluster-listen", peers[2], "--cluster-peers", known)
		code, out := again.exit()
		if said := again.stderr.String(); code != 1 || len(out) != 0 || !strings.Contains(said, `--node: another node has the name "a", and is connected already: `) {
			t.Errorf("by %s: exit %d, output %q: %s", known, code, out, said)
		}
	}
	for _, n := range []*node{a, b} {
		if st := n.cluster(); st.Live != 2 || st.Counts.Downs != 0 {
			t.Errorf("%s sees %+v", n.name, st)
		}
	}
}

// Who is not there is named, and waited for: a name without an address stands for somebody, too.
func TestClusterSaysWhoIsMissing(t *testing.T) {
	t.Parallel()
	peers := freePorts(t, 2)
	for _, missing := range []string{peers[1], "dns:nope.invalid:6222"} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			n := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--node", "a",
				"--cluster", "nats://embedded", "--cluster-listen", "127.0.0.1:0", "--cluster-peers", missing)
			waitFor(t, "it says who", func() bool {
				return strings.Contains(n.stderr.String(), "expected=2 missing=\"["+missing+" (")
			})
		})
	}
}

// Users at two nodes talk, and what waits for one finds him wherever he logs in.
func TestClusterCarriesMessages(t *testing.T) {
	t.Parallel()
	all := startCluster(t, 2, "--messages", "memory")
	a, b := all[0], all[1]
	alice := newPerson(t, "alice", false, a.listen).online()
	bob := newPerson(t, "bob", false, b.listen).online()
	a.knowsOneOf("b")
	alice.says("bob", "hello", talk.Delivered)
	bob.hears("alice: hello")
	bob.stop()
	waitFor(t, "bob has gone", func() bool { return b.cluster().Counts.Sessions == 0 })
	alice.says("bob", "for later", talk.Held)
	newPerson(t, "bob", false, b.listen).hears("alice: for later")
}

// Two drains at a time would hand clients to and fro: the second waits, unless it is told twice.
func TestClusterDrainsOneAtATime(t *testing.T) {
	t.Parallel()
	all := startCluster(t, 3, "--drain-grace", "0s")
	a, b := all[0], all[1]
	stays := dial(t, a.listen)
	stays.join() // and never goes, so that a drains for a while
	a.signal(syscall.SIGTERM)
	waitFor(t, "b knows that a drains", func() bool { return b.member("a").State == "draining" })
	b.signal(syscall.SIGTERM)
	waitFor(t, "b waits", func() bool {
		return strings.Contains(b.stderr.String(), `msg="cluster: waiting until another node has handed its clients over" peer=a`)
	})
	stays.conn.Close()
	for _, n := range []*node{a, b} {
		if code, _ := n.exit(); code != 0 {
			t.Errorf("%s exits %d: %s", n.name, code, n.stderr.String())
		}
	}
	waitFor(t, "the third sees that both have left", func() bool {
		c := all[2]
		return c.sees(1) && c.member("a").State == "left" && c.member("b").State == "left"
	})
}

// By a NATS that is there, nodes that know nothing of each other meet.
func TestClusterByAnExistingNATS(t *testing.T) {
	t.Parallel()
	nats := startNATS(t, natsserver.RANDOM_PORT)
	a := serve(t, "--node", "a", "--cluster", nats.ClientURL())
	b := serve(t, "--node", "b", "--cluster", nats.ClientURL())
	waitFor(t, "they see each other", func() bool { return a.sees(2) && b.sees(2) })
	b.signal(syscall.SIGKILL)
	t.Logf("killed: noticed after %v", took(t, "a sees that b is dead", func() bool { return a.sees(1) }))
}

func TestClusterPageIsTrue(t *testing.T) {
	page := readDoc(t, "../../docs/CLUSTER.md")
	all := make(chan *prometheus.Desc, 100)
	clusterCollector{}.Describe(all)
	close(all)
	var names []string
	for d := range all {
		name, _, _ := strings.Cut(strings.TrimPrefix(d.String(), `Desc{fqName: "`), `"`)
		names = append(names, name)
	}
	sameRows(t, "metrics", column(t, page, "| metric | meaning |", 1), names)
	for _, sentence := range []string{fmt.Sprintf("or %d s have passed", int(meetTime.Seconds()))} {
		if !strings.Contains(page, sentence) {
			t.Errorf("CLUSTER.md does not say %q", sentence)
		}
	}
}
