package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// talked runs users who talk over nodes of this command. Whatever befell a node, nothing that was acknowledged as
// delivered or durable is lost, and nothing is had twice.
func talked(t *testing.T, args ...string) (*result.Messages, string) {
	t.Helper()
	return talkedBy(t, func(args ...string) *process { return stormwheel(t, args...) }, args...)
}

// talkedBy is talked by the command that run starts.
func talkedBy(t *testing.T, run func(args ...string) *process, args ...string) (*result.Messages, string) {
	t.Helper()
	return talking(t, run, args...).over()
}

// talks is a run that goes on.
type talks struct {
	*process
	file string
}

func talking(t *testing.T, run func(args ...string) *process, args ...string) talks {
	t.Helper()
	file := filepath.Join(t.TempDir(), "talk.json")
	return talks{run(append([]string{"bench", "talk", "--no-tui", "--json", file}, args...)...), file}
}

// over waits for its end, and holds the ledger to what is promised whatever befell.
func (r talks) over() (*result.Messages, string) {
	t := r.t
	t.Helper()
	select { // users go from node to node at the end: on a busy machine it takes long
	case <-r.done:
	case <-time.After(2 * time.Minute):
	}
	r.exit()
	said := r.stderr.String()
	raw, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatalf("%v; it said\n%s", err, said)
	}
	res := resultOf(t, []string{string(raw)})
	m := res.Messages
	if m == nil || m.Acknowledged == 0 || m.Lost != 0 || m.Doubled != 0 || m.Sent != m.Acknowledged+m.Refused || m.Published != m.Delivered+m.Undelivered {
		t.Fatalf("messages = %+v; it said\n%s", m, said)
	}
	for _, seen := range res.Thresholds { // on a busy machine a store may be late, and clients
		timed := strings.Contains(seen.Expr, "_s<") || seen.Expr == "messages.refused==0" || seen.Expr == "messages.undelivered==0"
		if !seen.OK && !timed {
			t.Errorf("%s fails; it said\n%s", seen.Expr, said)
		}
	}
	return m, said
}

var underWay = regexp.MustCompile(`kill -9 of node n1 .* and (\d+) messages under way`)

// Half of 200 users acknowledge nothing: what is sent to them waits for its answer when the node is killed, or lies in
// its store.
func TestAKillWithAThousandMessagesUnderWay(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	for _, store := range []string{"bolt", "memory"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			m, said := talked(t, "--spawn", "2", "--messages", store, "--fraction", "0.5", "--every", "200ms", "--duration", "3s", "--kill-after", "2500ms", "--restart-after", "1s")
			kill := underWay.FindStringSubmatch(said)
			if kill == nil {
				t.Fatalf("it said\n%s", said)
			}
			if n, _ := strconv.Atoi(kill[1]); n < 100 {
				t.Errorf("%d messages were under way", n)
			}
			if m.Sent != 3000 || store == "bolt" && (m.HeldLost != 0 || m.Undelivered != 0 || m.Held != 0 || m.Durable == 0) || store == "memory" && (m.Durable != 0 || m.Held == 0) {
				t.Errorf("messages = %+v; it said\n%s", m, said)
			}
		})
	}
}

// A node dies, by either death; what it has on disk arrives when it is back.
func TestWhatLiesInAStoreArrivesWhenItsNodeIsBack(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	for name, args := range map[string][]string{
		"kill":  {"--spawn", "1", "--kill-after", "3500ms"},
		"drain": {"--spawn", "2", "--drain-after", "3500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, said := talked(t, append(args, "--conns", "40", "--fraction", "0.5", "--every", "500ms", "--duration", "5s", "--restart-after", "1s")...)
			if m.Sent != 400 || m.Durable == 0 || m.Undelivered != 0 {
				t.Errorf("messages = %+v; it said\n%s", m, said)
			}
		})
	}
}

// All nodes are restarted one after the other, and nobody is offline.
func TestARollingRestartOfACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	m, said := talked(t, "--spawn", "3", "--cluster", "--conns", "60", "--rooms", "3", "--every", "500ms", "--duration", "6s", "--drain-after", "500ms", "--restart-after", "100ms",
		"--rolling", "--node-arg", "drain-grace=200ms")
	if m.Sent != 60*12 || strings.Count(said, "it has ended after") != 3 {
		t.Errorf("messages = %+v; it said\n%s", m, said)
	}
}

func TestUsersOfManyKinds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	for name, tt := range map[string]struct {
		args []string
		good func(m *result.Messages) bool
	}{
		// Each member hears each message, or is told of a gap: else it is lost.
		"rooms": {[]string{"--spawn", "2", "--conns", "60", "--rooms", "5", "--kill-after", "1s", "--restart-after", "500ms"},
			func(m *result.Messages) bool { return m.Sent == 60*6 && m.Published == 50*6*10+10*6 }},
		// Many join at once at nodes that have to ask the rooms' homes: each comes into the room that it asked for.
		"rooms over nodes": {[]string{"--spawn", "3", "--cluster", "--conns", "60", "--rooms", "5"},
			func(m *result.Messages) bool {
				return m.Sent == 60*6 && m.Published == 50*6*10+10*6 && m.Undelivered == 0
			}},
		"devices": {[]string{"--spawn", "1", "--conns", "60", "--devices", "3"},
			func(m *result.Messages) bool { return m.Sent == 60*6 && m.Delivered == 60*6 }},
		"workers": {[]string{"--spawn", "1", "--conns", "60", "--workers", "2", "--transport", "ws"},
			func(m *result.Messages) bool { return m.Sent == 60*6 && m.Delivered == 60*6 }},
		// The deaf ones' queues of 1 MiB are full: their senders, three devices each, are told, and the others' messages
		// arrive.
		"queue full": {[]string{"--spawn", "1", "--conns", "12", "--devices", "3", "--fraction", "0.5", "--send", "60000B", "--every", "100ms", "--duration", "800ms"},
			func(m *result.Messages) bool {
				return m.Sent == 12*8 && m.Refused > 0 && m.Delivered == m.Acknowledged && m.Durable > 0
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--duration", "3s"}, tt.args...)
			if name != "queue full" {
				args = append(args, "--every", "500ms")
			}
			if m, said := talked(t, args...); !tt.good(m) {
				t.Errorf("messages = %+v; it said\n%s", m, said)
			}
		})
	}
}
