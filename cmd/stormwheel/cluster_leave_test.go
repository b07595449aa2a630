package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stormwheel/stormwheel/messaging/talk"
)

// startTalkers starts nodes a, b and so on that carry messages, each with a store of its own.
func startTalkers(t *testing.T, n int) []*node {
	t.Helper()
	return startCluster(t, n, "--messages", "bolt:{store}", "--drain-grace", "0s")
}

// Alice is on one node and bob on another: he gets what she writes, and she is told; what was written while he was
// away finds him where he comes.
func TestClusterBringsMessagesToUsersOfOtherNodes(t *testing.T) {
	all := startTalkers(t, 3)
	all[0].wantCall("POST", "/v1/users/bob/messages", `{"from":"shop","content":"before"}`, 200, `"result":"durable"`)
	bob := newPerson(t, "bob/phone", false, all[1].listen).online()
	bob.hears("shop: before")
	alice := newPerson(t, "alice/phone", false, all[2].listen).online()
	all[2].knowsOneOf("b")
	alice.says("bob", "hi", talk.Delivered)
	bob.hears("alice: hi")
	all[0].wantCall("POST", "/v1/users/bob/kick", `{}`, 200, `"sessions":1`)
}

// A node that leaves for good holds nothing when it exits with 0, and others have what it held.
func TestClusterLeaveHandsOverWhatWaits(t *testing.T) {
	all := startTalkers(t, 3)
	a, b := all[0], all[1]
	const n = 100
	for i := range n {
		a.wantCall("POST", "/v1/users/bob/messages", fmt.Sprintf(`{"from":"shop","content":"%d"}`, i), 200, `"result":"durable"`)
	}
	code, out := stormwheel(t, "cluster", "leave", "--admin", a.admin).exit()
	if code != 0 || len(out) != 1 || out[0] != "The node has left, and holds nothing." {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, _ := a.exit(); code != 0 {
		t.Errorf("the node exits %d: %s", code, a.stderr.String())
	}
	if got := b.messageStats().Queued + all[2].messageStats().Queued; got != n {
		t.Errorf("the others have %d messages, want %d", got, n)
	}
	bob := newPerson(t, "bob/phone", false, b.listen).online()
	for i := range n {
		bob.hears("shop: " + fmt.Sprint(i))
	}
}

// A node that is alone keeps what it has, and says so; by a signal it always does.
func TestClusterLeaveOfTheLastNodeFails(t *testing.T) {
	a := startTalkers(t, 1)[0]
	a.wantCall("POST", "/v1/users/bob/messages", `{"content":"hi"}`, 200, `"result":"durable"`)
	p := stormwheel(t, "cluster", "leave", "--admin", a.admin)
	if code, _ := p.exit(); code != 1 || !strings.Contains(p.stderr.String(), "1 messages are still here") {
		t.Errorf("exit %d, %s", code, p.stderr.String())
	}
	if code, _ := a.exit(); code != 1 {
		t.Errorf("the node exits %d: %s", code, a.stderr.String())
	}
	b := startTalkers(t, 1)[0]
	b.wantCall("POST", "/v1/users/bob/messages", `{"content":"hi"}`, 200, `"result":"durable"`)
	b.signal(syscall.SIGTERM)
	if code, _ := b.exit(); code != 0 || !strings.Contains(b.stderr.String(), "messages wait in the store") {
		t.Errorf("the node exits %d: %s", code, b.stderr.String())
	}
}
