package peers

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
		p, err := Start(t.Context(), Ours, "--loops=1", fmt.Sprint("--pin=", pinned))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := unix.SchedGetaffinity(p.PID, &does); err != nil || (does.Count() == 1 && does.IsSet(0)) != pinned {
			t.Errorf("pinned %v: on %d processors, %v", pinned, does.Count(), err)
		}
	}
	if p, err := Start(t.Context(), Ours, "--loops=0", "--pin"); err == nil {
		p.Close()
		t.Error("a server that cannot be pinned starts all the same")
	}
}

// Each of their event loops waits at an epoll of its own.
func TestServersHaveTheLoopsThatTheyAreTold(t *testing.T) {
	for _, kind := range []string{Ours, Floor} {
		var epolls [2]int
		for i, loops := range []int{1, 4} {
			p, err := Start(t.Context(), kind, fmt.Sprint("--loops=", loops))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID))
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
