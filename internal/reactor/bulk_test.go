package reactor

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// Messages come out as they went in, whole, in pieces of most bytes, while others are added, from wherever one
// asks for them; and nothing that waits is moved, or a flood of publications would take longer than a turn.
func TestWhatWaitsComesInPiecesThatAreNotMoved(t *testing.T) {
	const most = 40
	rnd := rand.New(rand.NewPCG(1, 2))
	var w bulks
	var batch bulk
	added, got := 0, 0
	add := func() {
		added++
		w.add(fmt.Appendf(nil, "<%0*d>", rnd.IntN(most), added), most)
	}
	read := func(frames []byte, messages, from int) {
		t.Helper()
		for i := range messages {
			number, size := 0, 0
			if _, err := fmt.Sscanf(string(frames), "<%d>", &number); err != nil || number != from+i {
				t.Fatalf("message %d is %q: %v", from+i, frames, err)
			}
			for size = 1; frames[size-1] != '>'; size++ {
			}
			frames = frames[size:]
		}
		if messages == 0 || len(frames) > 0 {
			t.Fatalf("%d messages from %d on, and %d bytes", messages, from, len(frames))
		}
	}
	for range 1000 {
		add()
	}
	where := unsafe.SliceData(w.all[0].frames)
	for w.messages > 0 {
		for added < 3000 && rnd.IntN(10) > 0 {
			add()
		}
		n := rnd.IntN(w.messages)
		frames, messages := w.from(n)
		read(frames, messages, got+n+1)
		if frames, messages := w.from(w.messages); messages != 0 || frames != nil {
			t.Fatalf("%q behind all", frames)
		}
		batch = w.take(batch)
		if where != nil && where != unsafe.SliceData(batch.frames) {
			t.Fatal("what waited was moved")
		}
		where = nil
		if len(batch.ends) > 1 && len(batch.frames) > most {
			t.Fatalf("%d messages of %d bytes where %d may be", len(batch.ends), len(batch.frames), most)
		}
		read(batch.frames, len(batch.ends), got+1)
		got += len(batch.ends)
	}
	if got != added {
		t.Errorf("%d of %d came", got, added)
	}
}
