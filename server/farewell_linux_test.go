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
func (e *enemy) chatter(enough int) (codec.Code, error) {
	line := codec.AppendSend(nil, 1, make([]byte, 1000))
	for said := 0; said < enough; said += len(line) {
		if _, err := e.conn.Write(line); err != nil {
			break // it stops at its first write error
		}
		time.Sleep(200 * time.Microsecond) // so that it is still talking when it is answered
	}
	return e.end()
}

// Refused, queued, stopped and drained clients get their notice although what they said is
// unread, and no close of the node throws input away.
func TestFarewellReachesClientsWhoseInputIsUnread(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	const clients = 250 // fewer than may linger at a time
	newcomer := func(enough int) func(e *enemy) (codec.Code, error) {
		return func(e *enemy) (codec.Code, error) {
			if err := e.dial(); err != nil {
				return 0, err
			}
			e.conn.Write(e.hello()) // a refusal may be there already
			return e.chatter(enough)
		}
	}
	newNode := func(cfg siegeConfig, present int) (*siege, []*enemy) {
		s := startSiege(t, cfg)
		var in []*enemy
		for range present {
			e := s.enemy("present")
			if err := e.join(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { e.conn.Close() }) // not earlier, with the notice unread
			in = append(in, e)
		}
		return s, in
	}
	all := func(s *siege, in []*enemy, command string, code codec.Code, play func(e *enemy) (codec.Code, error)) {
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
			s.ask(command)
		}
		wg.Wait()
		if len(wrong) > 0 {
			t.Errorf("of %d clients, want GOAWAY %v for each; but %v", len(in), code, wrong)
		}
	}
	strangers := func(s *siege, n int) (out []*enemy) {
		for range n {
			out = append(out, s.enemy("stranger"))
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
			s, _ := newNode(siegeConfig{MaxConns: 10}, 10)
			all(s, strangers(s, clients), "", codec.CodeFull, newcomer(little))
		}},
		{"refused at accept, and they never stop", true, func() {
			s, _ := newNode(siegeConfig{MaxConns: 10}, 10)
			all(s, strangers(s, clients), "", codec.CodeFull, newcomer(tooMuch))
		}},
		{"queued at HELLO", false, func() {
			s, _ := newNode(siegeConfig{AdmitRate: 0.05}, 17) // its burst and one; the next comes in after 20 s
			all(s, strangers(s, clients), "", codec.CodeBusy, newcomer(little))
		}},
		{"stopped", false, func() {
			s, in := newNode(siegeConfig{}, clients)
			all(s, in, "stop", codec.CodeShutdown, func(e *enemy) (codec.Code, error) {
				go e.conn.Write(onePing)
				return e.chatterUntilTold()
			})
		}},
		{"drained", false, func() {
			s, in := newNode(siegeConfig{}, clients)
			all(s, in, "drain", codec.CodeDraining, (*enemy).chatterUntilTold)
		}},
		{"refused while it drains", false, func() {
			s, _ := newNode(siegeConfig{}, 1) // who does not go, so that it goes on draining
			s.ask("drain")
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
func (e *enemy) chatterUntilTold() (codec.Code, error) {
	defer e.conn.Close()
	told := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for more := 10; more > 0; {
			if _, err := e.conn.Write(onePing); err != nil {
				return
			}
			select {
			case <-told:
				more--
			case <-time.After(time.Millisecond):
			}
		}
		e.conn.Write(codec.AppendBye(nil))
		e.conn.CloseWrite()
	})
	defer wg.Wait()
	for {
		f, err := e.next()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, errors.New("it was not told")
		case err != nil:
			if e.away.Code == 0 {
				e.conn.Close()
			}
			return e.away.Code, nil
		case f.Type == codec.GoAway && e.away.Code == 0:
			if e.away, err = codec.ParseGoAway(f.Payload); err != nil {
				return 0, err
			}
			close(told)
		}
	}
}
