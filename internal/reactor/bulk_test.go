package reactor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Messages come out as they went in, whole, in pieces of most bytes, while others are added; and what
// waits is not moved for each piece, or a flood of publications would cost its length squared.
func TestABulkIsTakenInPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var waiting, batch bulk
	added, got, moves := 0, 0, 0
	add := func() {
		added++
		waiting.add(fmt.Appendf(nil, "<%d>", added))
	}
	for range 10_000 {
		add()
	}
	for waiting.left() > 0 {
		if added < 12_000 && rnd.IntN(3) == 0 {
			add()
		}
		most := 1 + rnd.IntN(40)
		batch.takeFrom(&waiting, most)
		if waiting.taken == 0 {
			moves++
		}
		begin := 0
		for _, end := range batch.ends {
			if got++; string(batch.frames[begin:end]) != fmt.Sprintf("<%d>", got) {
				t.Fatalf("message %d is %q", got, batch.frames[begin:end])
			}
			begin = end
		}
		if n := len(batch.ends); n == 0 || begin != len(batch.frames) || n > 1 && begin > most {
			t.Fatalf("%d messages of %d bytes where %d may be", n, begin, most)
		}
	}
	if got != added || moves > 40 {
		t.Errorf("%d of %d came, what waited was moved %d times", got, added, moves)
	}
}
