package machine

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// In a process of its own, which it changes for good.
func TestPinAndHurryReachEveryThread(t *testing.T) {
	if os.Getenv("MACHINE_TEST_THREADS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPinAndHurryReachEveryThread$", "-test.v")
		cmd.Env = append(os.Environ(), "MACHINE_TEST_THREADS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	var may unix.CPUSet
	if unix.SchedGetaffinity(0, &may) != nil || !may.IsSet(0) {
		t.Skip("this process may not run on the first processor")
	}
	undo := Hurry()
	nice := threadNices(t)
	undo()
	if err := Pin(0, 1); err != nil {
		t.Fatal(err)
	}
	ids, err := ownThreads()
	if err != nil || len(ids) < 2 {
		t.Fatalf("threads %v, %v", ids, err)
	}
	for _, tid := range ids {
		var does unix.CPUSet
		if err := unix.SchedGetaffinity(tid, &does); err == nil && (does.Count() != 1 || !does.IsSet(0)) {
			t.Errorf("thread %d may run on %d processors", tid, does.Count())
		}
	}
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("GOMAXPROCS is %d", n)
	}
	if len(nice) > 1 {
		t.Errorf("in a hurry threads are of nice %v", nice)
	}
	if after := threadNices(t); len(after) > 1 || after[-10] {
		t.Errorf("afterwards threads are of nice %v", after)
	}
	if Pin(1<<9, 1) == nil {
		t.Error("a processor that is not there can be had")
	}
}

func threadNices(t *testing.T) map[int]bool {
	t.Helper()
	ids, err := ownThreads()
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]bool{}
	for _, tid := range ids {
		if raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
			all[20-raw] = true
		}
	}
	return all
}
