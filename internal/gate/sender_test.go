package gate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

func span(first, last uint64) codec.Range { return codec.Range{First: first, Last: last} }

// settle marks, and returns what had to be told.
func settle(t *testing.T, w *Sender, in codec.Range, m Mark) (runs []codec.Range) {
	t.Helper()
	if err := w.Settle(in, m, func(_ uint64, run codec.Range) error { runs = append(runs, run); return nil }); err != nil {
		t.Fatal(err)
	}
	return runs
}

func TestANumberIsTakenOnce(t *testing.T) {
	var w Sender
	for _, step := range []struct {
		number uint64
		want   Fate
	}{
		{1, FateNew}, {1, FateOpen}, {3, FateNew}, {2, FateNew}, {2, FateOpen}, {3, FateOpen},
		{256, FateNew}, {1, FateOpen}, // still within
		{257, FateNew}, {1, FateStale}, {2, FateOpen},
		{1000, FateNew}, {744, FateStale}, {745, FateNew}, // a jump
		{math.MaxUint64 - 1, FateNew}, {1000, FateStale}, {math.MaxUint64, FateNew},
		{math.MaxUint64, FateOpen}, {math.MaxUint64 - 255, FateNew}, {math.MaxUint64 - 256, FateStale}, {1, FateStale},
	} {
		if got, _ := w.Take(step.number, 9, 1); got != step.want {
			t.Errorf("%d is %d, want %d", step.number, got, step.want)
		}
	}
	if runs := settle(t, &w, span(0, math.MaxUint64), Mark{}); !slices.Equal(runs, []codec.Range{
		span(math.MaxUint64-255, math.MaxUint64-255), span(math.MaxUint64-1, math.MaxUint64)}) {
		t.Errorf("told %v", runs)
	}
	if got, _ := w.Take(math.MaxUint64, 9, 1); got != FateSettled {
		t.Errorf("the largest number is %d, want settled", got)
	}
}

// Of two words the first counts, also where they are about ranges that overlap; what was not taken is
// settled by nothing.
func TestTheFirstWordCounts(t *testing.T) {
	var w Sender
	for _, n := range []uint64{1, 2, 3, 4, 5, 8, 9} {
		w.Take(n, 9, 1)
	}
	refused := Mark{Refused: true, Word: 1234}
	for _, step := range []struct {
		in   codec.Range
		mark Mark
		want []codec.Range
	}{
		{span(3, 3), Mark{Word: 7}, []codec.Range{span(3, 3)}},
		{span(2, 2), refused, []codec.Range{span(2, 2)}},
		{span(2, 3), Mark{}, nil},
		{span(1, 100), Mark{Word: 7}, []codec.Range{span(1, 1), span(4, 5), span(8, 9)}}, // 2 and 6 part it
		{span(1, 100), refused, nil},
	} {
		if got := settle(t, &w, step.in, step.mark); !slices.Equal(got, step.want) {
			t.Errorf("%v of %v tells %v, want %v", step.mark, step.in, got, step.want)
		}
	}
	for n, want := range map[uint64]Mark{1: {Word: 7}, 2: refused, 3: {Word: 7}, 9: {Word: 7}} {
		if fate, m := w.Take(n, 9, 1); fate != FateSettled || m != want {
			t.Errorf("%d is %d with %v, want settled with %v", n, fate, m, want)
		}
	}
	for _, n := range []uint64{6, 7, 10} {
		if fate, _ := w.Take(n, 9, 1); fate != FateNew {
			t.Errorf("%d is %d, want new: it was settled before it came", n, fate)
		}
	}
}

// A run goes through numbers of which the same was said before: one frame, not three.
func TestARunGoesOverWhatWasToldTheSame(t *testing.T) {
	var w Sender
	for n := range uint64(5) {
		w.Take(n+1, 9, 1)
	}
	settle(t, &w, span(3, 3), Mark{Word: 2})
	if got := settle(t, &w, span(1, 5), Mark{Word: 2}); !slices.Equal(got, []codec.Range{span(1, 5)}) {
		t.Errorf("told %v, want 1 to 5", got)
	}
}

// What cannot be told is not marked: it may be settled another time.
func TestWhatCannotBeToldStaysOpen(t *testing.T) {
	var w Sender
	for _, n := range []uint64{1, 3} {
		w.Take(n, 9, 1)
	}
	full, left := errors.New("full"), 1
	err := w.Settle(span(1, 3), Mark{}, func(uint64, codec.Range) error {
		if left--; left < 0 {
			return full
		}
		return nil
	})
	if first, _ := w.Take(1, 9, 1); err != full || first != FateSettled {
		t.Errorf("%v, the first is %d", err, first)
	}
	if second, _ := w.Take(3, 9, 1); second != FateOpen {
		t.Errorf("what could not be told is %d, want open", second)
	}
}

