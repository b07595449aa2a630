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
		if got := Backlog(false, false, m.Rate(), 0); got != want {
			t.Errorf("%d taken a second: %d may wait, want %d", rate, got, want)
		}
	}
}

// Until a process is held, thousands may wait for it: who comes in vain comes a second later.
func TestAPromptProcessHasTheLongestQueue(t *testing.T) {
	p := Promptness{Limit: PromptLimit}
	for _, tick := range []struct {
		at, late time.Duration
		prompt   bool
	}{
		{time.Second, 0, false}, // nothing is known yet
		{3 * time.Second, PromptLimit, true},
		{4 * time.Second, 75 * time.Millisecond, false},
		{5500 * time.Millisecond, 0, false},
		{6 * time.Second, 0, true},
	} {
		p.Observe(tick.at, tick.late)
		if got := p.Prompt(tick.at); got != tick.prompt {
			t.Errorf("after %v, %v late: prompt %t", tick.at, tick.late, got)
		}
	}
	for short, want := range map[bool]int{false: MaxBacklog, true: MinBacklog} {
		if got := Backlog(short, true, 0, 0); got != want {
			t.Errorf("overloaded %t: %d may wait for a prompt process, want %d", short, got, want)
		}
	}
}
