package natsbus

import (
	"bytes"
	"testing"
	"time"
)

// Under steady traffic writes are apart; what comes after a pause, and what is much, does not wait.
func TestWritesAreApart(t *testing.T) {
	for _, c := range []struct {
		since   time.Duration
		waiting int
		want    time.Duration
	}{
		{time.Hour, 1, 0},
		{paceTime, 1, 0},
		{0, 1, paceTime},
		{paceTime / 5, 1000, paceTime - paceTime/5},
		{0, batchBytes, 0},
	} {
		if got := early(c.since, c.waiting); got != c.want {
			t.Errorf("early(%v, %d) = %v, want %v", c.since, c.waiting, got, c.want)
		}
	}
}

// What waits for one node is one NATS message, in order, up to its size; memory of those that have left is used again.
func TestWhatWaitsLeavesTogether(t *testing.T) {
	o := newOut(1 << 20)
	for _, body := range []string{"one", "two"} {
		if err := o.put("sw.to.a", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.put("sw.all", []byte("three")); err != nil {
		t.Fatal(err)
	}
	if got := o.waiting(); got != o.bytes || got < len("onetwothree") {
		t.Errorf("%d bytes wait", got)
	}
	all := o.take(nil)
	if len(all) != 2 || !bytes.Equal(all[0].body, []byte("\x03one\x03two")) || all[1].subject != "sw.all" {
		t.Errorf("got %q", all)
	}
	if o.waiting() != 0 {
		t.Error("something waits still")
	}
	large := make([]byte, batchBytes)
	for range 2 {
		if err := o.put("sw.to.a", large); err != nil {
			t.Fatal(err)
		}
	}
	if all = o.take(all); len(all) != 2 || len(all[0].body) < batchBytes {
		t.Errorf("%d NATS messages for two large bodies", len(all))
	}
}
