//go:build !nonats

package natsbus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What is wrong is told by both sides, and in these words; the server itself says it in others.
func TestWhoIsNotLetInIsToldWhy(t *testing.T) {
	t.Parallel()
	good, bad := [][]byte{secret("a")}, [][]byte{secret("b")}
	for name, tc := range map[string]struct {
		own, other        Config
		ownSays, otherSay string
	}{
		"another secret":  {Config{Node: "a", Secrets: good}, Config{Node: "s", Secrets: bad}, whySecret, whySecret},
		"no secret":       {Config{Node: "a", Secrets: good}, Config{Node: "s"}, whyPlain, whyEncrypted},
		"a secret":        {Config{Node: "a"}, Config{Node: "s", Secrets: good}, whyEncrypted, whyPlain},
		"another cluster": {Config{Node: "a"}, Config{Node: "s", Name: "other"}, whyName, whyName},
		"the same name":   {Config{Node: "a", Secrets: good}, Config{Node: "a", Secrets: good}, whyTwin, whyTwin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.own.Listen, tc.other.Listen = "127.0.0.1:0", "127.0.0.1:0"
			a := open(t, tc.own)
			tc.other.Peers = []string{a.RouteAddr()}
			s := open(t, tc.other)
			until(t, "a says why", func() bool { return says(a, "127.0.0.1", tc.ownSays) })
			until(t, "the other says why", func() bool { return says(s, a.RouteAddr(), tc.otherSay) })
			if name != "the same name" {
				if len(a.NameTaken())+len(s.NameTaken()) != 0 {
					t.Errorf("a name is taken")
				}
				return
			}
			for _, b := range []*Bus{a, s} {
				if err := receive(t, b.NameTaken()); !strings.Contains(err.Error(), `another node has the name "a"`) {
					t.Errorf("it says %v", err)
				}
			}
		})
	}
}

func says(b *Bus, peer, why string) bool {
	all := b.Stats().Refusals
	return len(all) == 1 && all[0] == Refusal{peer, why}
}

// Of its own address in its list, and of peers that come and go, nothing is said.
func TestNothingIsSaidOfWhatIsNoFault(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	a := open(t, Config{Node: "a", Listen: ports[0], Peers: ports})
	b := open(t, Config{Node: "b", Listen: ports[1], Peers: ports})
	until(t, "they meet", func() bool { return a.Stats().Routes == 1 && b.Stats().Routes == 1 })
	_ = b.Close()
	until(t, "b has gone", func() bool { return a.Stats().Routes == 0 })
	if all := a.Stats().Refusals; len(all) != 0 || len(a.NameTaken()) != 0 {
		t.Errorf("a says %+v", all)
	}
}

// The same of the same peer is told once a minute, and nothing of one that does not listen for 10 s.
func TestRefusalsAreToldSeldom(t *testing.T) {
	var told bytes.Buffer
	l := newLogger(Config{Node: "a", Peers: []string{"10.0.0.2:6222"}, Logger: slog.New(slog.NewTextHandler(&told, nil))})
	lines := func() int { return strings.Count(told.String(), "\n") }
	at := l.began
	hear := func(after time.Duration, text string, want int) {
		t.Helper()
		at = at.Add(after)
		if l.hear(text, at); lines() != want {
			t.Errorf("%d lines after %q, want %d:\n%s", lines(), text, want, told.String())
		}
	}
	const refused = "Error trying to connect to route (attempt 1): dial tcp 10.0.0.2:6222: connect: connection refused"
	hear(0, refused, 0)
	hear(quietTime, refused, 1)
	hear(time.Second, refused, 1)
	if len(l.now()) == 0 {
		t.Error("who cannot be reached is not named")
	}
	hear(0, "10.0.0.2:6222 - rid:6 - Route connection created", 1)
	if all := l.now(); len(all) != 0 {
		t.Errorf("%+v is said of who was reached since", all)
	}
	hear(time.Second, refused, 1)
	if len(l.now()) == 0 {
		t.Error("who cannot be reached again is not named")
	}
	const bad = " - TLS route handshake error: remote error: tls: bad certificate"
	hear(0, "10.0.0.3:40001 - rid:7"+bad, 2)
	hear(time.Second, "10.0.0.3:40002 - rid:8"+bad, 2) // another port, the same peer
	hear(0, "10.0.0.4:40001 - rid:9"+bad, 3)
	for range 58 {
		hear(time.Second, "10.0.0.3:40002 - rid:8"+bad, 3)
	}
	hear(time.Second, "10.0.0.3:40002 - rid:8"+bad, 4)
	hear(0, "10.0.0.3:40002 - rid:8 - Route Error 'Stale Connection'", 4)
	hear(0, "10.0.0.3:40002 - rid:8 - Readloop processing time: 2.3s", 4)
	for _, want := range []string{`peer=10.0.0.2:6222 why="it cannot be reached: connect: connection refused"`, `peer=10.0.0.3 why="one does not believe`} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("no %q in\n%s", want, told.String())
		}
	}
	for i := range 2 * maxRefusals {
		l.note(Refusal{Peer: "p", Why: strings.Repeat("x", i)}, at)
	}
	if len(l.last) > maxRefusals {
		t.Errorf("%d are kept", len(l.last))
	}
}

// A name that has no address stands for a peer that is missing, until it has some.
func TestANameWithoutAddressIsAMissingPeer(t *testing.T) {
	n := &node{cfg: Config{Node: "a", Peers: []string{"dns:nodes.test:6222"}, Logger: slog.New(slog.DiscardHandler)}, known: make(map[string]bool)}
	seen := make(map[string]time.Time)
	answer, failed := []string(nil), errors.New("no such host")
	old := lookupHost
	lookupHost = func(context.Context, string) ([]string, error) { return answer, failed }
	defer func() { lookupHost = old }()
	for range 2 {
		n.lookUp(t.Context(), seen)
		if len(n.unknown) != 1 || n.unknown[0] != "dns:nodes.test:6222" {
			t.Fatalf("unknown are %q", n.unknown)
		}
	}
	answer, failed = []string{"10.0.0.1"}, nil
	n.lookUp(t.Context(), seen)
	answer, failed = nil, errors.New("no such host")
	n.lookUp(t.Context(), seen)
	if len(n.unknown) != 0 || len(seen) != 1 {
		t.Errorf("unknown are %q, seen %v", n.unknown, seen)
	}
}

func TestMissingPeersAreNamedWithTheReason(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	a := open(t, Config{Node: "a", Listen: ports[0], Peers: ports})
	_ = open(t, Config{Node: "b", Listen: ports[1], Peers: ports})
	all := a.Missing(t.Context())
	if len(all) != 1 || !strings.HasPrefix(all[0], ports[2]+" (") || !strings.Contains(all[0], "refused") {
		t.Errorf("missing are %q", all)
	}
}
