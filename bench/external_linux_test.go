package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// otherServer is a server process that no run has started: this test binary, as a node.
type otherServer struct {
	addr, pidFile string
	command       string // that starts it, and writes its pid
}

func startOther(t *testing.T) *otherServer {
	t.Helper()
	t.Setenv(benchtest.AsServe, "good")
	o := &otherServer{addr: benchtest.FreeAddr(t), pidFile: filepath.Join(t.TempDir(), "pid")}
	o.command = fmt.Sprintf("%s --node other --listen %s --heartbeat 200ms --timeout 4s >/dev/null 2>&1 & echo $! >%s", os.Args[0], o.addr, o.pidFile)
	o.start(t)
	t.Cleanup(func() { o.kill(t) })
	return o
}

// start runs it, and waits until it accepts.
// launch begins it, on any goroutine, and does not wait.
func (o *otherServer) launch(t *testing.T) {
	if out, err := exec.Command("sh", "-c", o.command).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func (o *otherServer) start(t *testing.T) {
	t.Helper()
	o.launch(t)
	benchtest.WaitFor(t, "it accepts", func() bool {
		c, err := net.Dial("tcp4", o.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// kill returns when it has gone: until then its port accepts, and nobody else can have it.
func (o *otherServer) kill(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(o.pidFile)
	if err != nil {
		return // it never started
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Errorf("its pid: %v", err)
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	benchtest.WaitFor(t, "the other server has gone", func() bool { return benchtest.Ended(pid) })
}

// restart is a command that kills it, and starts it after a while.
func (o *otherServer) restart(after string) string {
	return fmt.Sprintf("echo restarting; kill -9 $(cat %s); sleep %s; %s; echo done >&2", o.pidFile, after, o.command)
}

// outside is a storm from outside on targets.
func outside(targets ...string) Config {
	return Config{Scenario: "storm", Targets: targets, Conns: 100, Rate: 2000, Seed: 1, Duration: 300 * time.Millisecond, Workers: 1,
		PongTimeout: 2 * time.Second, RecoveryTimeout: 20 * time.Second, LateLimit: time.Minute}
}

func TestACommandStrikesAServerThatIsNotTheRuns(t *testing.T) {
	benchtest.LeavesNothing(t)
	o := startOther(t)
	cfg := outside(o.addr)
	cfg.StormCmd, cfg.Capacity = o.restart("0.7"), 1000
	var shown bytes.Buffer
	r, err := Run(t.Context(), cfg, View{Progress: &shown})
	if err != nil {
		t.Fatalf("%v\n%s", err, shown.String())
	}
	s := r.Storm
	if s.Kind != "external" || s.T0By != result.T0ByCommand || s.Clients != 100 || s.Back != 100 || r.Conns.End != 100 {
		t.Errorf("storm %+v", s)
	}
	if s.OutageS == nil || *s.OutageS < 0.6 || *s.OutageS > *s.T100S || s.IdealS == nil || *s.IdealS < *s.OutageS+0.09 || *s.CapacityPerS != 1000 {
		t.Errorf("outage %v, ideal %v; want that of the command, and 100 clients at 1000/s", s.OutageS, s.IdealS)
	}
	c := s.Command
	if c == nil || c.Exit == nil || *c.Exit != 0 || c.Failed != nil || c.Said != "restarting\ndone\n" || c.TookS < 0.6 || c.Line != cfg.StormCmd {
		t.Errorf("command %+v", c)
	}
	for _, want := range []string{"| restarting", "exit status 0", "a target accepts again, after", "all of them are back"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, shown.String())
		}
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
}

// What went wrong outside is no fault of the server, and costs no result.
func TestACommandThatGoesWrongMakesTheRunInvalidAndKeepsItsResult(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	for _, tt := range []struct {
		name, command string
		want          string
		exit          *int
	}{
		{"it fails", "echo no such unit >&2; exit 5", "the command of the storm failed: exit status 5: no such unit", new(5)},
		{"it is not there", "no-such-command-here", "exit status 127", new(127)},
		{"a signal ends it", "kill -9 $$", "signal: killed", nil},
		{"it hangs, and what it has started", "trap '' TERM; sleep 1000 & echo $! >>" + pids + "; echo $$ >>" + pids + "; while :; do sleep 1; done", "still ran after", nil},
		{"it strikes nobody", "true", "nobody lost a session", new(0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			benchtest.LeavesNothing(t)
			f := benchtest.Start(t, &benchtest.Node{Terms: patient})
			cfg := outside(f.Addr())
			cfg.StormCmd, cfg.Conns, cfg.RecoveryTimeout, cfg.PongTimeout = tt.command, 20, 2*time.Second, time.Second
			r, err := Run(t.Context(), cfg, View{})
			if r == nil || result.ExitCode(err) != result.ExitInvalid || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("exit %d, %v; want it invalid, with %q", result.ExitCode(err), err, tt.want)
			}
			if got := r.Storm.Command.Exit; (got == nil) != (tt.exit == nil) || got != nil && *got != *tt.exit {
				t.Errorf("exit status %v", got)
			}
			if r.Conns.End != 20 || r.Heartbeat.Answered == 0 {
				t.Errorf("conns %+v, heartbeat %+v: want all that was measured", r.Conns, r.Heartbeat)
			}
		})
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		pid, _ := strconv.Atoi(strings.TrimSpace(line))
		benchtest.WaitFor(t, fmt.Sprintf("process %d of the command that hung has ended", pid), func() bool { return benchtest.Ended(pid) })
	}
}

// A run that is interrupted ends its command, and says that the command may have been the cause.
func TestAnInterruptedRunEndsItsCommand(t *testing.T) {
	benchtest.LeavesNothing(t)
	f := benchtest.Start(t, &benchtest.Node{Terms: patient})
	cfg := outside(f.Addr())
	pid := filepath.Join(t.TempDir(), "pid")
	cfg.StormCmd, cfg.Conns = "echo $$ >"+pid+"; exec sleep 1000", 20
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for _, err := os.Stat(pid); err != nil; _, err = os.Stat(pid) {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	r, err := Run(ctx, cfg, View{})
	if r == nil || result.ExitCode(err) != result.ExitInterrupted || r.Storm == nil || r.Storm.Command == nil || r.Storm.Command.Failed == nil ||
		!strings.Contains(*r.Storm.Command.Failed, "pkill") {
		t.Fatalf("exit %d, %v, %+v", result.ExitCode(err), err, r)
	}
	b, _ := os.ReadFile(pid)
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	benchtest.WaitFor(t, "the command has ended", func() bool { return benchtest.Ended(n) })
}

// Nobody tells the run when the server is killed, nor that it will be.
func TestAStormOfWhichNobodyTellsIsFound(t *testing.T) {
	benchtest.LeavesNothing(t)
	o := startOther(t)
	cfg := outside(o.addr)
	cfg.Kind, cfg.Duration = "external", 30*time.Second
	var once sync.Once
	var killed time.Time
	var done sync.WaitGroup
	r, err := Run(t.Context(), cfg, View{Watch: func(u Update) {
		if u.Phase.Name != "watch" || u.At < u.Phase.Since+700*time.Millisecond {
			return
		}
		once.Do(func() {
			killed = time.Now()
			o.kill(t)
			done.Go(func() { time.Sleep(500 * time.Millisecond); o.launch(t) })
		})
	}})
	done.Wait()
	if err != nil {
		t.Fatal(err)
	}
	s := r.Storm
	if s.T0By != result.T0ByLosses || s.Clients != 100 || s.Back != 100 || s.Command != nil || s.OutageS == nil || *s.OutageS < 0.3 || *s.T100S < *s.OutageS {
		t.Errorf("storm %+v", s)
	}
	t0 := r.Started.Add(time.Duration(*r.Detail.StormAtS * float64(time.Second)))
	if early := killed.Sub(t0); early > 150*time.Millisecond || early < -benchtest.Patience {
		t.Errorf("t0 is %v before the kill; want the tenth of a second in which the first client noticed", early)
	}
	lost := 0
	for _, n := range r.Detail.LostPer100ms {
		lost += int(n)
	}
	if lost != 100 || r.Detail.LostPer100ms[0] == 0 {
		t.Errorf("lost since t0: %d, want all, and some in the first tenth of a second: bins %v", lost, r.Detail.LostPer100ms)
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
}

func TestAStormThatDoesNotComeProvesNothing(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: patient})
	cfg := outside(f.Addr())
	cfg.Kind, cfg.Conns, cfg.Duration = "external", 20, 500*time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitInvalid || !strings.Contains(err.Error(), "nothing struck the targets within 500ms") || r.Storm != nil {
		t.Errorf("exit %d, %v, storm %+v", result.ExitCode(err), err, r.Storm)
	}
}

// Somebody else strikes at a time that was agreed upon, as the machine does that has the command.
func TestAStormByTheClock(t *testing.T) {
	o := startOther(t)
	cfg := outside(o.addr)
	cfg.Kind, cfg.Duration, cfg.StormAt = "external", 0, 1500*time.Millisecond
	var once sync.Once
	var done sync.WaitGroup
	r, err := Run(t.Context(), cfg, View{Watch: func(u Update) {
		if u.Phase.Name == "recovery" {
			once.Do(func() { o.kill(t); done.Go(func() { o.launch(t) }) })
		}
	}})
	done.Wait()
	if err != nil || r.Storm.T0By != result.T0ByClock || r.Storm.Clients != 100 || *r.Detail.StormAtS < 1.49 {
		t.Errorf("%v, storm %+v at %v", err, r.Storm, r.Detail.StormAtS)
	}
}

// Clients of a server with another protocol: an echo in a process of its own.
func TestACommandStrikesAnEcho(t *testing.T) {
	f := benchtest.StartEcho(t, time.Minute)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { // the server's end of the command: it drops all of its clients
		if file, err := os.Open(fifo); err == nil {
			_, _ = bufio.NewReader(file).ReadString('\n')
			file.Close()
			f.Drop()
		}
	}()
	cfg := outside(f.Addr())
	cfg.Protocol, cfg.Heartbeat, cfg.StormCmd = "tcp-echo", 200*time.Millisecond, "echo now >"+fifo
	r, err := Run(t.Context(), cfg, View{})
	if err != nil || r.Storm.Clients != 100 || r.Storm.Back != 100 || r.Eviction.False != 0 || *r.Storm.OutageS != 0 {
		t.Errorf("%v, storm %+v, eviction %+v", err, r.Storm, r.Eviction)
	}
}
