package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// idleTimes is how many phases nodes without clients are watched for.
const idleTimes = 5

// measureIdle has three nodes of a cluster, and one that is of none, be without clients.
func measureIdle(ctx context.Context, k *kit.Kept) (map[string]float64, error) {
	addrs, err := freeport.Loopback(7)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "stormwheel-lab")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "secret")
	if err := os.WriteFile(file, secret[0], 0o400); err != nil {
		return nil, err
	}
	var members []*child.Child
	for i := range 4 {
		args := []string{"serve", "--node", fmt.Sprint("n", i), "--listen", addrs[i]}
		if i < 3 {
			args = append(args, "--cluster", "nats://embedded", "--cluster-listen", addrs[4+i], "--cluster-peers", strings.Join(addrs[4:], ","),
				"--cluster-secret-file", file)
		}
		c := child.Program{Argv: []string{k.Binary()}}.Command(args...)
		defer c.Close()
		if err := c.Launch(nopCloser{}); err != nil {
			return nil, err
		}
		members = append(members, c)
	}
	e := effortOf(k.Effort)
	if err := wait(ctx, 2*e.phase); err != nil {
		return nil, err
	}
	before, ran := make([]time.Duration, len(members)), make([]int64, len(members))
	for i, c := range members {
		before[i], ran[i] = usedFor(c.PID)
	}
	began := time.Now()
	if err := wait(ctx, idleTimes*e.phase); err != nil {
		return nil, err
	}
	figures := map[string]float64{}
	for i, c := range members {
		of, share := clustered, 3.0
		if i == 3 {
			of, share = single, 1
		}
		used, runs := usedFor(c.PID)
		seconds := time.Since(began).Seconds()
		figures[of+"_percent"] += (used - before[i]).Seconds() / seconds * 100 / share
		figures[of+"_wakes"] += float64(runs-ran[i]) / seconds / share
		anonymous, program, err := memoryOf(c.PID)
		if err != nil {
			return nil, err
		}
		figures[of+"_anon_mb"] += anonymous / 1e6 / share
		figures[of+"_file_mb"] += program / 1e6 / share
	}
	for _, what := range []string{"_percent", "_wakes", "_anon_mb", "_file_mb"} {
		figures["more"+what] = figures[clustered+what] - figures[single+what]
	}
	return figures, nil
}

// nopCloser takes what a node says, which nobody reads.
type nopCloser struct{}

func (nopCloser) Write(p []byte) (int, error) { return len(p), nil }
func (nopCloser) Close() error                { return nil }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// usedFor is the processor time of a process, to the ns, and how often one of its threads began to run.
func usedFor(pid int) (all time.Duration, ran int64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		var ns, waited, runs int64
		_, _ = fmt.Sscan(string(text), &ns, &waited, &runs)
		all += time.Duration(ns)
		ran += runs
	}
	return all, ran
}

// memoryOf are the bytes of a process that are its own, and those of its program that are in memory.
func memoryOf(pid int) (anonymous, program float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(line, ":")
		var kib float64
		switch field {
		case "RssAnon":
			_, _ = fmt.Sscan(value, &kib)
			anonymous = kib * 1024
		case "RssFile":
			_, _ = fmt.Sscan(value, &kib)
			program = kib * 1024
		}
	}
	return anonymous, program, nil
}
