package between

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// lossy is a bus between two streams that loses, doubles and holds up frames, in the order of each sender.
type lossy struct {
	r     *rand.Rand
	lossy bool
	way   [2][][]byte // to each end
}

func (b *lossy) send(to int, frames ...[]byte) {
	for _, f := range frames {
		if b.lossy && b.r.IntN(5) == 0 {
			continue
		}
		f = bytes.Clone(f) // it is the bus's no longer than the call
		b.way[to] = append(b.way[to], f)
		if b.lossy && b.r.IntN(10) == 0 {
			b.way[to] = append(b.way[to], f)
		}
	}
}

// Whatever the bus loses and doubles, each message is used once and in order, both ways.
func TestStreamBringsAllOnceAndInOrder(t *testing.T) {
	for seed := range uint64(300) {
		b := &lossy{r: rand.New(rand.NewPCG(seed, 1)), lossy: true}
		ends := [2]*Stream{NewStream(10), NewStream(20)}
		var said [2]uint64
		var got [2][]uint64
		step := func(say bool) {
			for i, s := range ends {
				if say && b.r.IntN(2) == 0 {
					said[i]++
					f, err := s.Send(&Message{Kind: Push, Token: said[i]})
					if err != nil {
						t.Fatal(err)
					}
					b.send(1-i, f)
				}
				for n := b.r.IntN(100); n > 0 && len(b.way[i]) > 0; n-- {
					m, err := Parse(b.way[i][0])
					b.way[i] = b.way[i][1:]
					if err != nil {
						t.Fatal(err)
					}
					v, frames := s.Take(&m)
					b.send(1-i, frames...)
					if v == Anew || v == Plain && m.Kind != Ack {
						t.Fatalf("seed %d: verdict %v on %+v", seed, v, m)
					}
					if v == Use {
						got[i] = append(got[i], m.Token)
					}
				}
				if b.r.IntN(20) == 0 {
					b.send(1-i, s.Tick()...)
				}
			}
		}
		for range 500 {
			step(true)
		}
		b.lossy = false
		for range 5000 {
			step(false)
		}
		for i := range ends {
			want := make([]uint64, said[1-i])
			for n := range want {
				want[n] = uint64(n + 1)
			}
			if !slices.Equal(got[i], want) || ends[i].Unacked() != 0 {
				t.Fatalf("seed %d: end %d got %d of %d, %d unacked", seed, i, len(got[i]), len(want), ends[i].Unacked())
			}
		}
	}
}

func take(t *testing.T, s *Stream, frame []byte) (Verdict, [][]byte) {
	t.Helper()
	m, err := Parse(frame)
	if err != nil {
		t.Fatal(err)
	}
	return s.Take(&m)
}

func send(t *testing.T, s *Stream, token uint64) []byte {
	t.Helper()
	f, err := s.Send(&Message{Kind: Push, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(f)
}

// A peer that begins anew is noticed once; what is late of its old stream is not used.
func TestStreamNoticesThatThePeerBeginsAnew(t *testing.T) {
	a, b := NewStream(1), NewStream(2)
	old := send(t, a, 1)
	late := send(t, a, 2)
	if v, _ := take(t, b, old); v != Use {
		t.Errorf("the first: %v", v)
	}
	a.Begin(3)
	first := send(t, a, 3)
	for i, c := range []struct {
		frame []byte
		want  Verdict
	}{{first, Anew}, {first, Drop}, {late, Drop}, {old, Drop}, {send(t, a, 4), Use}} {
		if v, _ := take(t, b, c.frame); v != c.want {
			t.Errorf("frame %d: %v, want %v", i, v, c.want)
		}
	}
}

// Who forgot what came is not taken in by the middle of a stream.
func TestStreamBeginsAtItsFirstFrame(t *testing.T) {
	a, b := NewStream(1), NewStream(2)
	_ = send(t, a, 1)
	if v, _ := take(t, b, send(t, a, 2)); v != Drop {
		t.Errorf("got %v", v)
	}
	a.Tick()
	var got []string
	for _, f := range a.Tick() {
		v, _ := take(t, b, f)
		got = append(got, fmt.Sprint(v))
	}
	if !slices.Equal(got, []string{"1", "1"}) {
		t.Errorf("got %v, want both used", got)
	}
}

// What a stream keeps is bounded.
func TestStreamRefusesWhatItCannotKeep(t *testing.T) {
	a := NewStream(1)
	body := make([]byte, 1<<20)
	for range 16 {
		if _, err := a.Send(&Message{Kind: Push, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Send(&Message{Kind: Push}); err != ErrFull {
		t.Errorf("got %v, want ErrFull", err)
	}
	for range 48 {
		if _, err := a.Send(&Message{Kind: Ring, Body: body}); err != nil {
			t.Fatalf("an answer: %v", err)
		}
	}
	if _, err := a.Send(&Message{Kind: Ring}); err != ErrFull {
		t.Errorf("one answer too many: %v, want ErrFull", err)
	}
	a.Take(&Message{Kind: Ack, AckStream: 1, Acked: 50})
	if _, err := a.Send(&Message{Kind: Push}); err != nil {
		t.Error(err)
	}
}
