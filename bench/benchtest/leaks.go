package benchtest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Children are the pids of our child processes, dead ones that were not reaped included.
func Children(t *testing.T) []string {
	t.Helper()
	var pids []string
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f) // a thread may end meanwhile
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}

func openFiles(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// LeavesNothing checks, when the test ends, that no child, descriptor and goroutine is left.
func LeavesNothing(t *testing.T) {
	t.Helper()
	if files, _ := filepath.Glob("/proc/self/task/*/children"); len(files) == 0 {
		t.Fatal("this kernel does not list children (CONFIG_PROC_CHILDREN)")
	}
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	t.Cleanup(func() {
		WaitFor(t, fmt.Sprintf("no child, %d descriptors, %d goroutines as before", fds, goroutines), func() bool {
			return len(Children(t)) == 0 && openFiles(t) <= fds && runtime.NumGoroutine() <= goroutines
		})
	})
}

// Ended: gone, or a zombie that only its new parent has yet to reap.
func Ended(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// Patience bounds every wait of the tests.
const Patience = time.Minute

// WaitFor waits until cond holds, at most for Patience.
func WaitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
