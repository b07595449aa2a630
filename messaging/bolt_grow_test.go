package messaging

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestWhereAFileGrows(t *testing.T) {
	const page = 4096
	for _, tt := range []struct{ used, grown, from, n int64 }{
		{4 * page, 0, 4 * page, growBytes},                                 // a store that was opened
		{4 * page, 4*page + growBytes, 4*page + growBytes, 0},              // it has enough
		{growBytes - growAhead + page, growBytes, growBytes, growBytes},    // not so for long
		{growBytes - growAhead, growBytes, growBytes, 0},                   // just
		{growBytes + 10*page, growBytes, growBytes + 10*page, growBytes},   // a commit has taken more: behind its pages
		{3 * growBytes, 3*growBytes + page, 3*growBytes + page, growBytes}, // what was written is not written again
	} {
		if from, n := growth(tt.used, tt.grown); from != tt.from || n != tt.n {
			t.Errorf("growth(%d, %d) = %d, %d, want %d, %d", tt.used, tt.grown, from, n, tt.from, tt.n)
		}
	}
}

// A commit finds the place for what it writes in the file: bbolt never makes the file longer itself, which leaves a hole there.
func TestPagesAreThereBeforeACommitNeedsThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s, err := OpenBolt(path, Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const oneCommit = 64 << 10 // of these, at most
	for range 40 {
		now := time.Now()
		if err := s.Put(context.Background(), []Record{{User: "alice", Put: now, Expires: now.Add(time.Hour), Body: make([]byte, 20_000)}}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.db.View(func(tx *bbolt.Tx) error {
			if ahead := info.Size() - tx.Size(); ahead < growAhead-oneCommit || ahead > growAhead+growBytes {
				t.Errorf("the file has %d bytes, of which %d are in use", info.Size(), tx.Size())
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
