package messaging

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestBoltThatStalls: while a commit is stuck, callers come back when their context ends, and take back
// what was not begun; what waits goes into one commit afterwards.
func TestBoltThatStalls(t *testing.T) {
	s, err := OpenBolt(filepath.Join(t.TempDir(), "store"), Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	put := func(ctx context.Context, body string) error {
		return s.Put(ctx, []Record{{User: "alice", Put: now, Expires: now.Add(time.Hour), Body: []byte(body)}})
	}
	stall, err := s.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	begin := func(n int) {
		waiting.Go(func() {
			if err := put(context.Background(), fmt.Sprint(n)); err != nil {
				t.Error(err)
			}
		})
	}
	begin(0)
	for s.waits() != 0 || !s.commits() { // the committer has it
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := put(ctx, "withdrawn"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put: %v", err)
	}
	for n := range 5 {
		begin(1 + n)
	}
	for s.waits() != 6 {
		time.Sleep(time.Millisecond)
	}
	before := stall.ID()
	if err := stall.Rollback(); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	all, err := s.Next(context.Background(), "alice", 0, 100)
	if err != nil || len(all) != 6 || string(all[0].Body) != "0" {
		t.Errorf("%d records, %v", len(all), err)
	}
	for _, r := range all {
		if string(r.Body) == "withdrawn" {
			t.Error("what was withdrawn is stored")
		}
	}
	after, err := s.db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Rollback()
	if n := after.ID() - before + 1; n != 2 {
		t.Errorf("%d commits, want 2", n)
	}
}

func (s *Bolt) waits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}

// commits tells whether the committer has seen an op: it is then in a commit, or about to be.
func (s *Bolt) commits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took > 0
}
