package server

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// insideNetwork is set for a test that runs again in a network namespace of its own.
const insideNetwork = "STORMWHEEL_TEST_NETNS"

// ownNetwork runs the test again in a network namespace of its own, where every count of
// the kernel is the test's, and reports false; in there it reports true.
func ownNetwork(t *testing.T) (inside bool) {
	t.Helper()
	if os.Getenv(insideNetwork) != "" {
		loopbackUp(t)
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), insideNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("needs a network namespace of its own, which this machine does not give: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "    ") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a network namespace of its own: %v\n%s", err, out)
	}
	return false
}

func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// kernelCount reads a counter of /proc/net/netstat, which is the namespace's own.
func kernelCount(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		for k, word := range strings.Fields(lines[i]) {
			if word == name {
				n, err := strconv.Atoi(strings.Fields(lines[i+1])[k])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatalf("/proc/net/netstat has no %s", name)
	return 0
}

// chatter writes on, blind, until a write fails or it has said enough; only then does it
// read. The GOAWAY must be there.
func chatter(e *siege.Peer, enough int) (codec.Code, error) {
	line := codec.AppendSend(nil, 1, make([]byte, 1000))
	for said := 0; said < enough; said += len(line) {
		if _, err := e.Write(line); err != nil {
			break // it stops at its first write error
		}
		time.Sleep(200 * time.Microsecond) // so that it is still talking when it is answered
	}
	return e.End()
}

// crowded starts a node that present clients are at.
func crowded(t *testing.T, o orders, present int) (*child, []*siege.Peer) {
	t.Helper()
	s := startSiege(t, o)
	var in []*siege.Peer
	for range present {
		e := s.Peer("present")
		if err := e.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() }) // not earlier, with the notice unread
		in = append(in, e)
	}
	return s, in
}

// wantFarewells has all of them play at once, and the node do as the command says meanwhile: each must get
// a GOAWAY with the code.
func wantFarewells(t *testing.T, s *child, in []*siege.Peer, command string, code codec.Code, play func(e *siege.Peer) (codec.Code, error)) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong := make(map[string]int)
	for _, e := range in {
		wg.Go(func() {
			if got, err := play(e); err != nil || got != code {
				mu.Lock()
				wrong[fmt.Sprintf("GOAWAY %v, %v", got, err)]++
				mu.Unlock()
			}
		})
	}
	if command != "" {
		s.report(command)
	}
	wg.Wait()
	if len(wrong) > 0 {
		t.Errorf("of %d clients, want GOAWAY %v for each; but %v", len(in), code, wrong)
	}
}

// Refused, queued, stopped and drained clients get their notice although what they said is
// unread, and no close of the node throws input away.
func TestFarewellReachesClientsWhoseInputIsUnread(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	const clients = 250 // fewer than may linger at a time
	newcomer := func(enough int) func(e *siege.Peer) (codec.Code, error) {
		return func(e *siege.Peer) (codec.Code, error) {
			if err := e.Dial(t.Context()); err != nil {
				return 0, err
			}
			e.Write(e.Hello()) // a refusal may be there already
			return chatter(e, enough)
		}
	}
	newNode := func(o orders, present int) (*child, []*siege.Peer) { return crowded(t, o, present) }
	all := func(s *child, in []*siege.Peer, command string, code codec.Code, play func(e *siege.Peer) (codec.Code, error)) {
		t.Helper()
		wantFarewells(t, s, in, command, code, play)
	}
	strangers := func(s *child, n int) (out []*siege.Peer) {
		for range n {
			out = append(out, s.Peer("stranger"))
		}
		return out
	}
	const little, tooMuch = 40 << 10, 1 << 20
	for _, tt := range []struct {
		name string
		cut  bool // what they say beyond the bound is thrown away
		run  func()
	}{
		{"refused at accept", false, func() {
			s, _ := newNode(orders{MaxConns: 10}, 10)
			all(s, strangers(s, clients), "", codec.CodeFull, newcomer(little))
		}},
		{"refused at accept, and they never stop", true, func() {
			s, _ := newNode(orders{MaxConns: 10}, 10)
			all(s, strangers(s, clients), "", codec.CodeFull, newcomer(tooMuch))
		}},
		{"queued at HELLO", false, func() {
			s, _ := newNode(orders{AdmitRate: 0.001}, 17) // its burst and one; the next comes in after 1000 s
			all(s, strangers(s, clients), "", codec.CodeBusy, newcomer(little))
		}},
		{"stopped", false, func() {
			s, in := newNode(orders{}, clients)
			all(s, in, "stop", codec.CodeShutdown, func(e *siege.Peer) (codec.Code, error) {
				go e.Write(siege.Ping)
				return chatterUntilTold(e)
			})
		}},
		{"drained", false, func() {
			s, in := newNode(orders{}, clients)
			all(s, in, "drain", codec.CodeDraining, chatterUntilTold)
		}},
		{"refused while it drains", false, func() {
			s, _ := newNode(orders{}, 1) // who does not go, so that it goes on draining
			s.report("drain")
			all(s, strangers(s, clients), "", codec.CodeDraining, newcomer(little))
		}},
	} {
		before := kernelCount(t, "TCPAbortOnClose")
		tt.run()
		if n := kernelCount(t, "TCPAbortOnClose") - before; n != 0 && !tt.cut {
			t.Errorf("%s: %d closes threw unread input away, want none", tt.name, n)
		}
	}
}

// chatterUntilTold pings on while it reads, until it is told to go and a little longer,
// and then leaves as a client does.
func chatterUntilTold(e *siege.Peer) (codec.Code, error) {
	defer e.Close()
	told := make(chan struct{})
	tell := sync.OnceFunc(func() { close(told) })
	var wg sync.WaitGroup
	wg.Go(func() {
		for more := 10; more > 0; {
			if _, err := e.Write(siege.Ping); err != nil {
				return
			}
			select {
			case <-told:
				more--
			case <-time.After(time.Millisecond):
			}
		}
		e.Write(codec.AppendBye(nil))
		e.CloseWrite()
	})
	defer wg.Wait()
	for {
		f, err := e.Next()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, errors.New("it was not told")
		case err != nil:
			if e.Away.Code == 0 {
				e.Close()
			}
			return e.Away.Code, nil
		case f.Type == codec.GoAway:
			tell()
		}
	}
}
