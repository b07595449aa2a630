package main

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The experiment of README, line by line: alice and bob talk over two of three nodes, of which hers is killed. What that
// one held for carol arrives at a third when it runs again, and alice is told, wherever she is.
func TestTheExperimentOfThreeNodes(t *testing.T) {
	folder, ports := t.TempDir(), freePorts(t, 5)
	peers := ports[:3]
	ofA := []string{"serve", "--node", "a", "--listen", ports[3], "--admin", ports[4], "--messages", "bolt:" + filepath.Join(folder, "a.db"),
		"--cluster", "nats://embedded", "--cluster-listen", peers[0], "--cluster-peers", strings.Join(peers, ",")}
	started := []*process{stormwheel(t, ofA...)}
	for i, name := range []string{"b", "c"} {
		started = append(started, startMember(t, i+1, peers, "--messages", "bolt:"+filepath.Join(folder, name+".db")))
	}
	a, b, c := ready(t, started[0]), ready(t, started[1]), ready(t, started[2])

	alice := chatter(t, t.TempDir(), a.listen, "alice", "--to", "bob")
	alice.until("connected to node a")
	bob := chatter(t, t.TempDir(), b.listen, "bob", "--to", "alice")
	bob.until("connected to node b")
	alice.say("are you there?")
	bob.until("alice: are you there?")
	alice.until("✓✓ bob: are you there?")
	bob.say("yes")
	alice.until("bob: yes")
	alice.say(":to carol bring the key")
	alice.until("✓ carol: bring the key")
	alice.say(":to bob")

	a.signal(syscall.SIGKILL)
	a.exit()
	alice.until("back on node")
	alice.say("still there?")
	bob.until("alice: still there?")
	alice.until("✓✓ bob: still there?")
	bob.say("I am")
	alice.until("bob: I am")

	waitFor(t, "b sees that a is dead", func() bool { return b.sees(2) })
	status := stormwheel(t, "cluster", "status", "--admin", b.admin)
	code, out := status.exit()
	gone := slices.ContainsFunc(out, func(line string) bool { return slices.Equal(strings.Fields(line)[:2], []string{"a", "gone"}) })
	if code != 0 || !gone {
		t.Errorf("exit %d, and it shows\n%s", code, strings.Join(out, "\n"))
	}

	carol := chatter(t, t.TempDir(), c.listen, "carol")
	carol.until("connected to node c")
	_ = ready(t, stormwheel(t, ofA...))
	carol.until("alice: bring the key")
	alice.until("✓✓ carol: bring the key")
	for _, p := range []*process{alice, bob, carol} {
		p.say(":q")
		if code, _ := p.exit(); code != 0 {
			t.Errorf("exit %d; it said\n%s", code, p.stderr.String())
		}
	}
}
