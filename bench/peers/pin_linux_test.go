package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAPinnedServerStaysOnItsFirstProcessor(t *testing.T) {
	var may, does unix.CPUSet
	if unix.SchedGetaffinity(0, &may) != nil || !may.IsSet(0) || may.Count() < 2 {
		t.Skip("it takes two processors to choose one of")
	}
	for _, pinned := range []bool{false, true} {
		p, err := startPeer(ours, "--loops=1", fmt.Sprint("--pin=", pinned))
		if err != nil {
			t.Fatal(err)
		}
		defer p.stop()
		if err := unix.SchedGetaffinity(p.pid, &does); err != nil || (does.Count() == 1 && does.IsSet(0)) != pinned {
			t.Errorf("pinned %v: on %d processors, %v", pinned, does.Count(), err)
		}
	}
	if p, err := startPeer(ours, "--loops=0", "--pin"); err == nil {
		p.stop()
		t.Error("a server that cannot be pinned starts all the same")
	}
}

// Each of their event loops waits at an epoll of its own.
func TestServersHaveTheLoopsThatTheyAreTold(t *testing.T) {
	for _, kind := range []string{ours, floorKind} {
		var epolls [2]int
		for i, loops := range []int{1, 4} {
			p, err := startPeer(kind, fmt.Sprint("--loops=", loops))
			if err != nil {
				t.Fatal(err)
			}
			defer p.stop()
			files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid))
			for _, f := range files {
				if to, _ := os.Readlink(f); to == "anon_inode:[eventpoll]" {
					epolls[i]++
				}
			}
		}
		if epolls[1]-epolls[0] != 3 {
			t.Errorf("%s: %v epolls with one loop and with four", kind, epolls)
		}
	}
}

func TestLargeRefusesToMeasureNothing(t *testing.T) {
	if err := measureLarge([]string{"--rounds=0"}); err == nil {
		t.Error("no rounds are fine")
	}
}
