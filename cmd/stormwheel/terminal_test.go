package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

// TestStory feeds states to a terminal and reads what it shows.
func TestStory(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	refused := errors.New("connect: connection refused")
	lost := client.Info{State: client.BackingOff, Endpoint: "a:1", Node: "a", Dials: 1, Sessions: 1, LastError: io.EOF}
	type step struct {
		after time.Duration
		info  client.Info
		retry time.Duration // to the next attempt
		want  string
	}
	for name, steps := range map[string][]step{
		"found, lost, failed, back": {
			{0, client.Info{State: client.Connecting, Endpoint: "a:1", Dials: 1}, 0, ""},
			{0, client.Info{State: client.Ready, Endpoint: "a:1", Node: "a", Dials: 1, Sessions: 1}, 0, "12:00:00.000 * connected to node a at a:1"},
			{time.Second, lost, 400 * time.Millisecond, "12:00:01.000 * lost node a at a:1: the connection was closed; trying again in 400 ms"},
			{0, lost, 400 * time.Millisecond, ""},
			{time.Second, client.Info{State: client.BackingOff, Endpoint: "b:2", Dials: 2, Sessions: 1, LastError: refused}, 0, "12:00:02.000 * no session at b:2: connect: connection refused; trying again at once"},
			{time.Second, client.Info{State: client.Ready, Endpoint: "b:2", Node: "b", Dials: 3, Sessions: 2}, 0, "12:00:03.000 * back on node b at b:2 after 2.0 s away"},
			{time.Second, client.Info{State: client.BackingOff, Endpoint: "b:2", Dials: 3, Sessions: 2, LastError: refused}, time.Minute, "12:00:04.000 * lost node b at b:2: connect: connection refused; trying again in 1m0s"},
		},
		"never there": {
			{0, client.Info{State: client.BackingOff, Endpoint: "a:1", Dials: 1, LastError: refused}, 90 * time.Second, "12:00:00.000 * no session at a:1: connect: connection refused; trying again in 1m30s"},
			{0, client.Info{State: client.Stopped, Endpoint: "a:1", Dials: 1}, 0, ""},
		},
		"refused for good": {
			{0, client.Info{State: client.BackingOff, Endpoint: "a:1", Dials: 1, Refused: true, LastError: refused}, 37 * time.Second, "12:00:00.000 * no session at a:1: connect: connection refused; giving up"},
		},
		"states left out": {
			{0, client.Info{State: client.Ready, Endpoint: "a:1", Node: "a", Dials: 1, Sessions: 1}, 0, "12:00:00.000 * connected to node a at a:1"},
			{0, client.Info{State: client.Ready, Endpoint: "b:2", Node: "b", Dials: 2, Sessions: 2, Losses: 1}, 0, "12:00:00.000 * back on node b at b:2"},
		},
		"handed over": {
			{0, client.Info{State: client.Ready, Endpoint: "a:1", Node: "a", Dials: 1, Sessions: 1}, 0, "12:00:00.000 * connected to node a at a:1"},
			{time.Second, client.Info{State: client.Ready, Endpoint: "a:1", Node: "a", Dials: 1, Sessions: 1, Moving: true}, 0, "12:00:01.000 * node a at a:1 asks this client to move; connecting to another one first"},
			{0, client.Info{State: client.Ready, Endpoint: "a:1", Node: "a", Dials: 2, Sessions: 1, Moving: true}, 0, ""},
			{time.Second, client.Info{State: client.Ready, Endpoint: "b:2", Node: "b", Dials: 3, Sessions: 2}, 0, "12:00:02.000 * moved to node b at b:2 without a gap"},
		},
		"a server's words are escaped": {
			{0, client.Info{State: client.Ready, Endpoint: "a:1", Node: "\u202ea", Dials: 1, Sessions: 1}, 0, `12:00:00.000 * connected to node "\u202ea" at a:1`},
			{0, client.Info{State: client.BackingOff, Endpoint: "a:1", Dials: 1, Sessions: 1, LastError: errors.New("\x1b[2J")}, 0, `12:00:00.000 * lost node "\u202ea" at a:1: "\x1b[2J"; trying again at once`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := at
			var out strings.Builder
			term := newTerminal(&out, func() time.Time { return now })
			for i, s := range steps {
				now = now.Add(s.after)
				out.Reset()
				if s.info.State == client.BackingOff {
					s.info.NextAttempt = now.Add(s.retry)
				}
				term.changed(s.info)
				if got := strings.TrimSuffix(out.String(), "\n"); got != s.want {
					t.Errorf("step %d shows\n%q, want\n%q", i, got, s.want)
				}
			}
		})
	}
}

func TestLossTellsWhatIsUncertain(t *testing.T) {
	var out strings.Builder
	term := newTerminal(&out, time.Now)
	term.changed(client.Info{State: client.Ready, Dials: 1, Sessions: 1})
	term.sent.Add(3)
	term.settled(1, client.Outcome{})
	term.changed(client.Info{State: client.BackingOff, Dials: 1, Sessions: 1, LastError: io.EOF})
	if !strings.Contains(out.String(), "2 of your messages may or may not have arrived: they are sent again") {
		t.Errorf("shows\n%s", out.String())
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":         "",
		"hello, ü": "hello, ü",
		"a\tb":     `"a\tb"`,
		"\x1b]0;x": `"\x1b]0;x"`,
		"\xff":     `"\xff"`,
		"\u202e":   `"\u202e"`,
		"\u009b1m": `"\u009b1m"`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %s, want %s", in, got, want)
		}
	}
}

// A dead session's node, number and round trip are not shown as the present ones.
func TestInfoWithoutASessionShowsTheLastNode(t *testing.T) {
	var out strings.Builder
	term := newTerminal(&out, time.Now)
	term.showInfo(client.Info{State: client.BackingOff, Node: "a", Session: "5e551011", Sessions: 1, RTT: time.Millisecond})
	shown := out.String()
	for _, want := range []string{"  node        -\n", "  last node   a\n", "  session     -\n", "  rtt         -\n"} {
		if !strings.Contains(shown, want) {
			t.Errorf(":info has no %q:\n%s", want, shown)
		}
	}
}

// A refusal is shown, with the words of the server escaped, and counts as settled.
func TestRefusalIsShown(t *testing.T) {
	var out strings.Builder
	term := newTerminal(&out, time.Now)
	term.sent.Add(2)
	term.settled(1, client.Outcome{Err: &client.RefusedError{Code: codec.NackBusy, Reason: "\x1b[2J"}})
	if shown := out.String(); !strings.Contains(shown, "your message 1: message is refused: busy: ") || strings.Contains(shown, "\x1b") {
		t.Errorf("shows %q", shown)
	}
	term.changed(client.Info{State: client.Ready, Dials: 1, Sessions: 1})
	out.Reset()
	term.changed(client.Info{State: client.BackingOff, Dials: 1, Sessions: 1, LastError: io.EOF})
	if !strings.Contains(out.String(), "1 of your messages") {
		t.Errorf("shows\n%s", out.String())
	}
	out.Reset()
	term.showInfo(client.Info{Unsettled: 1})
	if !strings.Contains(out.String(), "  unsettled   1, 1 refused\n") {
		t.Errorf(":info shows\n%s", out.String())
	}
}
