package messaging

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// Where several callers ask, the next commit begins 2 ms behind the beginning of the one before; where one asks, he does
// not wait. The clock is the bubble's: a commit takes none of its time.
func TestCommitsOfSeveralCallersBegin2msApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := OpenBolt(filepath.Join(t.TempDir(), "store"), Bounds{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		began := time.Now()
		commit := func(callers int) (at time.Duration) {
			t.Helper()
			ops := make([]*boltOp, callers)
			for i := range ops {
				now := time.Now()
				ops[i] = &boltOp{records: []Record{{User: "alice", Put: now, Expires: now.Add(time.Hour)}}, done: make(chan error, 1)}
			}
			s.mu.Lock()
			s.pending = append(s.pending, ops...)
			s.mu.Unlock()
			s.stir()
			for _, op := range ops {
				if err := <-op.done; err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		for i, step := range []struct {
			callers int
			at      time.Duration
		}{{1, 0}, {1, 0}, {3, 0}, {3, commitEvery}, {1, 2 * commitEvery}, {1, 2 * commitEvery}, {2, 2 * commitEvery}, {1, 3 * commitEvery}} {
			if at := commit(step.callers); at != step.at {
				t.Errorf("commit %d was done at %v, want %v", i, at, step.at)
			}
		}
	})
}

func TestTimeBetweenCommits(t *testing.T) {
	for _, tt := range []struct {
		ops        int
		took, want time.Duration
	}{
		{1, 0, 0},
		{1, time.Hour, 0},
		{2, 0, commitEvery},
		{1000, 500 * time.Microsecond, commitEvery - 500*time.Microsecond},
		{2, commitEvery, 0},
		{2, time.Hour, 0},
	} {
		if got := untilNext(tt.ops, tt.took); got != tt.want {
			t.Errorf("behind a commit of %d that took %v: %v, want %v", tt.ops, tt.took, got, tt.want)
		}
	}
}
