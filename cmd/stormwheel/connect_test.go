package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConnectTellsTheStoryOfAKilledNode is the classic experiment: two nodes, one
// client, kill -9, and the client is back on the other by itself. By WebSocket, too.
func TestConnectTellsTheStoryOfAKilledNode(t *testing.T) {
	t.Run("tcp", func(t *testing.T) { storyOfAKilledNode(t, "") })
	t.Run("websocket", func(t *testing.T) { storyOfAKilledNode(t, "ws://", "--transports", "ws") })
}

func storyOfAKilledNode(t *testing.T, scheme string, flags ...string) {
	nodes := map[string]*node{}
	var addrs []string
	for _, name := range []string{"a", "b"} {
		n := serve(t, append(flags, "--node", name, "--heartbeat", "1s", "--timeout", "1m")...)
		nodes[name] = n
		addrs = append(addrs, scheme+n.listen)
	}
	p := stormwheel(t, "connect", "--server", strings.Join(addrs, ","), "--id", "alice")
	first := nodes[afterWord(t, p.until("connected to"), "node")]
	p.say("hello")
	if line := p.until("< "); line != "< hello" {
		t.Errorf("echo shows as %q", line)
	}
	info := p.info()
	for deadline := time.Now().Add(patience); info["messages"] != "1 sent, 1 acknowledged, 1 received"; info = p.info() {
		if time.Now().After(deadline) { // the ACK follows the echo
			t.Fatalf(":info shows %v", info)
		}
	}
	if info["state"] != "ready" || info["node"] != first.name || info["endpoint"] != first.listen || info["reconnects"] != "0" {
		t.Errorf(":info shows %v", info)
	}
	if !regexp.MustCompile(`^[0-9a-f]{16}-[0-9a-f]{16}$`).MatchString(info["session"]) {
		t.Errorf(":info shows session %q", info["session"])
	}

	first.signal(syscall.SIGKILL)
	if line := p.until("lost"); !strings.Contains(line, "node "+first.name+" at "+first.listen) || !strings.Contains(line, "trying again") {
		t.Errorf("loss shows as %q", line)
	}
	back := p.until("back on")
	second := nodes[afterWord(t, back, "node")]
	if second == first || !regexp.MustCompile(`after \d+(\.\d)? m?s away$`).MatchString(back) {
		t.Errorf("return shows as %q", back)
	}
	now := p.info()
	if now["state"] != "ready" || now["node"] != second.name || now["endpoint"] != second.listen ||
		now["reconnects"] != "1" || now["session"] == info["session"] {
		t.Errorf(":info after the return shows %v", now)
	}
	p.say(":q")
	if code, _ := p.exit(); code != 0 {
		t.Errorf(":q exits with %d: %s", code, p.stderr.String())
	}
}

// afterWord returns the word that follows another.
func afterWord(t *testing.T, line, word string) string {
	t.Helper()
	words := strings.Fields(line)
	for i := range len(words) - 1 {
		if words[i] == word {
			return words[i+1]
		}
	}
	t.Fatalf("no %q in %q", word, line)
	return ""
}

// info asks :info and returns its lines by name. The state is without its duration.
func (p *process) info() map[string]string {
	p.t.Helper()
	p.say(":info")
	info := map[string]string{}
	for line := p.until("  state "); ; line = p.line() {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "  ")
		info[name] = strings.TrimSpace(value)
		if name == "uptime" {
			info["state"], _, _ = strings.Cut(info["state"], " for ")
			return info
		}
	}
}

// TestPipedInputLeavesWhenAllIsAcknowledged guards that a pipe loses nothing.
func TestPipedInputLeavesWhenAllIsAcknowledged(t *testing.T) {
	n := serve(t)
	p := stormwheel(t, "connect", "--server", n.listen)
	want := []string{"one", "two", strings.Repeat("x", 65528), "\"esc\\x1b[31m\"", "ünï"}
	for _, line := range []string{"one", "", "two", ":bogus", want[2], "esc\x1b[31m", "ünï"} {
		p.say(line)
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	code, out := p.exit()
	var got []string
	for _, line := range out {
		if text, found := strings.CutPrefix(line, "< "); found {
			got = append(got, text)
		}
	}
	if code != 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exit %d (%s), %d messages came back: %.200q", code, p.stderr.String(), len(got), got)
	}
}

