package child

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = time.Minute

func shell(script string, args ...string) *Child {
	return Program{Argv: []string{"sh", "-c", script, "sh"}}.Command(args...)
}

func TestMain(m *testing.M) {
	if script := os.Getenv("CHILD_TEST_PARENT"); script != "" {
		c := shell(script)
		line, err := c.Start(context.Background(), patience)
		fmt.Println(c.PID, line, err)
		select {}
	}
	os.Exit(m.Run())
}

func TestAChildTalksLineByLine(t *testing.T) {
	c := shell(`echo ready; echo twice; while read question; do echo "$question?"; done; exit 3`)
	in, err := c.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if line, err := c.Start(t.Context(), patience); line != "ready" || err != nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	defer c.Close()
	if line, err := c.Line(patience); line != "twice" || err != nil {
		t.Errorf("then it says %q, %v", line, err)
	}
	for _, question := range []string{"one", "two"} {
		if answer, err := c.Ask(question, patience); answer != question+"?" || err != nil {
			t.Errorf("Ask(%q) = %q, %v", question, answer, err)
		}
	}
	if _, err := c.Line(20 * time.Millisecond); err == nil || err.Error() != "nothing said for 20ms" {
		t.Errorf("a silent child: %v", err)
	}
	in.Close()
	if _, err := c.Line(patience); err == nil || err.Error() != "exit status 3" {
		t.Errorf("one that has ended: %v", err)
	}
	<-c.Done()
	if c.Exit() == nil || !c.Unasked() {
		t.Errorf("exit %v, unasked %v", c.Exit(), c.Unasked())
	}
}

// It does not stop because nobody listens, and an answer is not that of long before.
func TestAChildMayTalkUnasked(t *testing.T) {
	c := shell(`i=0; while [ $i -lt 20000 ]; do echo babble $i; i=$((i+1)); done; echo over >&2; while read question; do echo answer $question; done`)
	if _, err := c.Pipe(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(patience); c.Complaint() != "over"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it stands still when nobody listens")
		}
	}
	// What it said before is on another pipe, and may be read later than this.
	for end, i := time.Now().Add(patience), 0; ; i++ {
		answer, err := c.Ask(fmt.Sprint(i), patience)
		if answer == fmt.Sprint("answer ", i) {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("Ask(%d) = %q, %v", i, answer, err)
		}
	}
}

func TestWhoDoesNotStartIsNotLeftBehindAndSaysWhy(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	for _, tt := range []struct {
		script string
		ctx    context.Context
		want   string
	}{
		{"echo first >&2; echo last >&2; exit 1", t.Context(), "exit status 1\n  | first\n  | last"},
		{"exit 0", t.Context(), "exit status 0"},
		{"echo words >&2; kill -9 $$", t.Context(), "signal: killed"},
		{"head -c 2000000 /dev/zero; exec sleep 60", t.Context(), "a line of it is too long"},
		{"exec sleep 60", interrupted, "interrupted"},
	} {
		c := shell(tt.script)
		if line, err := c.Start(tt.ctx, patience); line != "" || err == nil || err.Error() != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.script, line, err, tt.want)
		}
		if alive(c.PID) {
			t.Errorf("%s: it is left behind", tt.script)
		}
	}
	// How soon a busy machine reads a complaint is nobody's promise.
	for within := 300 * time.Millisecond; ; within *= 2 {
		c := shell("echo stuck >&2; exec sleep 60")
		line, err := c.Start(t.Context(), within)
		if alive(c.PID) {
			t.Error("it is left behind")
		}
		want := fmt.Sprintf("nothing said for %v", within)
		if err != nil && err.Error() == want && within < patience {
			continue
		}
		if line != "" || err == nil || err.Error() != want+"\n  | stuck" {
			t.Errorf("stuck: %q, %v; want %q", line, err, want)
		}
		break
	}
	c := Program{Argv: []string{"/no such file"}}.Command()
	if _, err := c.Start(t.Context(), patience); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	c.Close() // it was never there
}

