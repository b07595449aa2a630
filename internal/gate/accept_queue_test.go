package gate

import (
	"testing"
	"time"
)

// What a loop has shown that it takes may wait for it.
func TestALoopThatTakesManyHasALongerQueue(t *testing.T) {
	for rate, want := range map[int]int{0: UsualBacklog, 500: UsualBacklog, 3000: 3000, 9000: MaxBacklog} {
		var m Meter
		for i := 1; i <= 60; i++ {
			m.Observe(time.Duration(i)*time.Second, uint64(i*rate))
		}
		if got := Backlog(false, m.Rate(), 0); got != want {
			t.Errorf("%d taken a second: %d may wait, want %d", rate, got, want)
		}
	}
}
