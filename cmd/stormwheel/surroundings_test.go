package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

// unread is a pipe whose reader goes when gone is called.
func unread(t *testing.T) (w *os.File, gone func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return w, func() { r.Close() }
}

// The reader of the log goes, and the node has something to log: it drains all the same.
func TestANodeWhoseLogReaderIsGoneStillDrains(t *testing.T) {
	log, gone := unread(t)
	n := ready(t, startIn(t, func(cmd *exec.Cmd) { cmd.Stderr = log }, os.Args[0],
		"serve", "--listen", "127.0.0.1:0", "--alternates", "127.0.0.1:9", "--drain-grace", "0", "--log-level", "debug"))
	p := dial(t, n.listen)
	p.join()
	gone()
	n.signal(syscall.SIGTERM)
	f := p.next()
	if m, err := codec.ParseGoAway(f.Payload); f.Type != codec.GoAway || err != nil || m.Code != codec.CodeDraining {
		t.Errorf("the client is sent %v %+v, %v; want GOAWAY draining", f.Type, m, err)
	}
	p.write(codec.AppendBye(nil), nil)
	if code, _ := n.exit(); code != 0 {
		t.Errorf("%v, want exit 0", n.cmd.ProcessState)
	}
}

// Nobody reads the ready line: the node serves.
func TestANodeWhoseReadyLineNobodyReadsServes(t *testing.T) {
	out, gone := unread(t)
	gone()
	n := startIn(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, os.Args[0], "serve", "--listen", "127.0.0.1:0", "--drain-grace", "0")
	listening := regexp.MustCompile(`msg=listening addr=(\S+)`)
	var addr []string
	for deadline := time.Now().Add(patience); addr == nil; time.Sleep(5 * time.Millisecond) {
		if addr = listening.FindStringSubmatch(n.stderr.String()); time.Now().After(deadline) {
			t.Fatalf("it does not say where it listens:\n%s", n.stderr.String())
		}
	}
	for deadline := time.Now().Add(patience); !strings.Contains(n.stderr.String(), "nobody reads the ready line"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not say that nobody reads the ready line:\n%s", n.stderr.String())
		}
	}
	p := dial(t, addr[1])
	p.join()
	p.write(codec.AppendBye(nil), nil)
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 {
		t.Errorf("%v, want exit 0:\n%s", n.cmd.ProcessState, n.stderr.String())
	}
}

// A terminal that is closed, or a log rotation that knows no better, costs nobody.
func TestANodeIgnoresAHangup(t *testing.T) {
	n := serve(t, "--drain-grace", "0")
	p := dial(t, n.listen)
	p.join()
	n.signal(syscall.SIGHUP)
	p.write(codec.AppendPing(nil, 7, 0), nil)
	if f := p.next(); f.Type != codec.Pong {
		t.Errorf("PING is answered by %v", f.Type)
	}
	p.write(codec.AppendBye(nil), nil)
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 {
		t.Errorf("%v, want exit 0", n.cmd.ProcessState)
	}
}

// A client whose terminal or whose reader goes says BYE: no server takes it for lost.
func TestConnectLeavesInOrderWhateverEndsIt(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(p *process, gone func())
		code int
		want string
	}{
		{"a hangup", func(p *process, _ func()) { p.signal(syscall.SIGHUP) }, 0, ""},
		{"the reader goes", func(p *process, gone func()) { gone(); p.say("hello") }, 1, "stormwheel: connect: write /dev/stdout: broken pipe\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "a hangup" {
				heedsHangups(t)
			}
			n := serve(t)
			read, out, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { read.Close(); out.Close() })
			p := startIn(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, os.Args[0], "connect", "--server", n.listen, "--id", "alice")
			if line, err := bufio.NewReader(read).ReadString('\n'); err != nil || !strings.Contains(line, "connected to") {
				t.Fatalf("it shows %q, %v", line, err)
			}
			tc.end(p, func() { read.Close() })
			if code, _ := p.exit(); code != tc.code || p.stderr.String() != tc.want {
				t.Errorf("%v, error %q; want exit %d and %q", p.cmd.ProcessState, p.stderr.String(), tc.code, tc.want)
			}
			n.untilStats(`"closes":{"bye":1}`)
		})
	}
}

func (n *node) untilStats(text string) {
	n.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		_, body := n.get("GET", "/stats")
		if strings.Contains(body, text) {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("no %s in %s", text, body)
		}
	}
}

// Nobody reads the summary: the merged result is written.
func TestMergeWritesItsResultThoughNobodyReadsTheSummary(t *testing.T) {
	seed := func(n uint64) func(*result.Result) { return func(r *result.Result) { r.Seed = n } }
	all := filepath.Join(t.TempDir(), "all.json")
	said, gone := unread(t)
	gone()
	p := startIn(t, func(cmd *exec.Cmd) { cmd.Stderr = said }, os.Args[0], "bench", "merge",
		resultFile(t, "a.json", seed(1)), resultFile(t, "b.json", seed(2)), "--json", all)
	if code, _ := p.exit(); code != 0 && code != result.ExitInvalid {
		t.Errorf("%v, want that of the result", p.cmd.ProcessState)
	}
	if _, err := readResult(all); err != nil {
		t.Error(err)
	}
}
