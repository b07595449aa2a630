package gate

import (
	"testing"
	"time"
)

// A queue that was given out in a slow spell is as long as the present pace makes it.
func TestSlotsOfASlowSpellAreNotWaitedFor(t *testing.T) {
	q := NewQueue(1000)
	now := time.Hour
	q.SetRate(now, 10)
	for range 200 {
		q.Ask(now, time.Minute)
	}
	if ahead := q.Ahead(now); ahead < 10*time.Second {
		t.Fatalf("the queue is %v long at 10 a second", ahead)
	}
	q.SetRate(now, 1000)
	if ahead := q.Ahead(now); ahead > 300*time.Millisecond {
		t.Errorf("the queue is %v long at 1000 a second", ahead)
	}
}
