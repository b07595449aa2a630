package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Ctrl-C goes to all of `bench | tee`, and tee is gone before the result is there.
func TestAProgressThatNobodyReadsDoesNotCostTheResult(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "bench", "hold", "--spawn", "1", "--conns", "20",
		"--heartbeat", "500ms", "--duration", "1h", "--json", file)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	lines := bufio.NewScanner(read)
	for range 2 {
		if !lines.Scan() {
			t.Fatal("no progress")
		}
	}
	read.Close()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is below
	b, err := os.ReadFile(file)
	var r result.Result
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if code := cmd.ProcessState.ExitCode(); err != nil || !r.Interrupted || code != result.ExitInterrupted {
		t.Errorf("exit %d: %v, %+v; want the partial result, and %d", code, err, r, result.ExitInterrupted)
	}
}

// What a node logged does not explain who killed it.
func TestANodeThatWasKilledIsOneShortLine(t *testing.T) {
	p := stormwheel(t, "bench", "hold", "--spawn", "2", "--conns", "20", "--heartbeat", "500ms", "--duration", "1h", "--no-tui")
	for deadline := time.Now().Add(patience); !strings.Contains(p.stderr.String(), "all 20 clients are ready"); {
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %s", p.stderr.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	var nodes []string
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread may end meanwhile
		nodes = append(nodes, strings.Fields(string(b))...)
	}
	if len(nodes) != 2 {
		t.Fatalf("children %q, want two nodes", nodes)
	}
	pid, _ := strconv.Atoi(nodes[1])
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	code, _ := p.exit()
	text := p.stderr.String()
	last := text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
	if code != exitError || !strings.HasSuffix(last, fmt.Sprintf("(pid %d) died unasked: signal: killed\n", pid)) {
		t.Errorf("exit %d: %q", code, last)
	}
}

// A full disk, on which the progress goes, does not cost the result that goes elsewhere.
func TestAProgressThatCannotBeWrittenDoesNotCostTheResult(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	args := smallHold()
	args[len(args)-1] = filepath.Join(t.TempDir(), "run.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), asCommand+"=1"), full
	_ = cmd.Run() // its exit code is below
	if r := readBench(t, args[len(args)-1]); r.Conns.End != 100 || cmd.ProcessState.ExitCode() != exitError {
		t.Errorf("exit %d, %d connections at the end", cmd.ProcessState.ExitCode(), r.Conns.End)
	}
}

// Who reads a pipe, as of --json >(jq .), sees no end of it before the result.
func TestAPipeIsOpenedOnce(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		b, _ := os.ReadFile(pipe)
		read <- string(b)
	}()
	var o outputs
	w := o.open("--json", pipe)
	select {
	case <-read:
		t.Fatal("the reader has seen the end before there was a result")
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := w.Write([]byte("result")); err != nil || o.close() != nil || <-read != "result" {
		t.Errorf("the result did not come through: %v", err)
	}
}
