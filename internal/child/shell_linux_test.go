package child

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endOf waits for the end of a command.
func endOf(t *testing.T, s *Shell) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
}

func runShell(t *testing.T, line string) *Shell {
	t.Helper()
	s, err := RunShell(line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Remove)
	return s
}

func TestWhatACommandSaysComesInLines(t *testing.T) {
	s := runShell(t, "echo one; echo two >&2; printf 'half\\377'; exit 3")
	endOf(t, s)
	lines := append(s.Lines(false), "|")
	if lines = append(lines, s.Lines(true)...); !reflect.DeepEqual(lines, []string{"one", "two", "|", "half\ufffd"}) {
		t.Errorf("%q", lines)
	}
	if more := s.Lines(true); len(more) != 0 {
		t.Errorf("again: %q", more)
	}
	if code := s.Code(); code == nil || *code != 3 || s.Exit() == nil || s.Took() <= 0 {
		t.Errorf("code %v, %v, after %v", code, s.Exit(), s.Took())
	}
}

// A server that a command has started goes on, and finds no broken pipe when nobody reads any more.
func TestWhatACommandLeavesInTheBackgroundGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alive")
	s := runShell(t, "(trap 'echo pipe >"+file+"; exit' PIPE; while [ ! -e "+file+".go ]; do sleep 0.02; done; echo a word; echo alive >"+file+") & echo started")
	endOf(t, s)
	if lines := s.Lines(true); !reflect.DeepEqual(lines, []string{"started"}) || s.Exit() != nil {
		t.Errorf("%q, %v", lines, s.Exit())
	}
	s.Remove()
	if err := os.WriteFile(file+".go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for deadline := time.Now().Add(time.Minute); len(text) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not gone on")
		}
		text, _ = os.ReadFile(file)
	}
	if string(text) != "alive\n" {
		t.Errorf("it said %q", text)
	}
}

func TestACommandThatSaysVeryMuchKeepsLittleOnDisk(t *testing.T) {
	next := filepath.Join(t.TempDir(), "line") // it goes on when the line before has been read
	s := runShell(t, "for i in 1 2 3 4 5 6; do head -c 700000 /dev/zero | tr '\\0' 'x'; while [ ! -e "+next+"$i ]; do echo; sleep 0.02; done; done")
	n, most := 0, int64(0)
	for over := false; !over; {
		select {
		case <-s.Done():
			over = true
		case <-time.After(20 * time.Millisecond):
		}
		for _, line := range s.Lines(over) {
			if line == "" { // what is written between reading and truncating is lost: a line's end is there again
				continue
			}
			n++
			if err := os.WriteFile(fmt.Sprint(next, n), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := s.said.Stat(); err == nil {
			most = max(most, info.Size())
		}
	}
	if n != 6 || most > 3*mostSaid {
		t.Errorf("%d lines, %d bytes on disk", n, most)
	}
}

// SIGTERM first, for who cleans up; SIGKILL for who does not, and for all that it has started.
func TestEndEndsTheWholeGroup(t *testing.T) {
	polite := runShell(t, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
	for deadline := time.Now().Add(time.Minute); len(polite.Lines(false)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not begin")
		}
	}
	polite.End()
	if lines := polite.Lines(true); polite.Exit() != nil || len(lines) == 0 || lines[len(lines)-1] != "bye" { // sh may say more
		t.Errorf("%v, %q", polite.Exit(), lines)
	}
	rude := runShell(t, "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1; done")
	var lines []string
	for deadline := time.Now().Add(time.Minute); len(lines) == 0; lines = rude.Lines(false) {
		if time.Now().After(deadline) {
			t.Fatal("it does not begin")
		}
		time.Sleep(5 * time.Millisecond)
	}
	rude.End()
	if rude.Code() != nil {
		t.Errorf("code %v, want that a signal ended it", *rude.Code())
	}
	var pid int
	if _, err := fmt.Sscan(lines[0], &pid); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d that it has started is still there", pid)
		}
	}
}