// In whatever order the first SENDs of two connects come: once the later one has sent, the earlier one
// is heard no more, and outcomes go to the later one, or to nobody when it has ended.
func TestALaterConnectIsTheNewest(t *testing.T) {
	for _, lateFirst := range []bool{false, true} {
		var w Sender
		if !lateFirst {
			if fate, _ := w.Take(1, 10, 1); fate != FateNew {
				t.Fatalf("%d before the client has come elsewhere, want new", fate)
			}
		}
		want := FateOpen
		if lateFirst {
			want = FateNew
		}
		if fate, _ := w.Take(1, 20, 2); fate != want {
			t.Errorf("over the later one: %d, want %d", fate, want)
		}
		for _, n := range []uint64{1, 2} {
			if fate, _ := w.Take(n, 10, 1); fate != FateStale {
				t.Errorf("%d over the earlier one, late: %d, want stale", n, fate)
			}
		}
		w.leave(10)
		var told []uint64
		tell := func(session uint64, _ codec.Range) error { told = append(told, session); return nil }
		w.Settle(span(1, 1), Mark{}, tell)
		w.Take(2, 20, 2)
		w.leave(20)
		w.Settle(span(2, 2), Mark{Word: 3}, tell)
		if !slices.Equal(told, []uint64{20}) {
			t.Errorf("told to %v, want to the later one, and to nobody after its end", told)
		}
		if fate, _ := w.Take(3, 10, 1); fate != FateStale {
			t.Errorf("the earlier one is heard after the end of the later: %d", fate)
		}
		if fate, m := w.Take(2, 30, 3); fate != FateSettled || m.Word != 3 {
			t.Errorf("over the next one: %d %v, want what was said while there was none", fate, m)
		}
	}
}

// A client that does not count its connects has its last SEND's session as the newest.
func TestConnectsWithOneNumberAreAllHeard(t *testing.T) {
	var w Sender
	w.Take(1, 10, 0)
	w.Take(2, 20, 0)
	w.Take(3, 10, 0)
	w.Settle(span(1, 3), Mark{}, func(session uint64, run codec.Range) error {
		if session != 10 || run != span(1, 3) {
			t.Errorf("%v is told to %d", run, session)
		}
		return nil
	})
}

func TestAFailureLeavesNoMark(t *testing.T) {
	var w Sender
	w.Take(1, 10, 1)
	if open, _, elsewhere := w.Fail(1, 10, codec.NackInternal); !open || elsewhere {
		t.Errorf("open %v, elsewhere %v", open, elsewhere)
	}
	if fate, _ := w.Take(1, 10, 1); fate != FateNew {
		t.Errorf("after the failure: %d, want new", fate)
	}
	settle(t, &w, span(1, 1), Mark{Word: 4})
	if open, _, _ := w.Fail(1, 10, codec.NackInternal); open {
		t.Error("what the handler has settled before it failed is open")
	}
	if fate, m := w.Take(1, 10, 1); fate != FateSettled || m.Word != 4 {
		t.Errorf("%d %v, want what the handler has said", fate, m)
	}
	// The repeat over the next connection came while the handler ran, and was dropped.
	w.Take(2, 10, 1)
	w.Take(2, 20, 2)
	if open, newest, elsewhere := w.Fail(2, 10, codec.NackInternal); !open || newest != 20 || !elsewhere {
		t.Errorf("open %v, newest %d, elsewhere %v", open, newest, elsewhere)
	}
	if fate, m := w.Take(2, 20, 2); fate != FateSettled || m != (Mark{Refused: true, Word: uint16(codec.NackInternal)}) {
		t.Errorf("%d %v, want refused", fate, m)
	}
	// Its connection ended meanwhile: whoever sends it again is heard.
	w.Take(3, 20, 2)
	w.leave(20)
	w.Fail(3, 20, codec.NackInternal)
	if fate, _ := w.Take(3, 30, 3); fate != FateNew {
		t.Errorf("after a failure beside the end of its connection: %d, want new", fate)
	}
	for _, n := range []uint64{0, 9, math.MaxUint64} {
		if open, _, _ := w.Fail(n, 30, codec.NackInternal); open {
			t.Errorf("%d was never taken, and is open", n)
		}
	}
}

// twin is a sender without cleverness.
type twin struct {
	high    uint64
	state   map[uint64]string // none, open, or the mark
	session uint64
	attempt uint32
	here    bool
}

