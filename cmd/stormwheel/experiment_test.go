package main

import (
	"path/filepath"
	"syscall"
	"testing"
)

// The experiment of README, line by line: alice and bob talk at a node that is killed, and at the other one then. What
// the dead one held for carol arrives when it runs again, and alice is told when she is there.
func TestTheClassicExperimentOfTwoWhoTalk(t *testing.T) {
	folder := t.TempDir()
	b := serve(t, "--node", "b", "--messages", "bolt:"+filepath.Join(folder, "b.db"), "--drain-grace", "200ms", "--failover-rate", "1000")
	inFile := []string{"--node", "a", "--alternates", b.listen, "--messages", "bolt:" + filepath.Join(folder, "a.db")}
	a := serve(t, inFile...)
	b.patch(`{"alternates":["` + a.listen + `"]}`)

	alice := chatter(t, t.TempDir(), a.listen, "alice", "--to", "bob")
	alice.until("connected to node a")
	bob := chatter(t, t.TempDir(), a.listen, "bob", "--to", "alice")
	bob.until("connected to node a")
	alice.say("are you there?")
	bob.until("alice: are you there?")
	alice.until("✓✓ bob: are you there?")
	bob.say("yes")
	alice.until("bob: yes")
	alice.say(":to carol bring the key")
	alice.until("✓ carol: bring the key")

	a.signal(syscall.SIGKILL)
	a.exit()
	alice.until("back on node b")
	bob.until("back on node b")
	alice.say("still there?")
	bob.until("alice: still there?")
	alice.until("✓✓ bob: still there?")
	bob.say("I am")
	alice.until("bob: I am")

	_ = ready(t, stormwheel(t, append([]string{"serve", "--listen", a.listen, "--admin", a.admin}, inFile...)...))
	carol := chatter(t, t.TempDir(), a.listen, "carol")
	carol.until("alice: bring the key")
	b.signal(syscall.SIGTERM)
	alice.until("moved to node a")
	bob.until("moved to node a")
	alice.until("✓✓ carol: bring the key")
	for _, p := range []*process{alice, bob, carol} {
		p.say(":q")
		if code, _ := p.exit(); code != 0 {
			t.Errorf("exit %d; it said\n%s", code, p.stderr.String())
		}
	}
}
