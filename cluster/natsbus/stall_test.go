//go:build !nonats

package natsbus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/stormwheel/stormwheel/cluster"
)

// frozenNATS answers clients until they have subscribed, and then reads nothing more.
func frozenNATS(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			go freezeAtSub(c)
		}
	}()
	return l.Addr().String()
}

func freezeAtSub(c net.Conn) {
	_, _ = fmt.Fprintf(c, "INFO {\"server_id\":\"S\",\"version\":\"2.11.0\",\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n")
	for lines := bufio.NewReader(c); ; {
		line, err := lines.ReadString('\n')
		switch {
		case err != nil, strings.HasPrefix(line, "SUB"):
			return
		case strings.HasPrefix(line, "PING"):
			_, _ = io.WriteString(c, "PONG\r\n")
		}
	}
}

// A NATS that takes nothing holds up nobody who publishes: he holds locks of which loops wait.
func TestPublishDoesNotWaitForAFrozenNATS(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Node: "a", Servers: "nats://" + frozenNATS(t), MaxQueued: 16 << 20})
	body, longest := make([]byte, 64<<10), time.Duration(0)
	for deadline := time.Now().Add(3 * writeTime / 2); time.Now().Before(deadline); {
		began := time.Now()
		err := b.Publish("sw.all", body)
		longest = max(longest, time.Since(began))
		if err != nil {
			if !errors.Is(err, cluster.ErrBusy) {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	if longest > writeTime/2 {
		t.Errorf("a Publish took %v", longest)
	}
}

// Two moments in which nobody heard a node, long after each other, are no reason to have it for gone.
func TestProbesThatNobodyHearsCountOnlyTogether(t *testing.T) {
	t.Parallel()
	p := &prober{inbox: "_INBOX.1.", watched: make(map[*watched]bool)}
	lost := make(chan struct{})
	p.watch("b", func() { close(lost) })
	nobody := &nats.Msg{Subject: p.inbox + "b", Header: nats.Header{"Status": []string{"503"}}}
	p.answered(nobody)
	for w := range p.watched {
		w.at = w.at.Add(-time.Minute)
	}
	if p.answered(nobody); len(p.watched) == 0 {
		t.Fatal("it is gone after two that were a minute apart")
	}
	p.answered(nobody)
	receive(t, lost)
}