func (w *twin) take(number, session uint64, attempt uint32) string {
	if session != w.session || !w.here {
		if attempt < w.attempt {
			return "stale"
		}
		w.session, w.attempt, w.here = session, attempt, true
	}
	w.high = max(w.high, number)
	if w.high-number >= 256 {
		return "stale"
	}
	if s, ok := w.state[number]; ok {
		return s
	}
	w.state[number] = "open"
	return "new"
}

// settle returns the numbers that are marked.
func (w *twin) settle(in codec.Range, m Mark) (all []uint64) {
	for n, s := range w.state {
		if s == "open" && in.First <= n && n <= in.Last && w.high-n < 256 {
			w.state[n] = fmt.Sprint(m)
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

func TestSenderAgainstItsTwin(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var w Sender
		naive := twin{state: make(map[uint64]string)}
		base := []uint64{1, 1, 300, math.MaxUint64 - 2000}[seed%4]
		for step := range 1500 {
			top := max(naive.high, base)
			number := max(1, top-random.Uint64N(300))
			if up := random.Uint64N(8); up < math.MaxUint64-top && random.IntN(3) > 0 {
				number = top + up
			} else if random.IntN(200) == 0 {
				number = top + random.Uint64N(min(700, math.MaxUint64-top+1))
			}
			session, attempt := uint64(random.IntN(4)), uint32(random.IntN(4)+step/400)
			switch random.IntN(8) {
			default:
				fate, m := w.Take(number, session, attempt)
				got := map[Fate]string{FateNew: "new", FateOpen: "open", FateStale: "stale", FateSettled: fmt.Sprint(m)}[fate]
				if want := naive.take(number, session, attempt); got != want {
					t.Fatalf("seed %d, step %d: %d of session %d, connect %d is %s, want %s", seed, step, number, session, attempt, got, want)
				}
			case 0, 1:
				in := span(number, number)
				if random.IntN(2) == 0 {
					in.Last += random.Uint64N(min(300, math.MaxUint64-number+1))
				}
				m := Mark{random.IntN(3) == 0, uint16(random.IntN(3))}
				checkSettle(t, &w, &naive, in, m)
			case 2:
				w.leave(session)
				naive.here = naive.here && naive.session != session
			case 3:
				open, newest, elsewhere := w.Fail(number, session, 2)
				isOpen := naive.state[number] == "open" && naive.high-number < 256
				if open != isOpen || elsewhere != (isOpen && naive.here && naive.session != session) || elsewhere && newest != naive.session {
					t.Fatalf("seed %d, step %d: a failure at %d: %v, %d, %v", seed, step, number, open, newest, elsewhere)
				}
				if elsewhere {
					naive.state[number] = fmt.Sprint(Mark{true, 2})
				} else if open {
					delete(naive.state, number)
				}
			}
		}
	}
}

// checkSettle holds that what is told covers what is marked, and nothing that was not taken or was told
// otherwise.
func checkSettle(t *testing.T, w *Sender, naive *twin, in codec.Range, m Mark) {
	t.Helper()
	var told []uint64
	for _, run := range settle(t, w, in, m) {
		for n := run.First; ; n++ {
			told = append(told, n)
			if n == run.Last {
				break
			}
		}
	}
	marked := naive.settle(in, m)
	if !naive.here {
		if len(told) > 0 {
			t.Fatalf("%v is told to nobody", told)
		}
		return
	}
	for _, n := range marked {
		if !slices.Contains(told, n) {
			t.Fatalf("%d is not told of %v", n, in)
		}
	}
	for _, n := range told {
		if naive.state[n] != fmt.Sprint(m) || n < in.First || n > in.Last {
			t.Fatalf("%d, which is %q, is told as %v", n, naive.state[n], m)
		}
	}
}

// Two connections of one client, two who settle: each number is taken once.
func TestANumberIsTakenOnceByManyLoops(t *testing.T) {
	for range 50 {
		var w Sender
		var taken [201]int
		var mu sync.Mutex
		var all sync.WaitGroup
		for session := range uint64(4) {
			all.Go(func() {
				for n := uint64(1); n <= 200; n++ {
					if fate, _ := w.Take(n, session, 1); fate == FateNew {
						mu.Lock()
						taken[n]++
						mu.Unlock()
					}
					if n%7 == 0 {
						w.Settle(span(1, n), Mark{}, func(uint64, codec.Range) error { return nil })
					}
				}
			})
		}
		all.Wait()
		for n := 1; n <= 200; n++ {
			if taken[n] != 1 {
				t.Fatalf("%d is taken %d times", n, taken[n])
			}
		}
	}
}
