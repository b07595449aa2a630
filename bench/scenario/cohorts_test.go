package scenario

import (
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/link"
)

func TestCohortsAreSharesOfTheWhole(t *testing.T) {
	got, err := parseCohorts("window:50%, fixed:30%,full:20%")
	if want := []swarm.Cohort{{Policy: link.Window, Share: 5000}, {Policy: link.Fixed, Share: 3000}, {Policy: link.Full, Share: 2000}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("parseCohorts = %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "window", "window:50", "window:50%", "window:50%,fixed:51%", "hope:100%", "window:-1%,fixed:101%", "full:NaN%"} {
		if _, err := parseCohorts(bad); result.ExitCode(err) != result.ExitUsage {
			t.Errorf("parseCohorts(%q): %v, want a usage error", bad, err)
		}
	}
}