func TestTooLongLineIsAnError(t *testing.T) {
	p := stormwheel(t, "connect", "--server", serve(t).listen)
	p.say("before it") // and the session
	p.say(strings.Repeat("x", 65530))
	code, out := p.exit()
	if code != exitError || !strings.Contains(p.stderr.String(), "standard input: a line is longer than 65528 bytes") {
		t.Errorf("exit %d: %s", code, p.stderr.String())
	}
	if !slices.Contains(out, "< before it") {
		t.Errorf("what came before it did not come back: %q", out)
	}
}

func TestConnectLeavesWithoutANode(t *testing.T) {
	for name, tc := range map[string]struct {
		leave func(*process)
		code  int
		said  string
	}{
		":q":     {func(p *process) { p.say(":q") }, 0, ""},
		"EOF":    {func(p *process) { _ = p.stdin.Close() }, exitError, "stormwheel: connect: never connected: dial tcp 127.0.0.1:1: "},
		"Ctrl-C": {func(p *process) { p.signal(syscall.SIGINT) }, 0, ""},
	} {
		p := stormwheel(t, "connect", "--server", "127.0.0.1:1")
		p.until("no session at 127.0.0.1:1")
		if info := p.info(); info["node"] != "-" || info["session"] != "-" || info["last error"] == "" {
			t.Errorf(":info without a session shows %v", info)
		}
		tc.leave(p)
		if code, _ := p.exit(); code != tc.code || !strings.HasPrefix(p.stderr.String(), tc.said) {
			t.Errorf("%s without a node exits with %d: %s", name, code, p.stderr.String())
		}
	}
}

// TestUnacknowledgedInputIsAnError guards that a pipe does not end well when it was not
// delivered.
func TestUnacknowledgedInputIsAnError(t *testing.T) {
	t.Parallel() // it waits
	begun := time.Now()
	p := stormwheel(t, "connect", "--server", "127.0.0.1:1")
	p.say("is anybody there?")
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	code, _ := p.exit()
	if said := p.stderr.String(); code != exitError || !strings.Contains(said, "never connected: dial tcp 127.0.0.1:1: ") || !strings.Contains(said, "; 1 messages were not sent") {
		t.Errorf("exit %d: %q", code, said)
	}
	if waited := time.Since(begun); waited < drainTime {
		t.Errorf("gave up after %v, want %v", waited, drainTime)
	}
}

// TestPipeThatNobodyTakesIsAnError guards that a pipe with more than the sender holds ends
// too.
func TestPipeThatNobodyTakesIsAnError(t *testing.T) {
	t.Parallel() // it waits
	p := stormwheel(t, "connect", "--server", "127.0.0.1:1")
	for range 100 {
		p.say("is anybody there?")
	}
	code, _ := p.exit()
	if said := p.stderr.String(); code != exitError || !strings.Contains(said, "never connected: dial tcp 127.0.0.1:1: ") {
		t.Errorf("exit %d: %q", code, said)
	}
}

// TestPipedFloodKeepsToTheRate pipes more at once than a node takes in a burst.
func TestPipedFloodKeepsToTheRate(t *testing.T) {
	t.Parallel()          // it waits
	const messages = 4800 // two frames each, at a limit of 8000 in a burst
	p := stormwheel(t, "connect", "--server", serve(t).listen)
	echoes := make(chan int)
	go func() {
		n := 0
		for line := range p.lines {
			if strings.HasPrefix(line, "< ") {
				n++
			} else if strings.Contains(line, "lost") {
				t.Error(line)
			}
		}
		echoes <- n
	}()
	for i := range messages {
		p.say(strconv.Itoa(i))
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-echoes; n != messages {
		t.Errorf("%d of %d messages came back", n, messages)
	}
	if code, _ := p.exit(); code != 0 {
		t.Errorf("exit %d: %s", code, p.stderr.String())
	}
}

func TestPacerAllowsABurstThenItsRate(t *testing.T) {
	now := time.Unix(1, 0)
	p := pacer{every: time.Millisecond, burst: 3}
	var waits []time.Duration
	for range 6 {
		waits = append(waits, p.wait(now))
	}
	want := []time.Duration{0, 0, 0, 0, time.Millisecond, 2 * time.Millisecond}
	if !slices.Equal(waits, want) {
		t.Errorf("waits are %v, want %v", waits, want)
	}
	if d := p.wait(now.Add(time.Hour)); d != 0 {
		t.Errorf("after a pause the wait is %v, want none", d)
	}
}
