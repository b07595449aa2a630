package gate

import (
	"testing"
	"time"
)

func TestMemoryLevelsHaveHysteresis(t *testing.T) {
	level := MemoryFine
	for _, step := range []struct {
		percent float64
		want    MemoryLevel
	}{
		{91.9, MemoryFine}, {92, MemoryRefuse}, {89.1, MemoryRefuse}, {88.9, MemoryFine},
		{94.9, MemoryRefuse}, {95, MemoryShed}, {92.1, MemoryShed}, {91.9, MemoryRefuse}, {94, MemoryRefuse},
		{99, MemoryShed}, {50, MemoryFine}, {120, MemoryShed},
	} {
		if level = level.after(step.percent); level != step.want {
			t.Fatalf("at %.1f %%: %v, want %v", step.percent, level, step.want)
		}
	}
}

func TestMemoryIsSampledOnceASecondAtMost(t *testing.T) {
	samples := 0
	m := Memory{Limit: 100}
	for now := time.Duration(0); now < 10*time.Second; now += 10 * time.Millisecond {
		if m.Due(now) {
			samples++
			m.Sample(1)
		}
	}
	if samples != 10 {
		t.Errorf("sampled %d times in 10 s, want 10", samples)
	}
}