// Also when nobody had the time to kill it.
func TestAChildDiesWithUs(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "CHILD_TEST_PARENT=echo here; exec sleep 60")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.Fields(line + " -")[0])
	if err != nil || !strings.Contains(line, "here") {
		t.Fatalf("the parent says %q", line)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for end := time.Now().Add(patience); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the child lives on")
		}
	}
}

func TestAChildThatStandsStillIsClosedAllTheSame(t *testing.T) {
	c := shell("echo here; exec sleep 60")
	if _, err := c.Start(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	if err := c.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.Close()
	c.Close()
	if alive(c.PID) || c.Unasked() {
		t.Errorf("it is alive %v, its death unasked %v", alive(c.PID), c.Unasked())
	}
}

func TestAChildHasOurEnvironmentWithoutOurFlags(t *testing.T) {
	t.Setenv("STORMWHEEL_NODE", "ours")
	t.Setenv("CHILD_TEST_OTHER", "anybody's")
	c := shell(`echo "$STORMWHEEL_NODE$CHILD_TEST_OTHER $1"`, "argument")
	if line, err := c.Start(t.Context(), patience); line != "anybody's argument" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	c.Close()
}

// Very many processes on few processors must not preempt each other all the time, and what
// starts them must stay as it is.
func TestACrowdOfProcessesIsBatched(t *testing.T) {
	if Crowded(crowd*runtime.NumCPU()) || !Crowded(crowd*runtime.NumCPU()+1) {
		t.Error("a crowd does not begin beyond crowd processes a processor")
	}
	for _, many := range []bool{false, true} {
		c := Program{Argv: []string{"sleep", "60"}, Crowded: many}.Command()
		out, in := io.Pipe()
		go io.Copy(io.Discard, out)
		if err := c.Launch(in); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want := uint32(unix.SCHED_NORMAL)
		if many {
			want = unix.SCHED_BATCH
		}
		for thread, policy := range policies(t, c.PID) {
			if policy != want {
				t.Errorf("crowded %v: thread %d has scheduling policy %d, want %d", many, thread, policy, want)
			}
		}
		if has := slices.Contains(c.cmd.Env, "GOMAXPROCS=1"); has != many {
			t.Errorf("crowded %v: GOMAXPROCS=1 in its environment is %v", many, has)
		}
	}
	for thread, policy := range policies(t, os.Getpid()) {
		if policy != unix.SCHED_NORMAL {
			t.Errorf("thread %d of ours has scheduling policy %d", thread, policy)
		}
	}
}

// policies are the scheduling policies of a process's threads.
func policies(t *testing.T, pid int) map[int]uint32 {
	t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]uint32{}
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if a, err := unix.SchedGetAttr(id, 0); err == nil { // else it has ended
			all[id] = a.Policy
		}
	}
	return all
}

// alive: there is such a process, and it has not ended.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// slacks are by how much the threads of a process may oversleep, of those that may be read: all of them takes
// CAP_SYS_NICE.
func slacks(t *testing.T, pid int) map[int]time.Duration {
	t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]time.Duration{}
	for _, thread := range threads {
		text, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		if err != nil {
			continue
		}
		id, _ := strconv.Atoi(thread.Name())
		ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all[id] = time.Duration(ns)
	}
	return all
}

// Those who come after it must sleep as exactly as before.
func TestAChildOversleepsByItsSlackAndWeDoNot(t *testing.T) {
	usual, known := slacks(t, os.Getpid())[os.Getpid()]
	if !known {
		t.Skip("the slack of threads may not be read here")
	}
	for _, want := range []time.Duration{3 * time.Millisecond, 0} {
		c := Program{Argv: []string{"sleep", "60"}, Slack: want}.Command()
		out, in := io.Pipe()
		go io.Copy(io.Discard, out)
		if err := c.Launch(in); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, got := range slacks(t, c.PID) {
			if got != cmp.Or(want, usual) {
				t.Errorf("with a slack of %v a child has %v", want, got)
			}
		}
		for thread, now := range slacks(t, os.Getpid()) {
			if now != usual {
				t.Errorf("thread %d of ours may oversleep by %v, not %v", thread, now, usual)
			}
		}
	}
}
