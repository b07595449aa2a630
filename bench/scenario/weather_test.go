package scenario

import (
	"testing"
	"time"
)

// Who struck too early, by hand, is told.
func TestAStormThatStruckNobodySaysWhatWasLostBefore(t *testing.T) {
	const nobody = "nobody lost a session, or was told to move, within 11s"
	for before, want := range map[int]string{0: nobody, 300: nobody + "; 300 sessions had been lost before the storm was to begin"} {
		if got := unstruck(10900*time.Millisecond, before); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
