package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Event loops that end by themselves end the command with 1 and say so: here the descriptor
// limit is lowered under the node, and accept fails for good.
func TestServeWhoseEngineEndsByItselfExitsWithOneAndSaysSo(t *testing.T) {
	n := serve(t, "--log-level", "error")
	limit := unix.Rlimit{Cur: 5, Max: 5}
	if err := unix.Prlimit(n.cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Skipf("the limit of a child cannot be lowered here: %v", err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.DialTimeout("tcp", n.listen, time.Second); err == nil {
			defer conn.Close()
		}
		select {
		case <-n.done:
		default:
			if time.Now().Before(deadline) {
				continue
			}
			t.Fatalf("not within %v: the node ends; it said\n%s", patience, n.stderr.String())
		}
		break
	}
	code, rest := n.exit()
	said := n.stderr.String()
	if code != exitError || len(rest) != 0 || strings.Count(said, "the event loops ended by themselves") != 1 {
		t.Errorf("exit %d, output %q, error %q", code, rest, said)
	}
	if last := strings.TrimSpace(said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]); !strings.HasPrefix(last, "stormwheel: ") || !strings.HasSuffix(last, "the event loops ended by themselves") {
		t.Errorf("the last line is %q", last)
	}
}
